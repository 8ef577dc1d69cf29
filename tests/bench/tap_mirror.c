/*
 * The ceiling of bench_echo: what net_tap and the kernel's client alone leave room for. Answers
 * every TCP segment out of its own bytes, with no connection, no timer and no memory of anything:
 * what a real stack costs is the difference. For a peer that loses nothing.
 *
 *      tap_mirror INTERFACE ADDRESS KERNEL_ADDRESS     (/24)
 *
 * Ends with 0 on SIGINT or SIGTERM.
 */
#include "mem/mem.h"
#include "nic/nic.h"

#include <arpa/inet.h>
#include <rte_arp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BURST = 64, ISS = 0x10000000, OPTION_TIMESTAMPS = 8 };

static volatile sig_atomic_t stop;
static struct rte_ether_addr mac;
static rte_be32_t address;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void turn_ethernet(struct rte_ether_hdr *eth)
{
	eth->dst_addr = eth->src_addr;
	eth->src_addr = mac;
}

static bool mirror_arp(struct rte_ether_hdr *eth)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);

	if (arp->arp_opcode != htons(RTE_ARP_OP_REQUEST) || arp->arp_data.arp_tip != address)
		return false;
	turn_ethernet(eth);
	arp->arp_opcode = htons(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = mac;
	arp->arp_data.arp_sip = address;
	return true;
}

/* Our clock is the peer's: its own value back as ours, and as the echo. */
static void mirror_timestamps(struct rte_tcp_hdr *tcp, uint32_t options_len)
{
	uint8_t *option = (uint8_t *)(tcp + 1), *end = option + options_len;

	while (option + 10 <= end) {
		if (option[0] == OPTION_TIMESTAMPS) {
			memcpy(option + 6, option + 2, 4);
			return;
		}
		option += option[0] <= 1 ? 1 : option[1];
	}
}

static bool mirror_tcp(struct rte_mbuf *m, struct rte_ether_hdr *eth)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t header_len = (tcp->data_off >> 4) * 4u;
	uint32_t len = ntohs(ip->total_length) - sizeof(*ip) - header_len;
	bool syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG, fin = tcp->tcp_flags & RTE_TCP_FIN_FLAG;
	rte_be32_t seq = tcp->sent_seq, addr = ip->src_addr;
	rte_be16_t port = tcp->src_port;

	if (ip->next_proto_id != IPPROTO_TCP || ip->dst_addr != address || (!len && !syn && !fin))
		return false;
	turn_ethernet(eth);
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = addr;
	tcp->src_port = tcp->dst_port;
	tcp->dst_port = port;
	tcp->sent_seq = syn ? htonl(ISS) : tcp->recv_ack;
	tcp->recv_ack = htonl(ntohl(seq) + len + syn + fin);
	tcp->tcp_flags |= RTE_TCP_ACK_FLAG;
	tcp->rx_win = htons(32768);
	mirror_timestamps(tcp, header_len - sizeof(*tcp));
	ip->hdr_checksum = tcp->cksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - sizeof(*eth) - ntohs(ip->total_length)));
	return true;
}

static bool mirror(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	if (eth->ether_type == htons(RTE_ETHER_TYPE_ARP))
		return mirror_arp(eth);
	return eth->ether_type == htons(RTE_ETHER_TYPE_IPV4) && mirror_tcp(m, eth);
}

static void run(struct nic_port *port)
{
	struct rte_mbuf *in[BURST], *out[BURST];

	while (!stop) {
		uint16_t n = nic_rx_burst(port, 0, in, BURST), count = 0, sent;

		for (uint16_t i = 0; i < n; i++) {
			if (mirror(in[i]))
				out[count++] = in[i];
			else
				rte_pktmbuf_free(in[i]);
		}
		for (sent = 0; sent < count && !stop;)
			sent += nic_tx_burst(port, 0, out + sent, count - sent);
	}
}

static struct nic_port *open_tap(const char *interface, const char *kernel_address)
{
	static struct mem mem;
	struct nic_eal_config eal = {.program = "tap_mirror", .memory_len = 64u << 20};
	struct mem_config memory = {.numa_node = -1,
				    .data_count = 4095,
				    .small_count = 1023,
				    .large_count = 7,
				    .data_room = 2048};
	struct nic_port_config config = {.queue_count = 1, .kernel_prefix_len = 24};
	struct nic_port *port;
	char why[NIC_WHY_LEN];
	const char *eal_why = "";

	snprintf(config.device, sizeof(config.device), "net_tap0,iface=%s", interface);
	inet_pton(AF_INET, kernel_address, &config.kernel_addr);
	if (nic_eal_start(&eal, &eal_why) || mem_create(&mem, &memory)) {
		fprintf(stderr, "tap_mirror: %s\n", eal_why);
		exit(1);
	}
	if (nic_port_probe(&config, &port, why) || nic_port_start(port, 1, &mem.data, why)) {
		fprintf(stderr, "tap_mirror: %s\n", why);
		exit(1);
	}
	return port;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct nic_port *port;

	if (argc != 4 || inet_pton(AF_INET, argv[2], &address) != 1) {
		fprintf(stderr, "usage: tap_mirror INTERFACE ADDRESS KERNEL_ADDRESS\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	port = open_tap(argv[1], argv[3]);
	mac = nic_port_info(port)->mac;
	printf("tap_mirror: ready\n");
	fflush(stdout);
	run(port);
	nic_port_close(port);
	return 0;
}
