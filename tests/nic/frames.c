#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/nic/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ETHERTYPE_EXPERIMENTAL = 0x88b5, PATIENCE_MS = 10000 };

static struct mem mems[FRAMES_SHARD_MAX];

static const struct mem_config mem_configs[FRAMES_SHARD_MAX] = {
	{.shard = 0,
	 .numa_node = -1,
	 .data_count = 4095,
	 .small_count = 1023,
	 .large_count = 7,
	 .data_room = 2048},
	{.shard = 1,
	 .numa_node = -1,
	 .data_count = 4095,
	 .small_count = 1023,
	 .large_count = 7,
	 .data_room = 2048},
};

/* A limit for what must come, so that a test that fails also ends. */
static bool patient(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sched_yield();
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000 <
	       PATIENCE_MS;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void frames_namespace(void)
{
	unsigned uid = getuid(), gid = getgid();
	char map[64];

	if (unshare(uid == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET)) {
		perror("unshare");
		exit(1);
	}
	if (uid != 0) {
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_file("/proc/self/gid_map", map);
	}
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}

bool frames_is_root(void)
{
	unsigned inside = 1, outside = 1, count = 0;
	FILE *f = fopen("/proc/self/uid_map", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u %u %u", &inside, &outside, &count), 3);
	fclose(f);
	return getuid() == 0 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

void frames_command(const char *fmt, ...)
{
	char command[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("%s", command);
}

int frames_setup(void **state)
{
	struct nic_eal_config config = {.program = "test-nic", .single_file_segments = true};
	const char *why = "";

	(void)state;
	for (int i = 0; i < FRAMES_SHARD_MAX; i++)
		config.memory_len += mem_footprint(&mem_configs[i]);
	if (nic_eal_start(&config, &why)) {
		fprintf(stderr, "EAL: %s\n", why);
		return -1;
	}
	for (int i = 0; i < FRAMES_SHARD_MAX; i++)
		if (mem_create(&mems[i], &mem_configs[i]))
			return -1;
	return 0;
}

int frames_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < FRAMES_SHARD_MAX; i++)
		mem_destroy(&mems[i]);
	return 0;
}

struct rte_mempool *frames_pool(uint16_t shard)
{
	return mems[shard].data;
}

void frames_expect_all_home(void)
{
	struct mem_use use;

	for (int i = 0; i < FRAMES_SHARD_MAX; i++) {
		mem_use_mt(&mems[i], &use);
		assert_int_equal(use.data, 0);
		assert_int_equal(use.small, 0);
		assert_int_equal(use.large, 0);
	}
}

struct nic_port_config frames_config(const char *device)
{
	struct nic_port_config config = {.steering = NIC_STEER_AUTO};

	snprintf(config.device, sizeof(config.device), "%s", device);
	memcpy(config.rss_key, rss_key_symmetric, RSS_KEY_LEN);
	return config;
}

static int start(const struct nic_port_config *config, uint16_t shard_count, struct nic_port **out,
		 char why[NIC_WHY_LEN])
{
	struct rte_mempool *pools[FRAMES_SHARD_MAX] = {mems[0].data, mems[1].data};
	int rc = nic_port_probe(config, out, why);

	if (rc)
		return rc;
	rc = nic_port_start(*out, shard_count, pools, why);
	if (rc) {
		nic_port_close(*out);
		*out = NULL;
	}
	return rc;
}

struct nic_port *frames_open_config(const struct nic_port_config *config, uint16_t shard_count)
{
	char why[NIC_WHY_LEN] = "";
	struct nic_port *port;
	int rc = start(config, shard_count, &port, why);

	if (rc)
		fail_msg("%s: %d: %s", config->device, rc, why);
	return port;
}

struct nic_port *frames_open(const char *device, uint16_t shard_count)
{
	struct nic_port_config config = frames_config(device);

	return frames_open_config(&config, shard_count);
}

void frames_expect_refused(const struct nic_port_config *config, uint16_t shard_count, int error,
			   const char *word)
{
	char why[NIC_WHY_LEN] = "";
	struct nic_port *port;
	int rc = start(config, shard_count, &port, why);

	if (rc == 0) {
		nic_port_close(port);
		fail_msg("%s was not refused", config->device);
	}
	assert_null(port);
	if (rc > 0 || (error && rc != error) || !strstr(why, word))
		fail_msg("%d \"%s\", not %d \"%s\"", rc, why, error, word);
}

void frames_write(uint8_t *frame, uint32_t number)
{
	memset(frame, 0x5a, FRAMES_LEN);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x02\x00\x00\x00\x00\x01", 6);
	frame[12] = ETHERTYPE_EXPERIMENTAL >> 8;
	frame[13] = ETHERTYPE_EXPERIMENTAL & 0xff;
	memcpy(frame + 14, &number, sizeof(number));
}

/* Marks the frame's number, if it is one of ours; each may come only once. */
static uint32_t note(const uint8_t *frame, uint32_t len, bool seen[FRAMES_COUNT_MAX])
{
	uint32_t number;

	if (len < 18 || frame[12] != ETHERTYPE_EXPERIMENTAL >> 8 ||
	    frame[13] != (ETHERTYPE_EXPERIMENTAL & 0xff))
		return 0;
	memcpy(&number, frame + 14, sizeof(number));
	assert_int_equal(len, FRAMES_LEN);
	assert_true(number < FRAMES_COUNT_MAX);
	assert_false(seen[number]);
	assert_int_equal(frame[FRAMES_LEN - 1], 0x5a);
	seen[number] = true;
	return 1;
}

void frames_send(struct nic_port *port, uint16_t queue, uint32_t first, uint32_t count)
{
	struct timespec since;

	clock_gettime(CLOCK_MONOTONIC, &since);
	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(frames_pool(queue));

		assert_non_null(m);
		m->data_len = FRAMES_LEN;
		m->pkt_len = FRAMES_LEN;
		frames_write(rte_pktmbuf_mtod(m, uint8_t *), first + i);
		while (nic_tx_burst(port, queue, &m, 1) == 0)
			if (!patient(&since))
				fail_msg("frame %u was not taken", first + i);
	}
}

void frames_receive(struct nic_port *port, uint32_t count)
{
	bool seen[FRAMES_COUNT_MAX] = {false};
	struct rte_mbuf *pkts[32];
	struct timespec since;
	uint32_t got = 0;

	clock_gettime(CLOCK_MONOTONIC, &since);
	while (got < count && patient(&since)) {
		for (uint16_t q = 0; q < nic_port_info(port)->queue_count; q++) {
			uint16_t n = nic_rx_burst(port, q, pkts, 32);

			for (uint16_t i = 0; i < n; i++) {
				assert_ptr_equal(pkts[i]->pool, frames_pool(q));
				got += note(rte_pktmbuf_mtod(pkts[i], uint8_t *),
					    rte_pktmbuf_pkt_len(pkts[i]), seen);
				rte_pktmbuf_free(pkts[i]);
			}
		}
	}
	assert_int_equal(got, count);
}

int frames_socket(const char *ifname)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETHERTYPE_EXPERIMENTAL),
				 .sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_EXPERIMENTAL));

	assert_true(fd >= 0);
	assert_true(ll.sll_ifindex > 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ll, sizeof(ll)), 0);
	return fd;
}

void frames_socket_send(int fd, uint32_t first, uint32_t count)
{
	uint8_t frame[FRAMES_LEN];

	for (uint32_t i = 0; i < count; i++) {
		frames_write(frame, first + i);
		assert_int_equal(send(fd, frame, sizeof(frame), 0), FRAMES_LEN);
	}
}

void frames_socket_receive(int fd, uint32_t count)
{
	bool seen[FRAMES_COUNT_MAX] = {false};
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct sockaddr_ll from;
	uint8_t frame[2048];
	uint32_t got = 0;

	while (got < count && poll(&pfd, 1, PATIENCE_MS) == 1) {
		socklen_t from_len = sizeof(from);
		ssize_t n =
			recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_len);

		assert_true(n > 0);
		if (from.sll_pkttype != PACKET_OUTGOING)
			got += note(frame, (uint32_t)n, seen);
	}
	assert_int_equal(got, count);
}
