#include "nic/kif.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool kif_exists(const char *ifname)
{
	return if_nametoindex(ifname) != 0;
}

static int request(unsigned long code, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, code, ifr) ? -errno : 0;
	close(fd);
	return rc;
}

int kif_mtu(const char *ifname)
{
	struct ifreq ifr = {0};
	int rc;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	rc = request(SIOCGIFMTU, &ifr);
	return rc ? rc : ifr.ifr_mtu;
}

int kif_up(const char *ifname)
{
	struct ifreq ifr = {0};
	int rc;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	rc = request(SIOCGIFFLAGS, &ifr);
	if (rc || (ifr.ifr_flags & IFF_UP))
		return rc;
	ifr.ifr_flags |= IFF_UP;
	return request(SIOCSIFFLAGS, &ifr);
}

struct addr_message {
	struct nlmsghdr nlh;
	struct ifaddrmsg ifa;
	struct {
		struct rtattr rta;
		uint32_t addr;
	} local, address, broadcast;
};

static int transact(const struct addr_message *message)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512]; /* the request, sent back */
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = send(fd, message, message->nlh.nlmsg_len, 0);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	n = n < 0 ? -errno : n;
	close(fd);
	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof(answer.nlh) + sizeof(answer.err) ||
	    answer.nlh.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.err.error;
}

int kif_addr_add(const char *ifname, rte_be32_t addr, uint8_t prefix_len)
{
	rte_be32_t host_mask = prefix_len >= 32 ? 0 : rte_cpu_to_be_32(UINT32_MAX >> prefix_len);
	struct addr_message m = {
		.nlh = {.nlmsg_len = sizeof(m),
			.nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE},
		.ifa = {.ifa_family = AF_INET,
			.ifa_prefixlen = prefix_len,
			.ifa_index = if_nametoindex(ifname)},
		.local = {{sizeof(m.local), IFA_LOCAL}, addr},
		.address = {{sizeof(m.address), IFA_ADDRESS}, addr},
		.broadcast = {{sizeof(m.broadcast), IFA_BROADCAST}, addr | host_mask},
	};

	if (m.ifa.ifa_index == 0)
		return -ENODEV;
	if (prefix_len == 0 || prefix_len > 32)
		return -EINVAL;
	if (prefix_len >= 31) /* no broadcast on so small a network */
		m.nlh.nlmsg_len = offsetof(struct addr_message, broadcast);
	return transact(&m);
}
