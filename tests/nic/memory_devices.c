/* Devices that are memory: net_ring, net_null, net_pcap, and vhost with virtio-user as its peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/nic/frames.h"

#include <errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/clowder-nic-XXXXXX";

static void a_ring_gives_back_what_was_sent(void **state)
{
	(void)state;
	for (uint16_t shards = 1; shards <= 2; shards++) {
		struct nic_port *port = frames_open("net_ring0", shards);

		assert_int_equal(nic_port_info(port)->queue_count, shards);
		assert_true(rte_is_valid_assigned_ether_addr(&nic_port_info(port)->mac));
		assert_int_equal(nic_port_info(port)->mtu, 1500);
		for (uint16_t q = 0; q < shards; q++)
			frames_send(port, q, q * 100u, 100);
		frames_receive(port, shards * 100u);
		nic_port_close(port);
		frames_expect_all_home();
	}
}

static void frames_left_in_a_ring_come_home_when_it_closes(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct nic_port *port = frames_open("net_ring0", 2);

		frames_send(port, 0, 0, 200);
		frames_send(port, 1, 0, 200);
		nic_port_close(port);
		frames_expect_all_home();
	}
}

static void a_full_ring_refuses_and_loses_nothing(void **state)
{
	struct nic_port *port = frames_open("net_ring0", 1);
	struct rte_mbuf *pkts[32];
	uint32_t sent = 0, received = 0;
	uint16_t n, taken;

	(void)state;
	do {
		assert_int_equal(rte_pktmbuf_alloc_bulk(frames_pool(0), pkts, 32), 0);
		taken = nic_tx_burst(port, 0, pkts, 32);
		sent += taken;
		rte_pktmbuf_free_bulk(pkts + taken, 32u - taken);
	} while (taken == 32 && sent < 4096);
	assert_true(sent < 4096);
	while ((n = nic_rx_burst(port, 0, pkts, 32)) > 0) {
		received += n;
		rte_pktmbuf_free_bulk(pkts, n);
	}
	assert_int_equal(received, sent);
	nic_port_close(port);
	frames_expect_all_home();
}

/* As a program does that hands Clowder a port of its own making. */
static void a_port_that_is_there_already_is_adopted_and_left_there(void **state)
{
	struct rte_ring *wire[2];
	int rc;

	(void)state;
	wire[0] = rte_ring_create("wire0", 256, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	wire[1] = rte_ring_create("wire1", 256, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	assert_non_null(wire[0]);
	assert_non_null(wire[1]);
	assert_true(rte_eth_from_rings("peera", &wire[0], 1, &wire[1], 1, 0) >= 0);
	assert_true(rte_eth_from_rings("peerb", &wire[1], 1, &wire[0], 1, 0) >= 0);
	for (int i = 0; i < 2; i++) {
		struct nic_port *a = frames_open("net_ring_peera", 1);
		struct nic_port *b = frames_open("net_ring_peerb", 1);
		struct nic_port_config config = frames_config("net_ring_peera");

		frames_expect_refused(&config, 1, -EEXIST, "another port's");
		frames_send(a, 0, 0, 100);
		frames_receive(b, 100);
		frames_send(b, 0, 0, 100);
		frames_receive(a, 100);
		nic_port_close(a);
		nic_port_close(b);
		frames_expect_all_home();
	}
	for (int i = 0; i < 2; i++) {
		uint16_t id;

		assert_int_equal(
			rte_eth_dev_get_port_by_name(i ? "net_ring_peerb" : "net_ring_peera", &id),
			0);
		rc = rte_eth_dev_close(id);
		assert_int_equal(rc, 0);
		rte_ring_free(wire[i]);
	}
}

static void the_null_device_passes_the_probe_until_a_packet_contradicts(void **state)
{
	struct nic_port *port = frames_open("net_null0", 2);

	(void)state;
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_HARDWARE);
	assert_int_equal(nic_port_info(port)->reta_size, 128);
	assert_true(nic_port_info(port)->rss_hf & RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	assert_true(nic_port_link_up_mt(port));
	assert_true(nic_port_trusted_mt(port));
	nic_port_distrust_mt(port);
	nic_port_distrust_mt(port);
	assert_false(nic_port_trusted_mt(port));
	nic_port_close(port);
	frames_expect_all_home();
}

static void the_null_device_takes_and_makes_any_number_of_packets(void **state)
{
	struct nic_port *port = frames_open("net_null0", 2);
	struct rte_mbuf *pkts[32];

	(void)state;
	assert_int_equal(nic_port_info(port)->queue_count, 2);
	assert_false(nic_port_info(port)->tx_multi_segs);
	frames_send(port, 1, 0, 250);
	for (int i = 0; i < 100; i++) {
		uint16_t n = nic_rx_burst(port, 1, pkts, 32);

		assert_int_equal(n, 32);
		rte_pktmbuf_free_bulk(pkts, n);
	}
	nic_port_close(port);
	frames_expect_all_home();
}

static void steering_that_cannot_be_hardware_says_why(void **state)
{
	struct nic_port_config config = frames_config("net_null0");
	struct nic_port *port;

	(void)state;
	config.steering = NIC_STEER_SOFTWARE;
	port = frames_open_config(&config, 2);
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
	assert_string_equal(nic_port_info(port)->why, "configured so");
	assert_false(nic_port_trusted_mt(port));
	nic_port_close(port);

	config.steering = NIC_STEER_AUTO;
	config.queue_count = 1;
	port = frames_open_config(&config, 2);
	assert_int_equal(nic_port_info(port)->queue_count, 1);
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
	assert_non_null(strstr(nic_port_info(port)->why, "1 queue for 2 shards"));
	nic_port_close(port);

	config.steering = NIC_STEER_HARDWARE;
	snprintf(config.device, sizeof(config.device), "net_ring0");
	config.queue_count = 0;
	port = frames_open_config(&config, 2);
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
	assert_non_null(strstr(nic_port_info(port)->why, "reta size 0"));
	assert_non_null(strstr(nic_port_info(port)->why, "sender picks"));
	nic_port_close(port);
	frames_expect_all_home();
}

static void write_capture(const char *path, uint32_t count)
{
	const uint32_t file[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(file, sizeof(file), 1, f);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t record[4] = {i, 0, FRAMES_LEN, FRAMES_LEN};
		uint8_t frame[FRAMES_LEN];

		frames_write(frame, i);
		fwrite(record, sizeof(record), 1, f);
		fwrite(frame, sizeof(frame), 1, f);
	}
	assert_int_equal(fclose(f), 0);
}

static void a_capture_is_read_and_another_is_written(void **state)
{
	char device[NIC_DEVICE_LEN], in[64], out[64];
	struct nic_port *port;
	struct stat st;

	(void)state;
	snprintf(in, sizeof(in), "%s/in.pcap", dir);
	snprintf(out, sizeof(out), "%s/out.pcap", dir);
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,tx_pcap=%s", in, out);
	for (int i = 0; i < 2; i++) {
		write_capture(in, 60);
		port = frames_open(device, 2);
		assert_int_equal(nic_port_info(port)->queue_count, 1);
		assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
		frames_receive(port, 60);
		frames_send(port, 0, 0, 40);
		nic_port_close(port);
		frames_expect_all_home();
		assert_int_equal(stat(out, &st), 0);
		assert_int_equal(st.st_size, 24 + 40 * (16 + FRAMES_LEN));
	}
	unlink(in);
	unlink(out);
}

static void virtio_user_and_vhost_exchange_frames(void **state)
{
	char vhost[NIC_DEVICE_LEN], user[NIC_DEVICE_LEN], path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/vhost.sock", dir);
	snprintf(vhost, sizeof(vhost), "net_vhost0,iface=%s", path);
	snprintf(user, sizeof(user), "net_virtio_user0,path=%s", path);
	for (int i = 0; i < 4; i++) {
		uint16_t shards = 1 + i % 2;
		struct nic_port *a = frames_open(vhost, shards), *b = frames_open(user, shards);

		assert_int_equal(nic_port_info(a)->queue_count, shards);
		assert_int_equal(nic_port_info(b)->queue_count, shards);
		for (uint16_t q = 0; q < shards; q++)
			frames_send(b, q, q * 100u, 100);
		frames_receive(a, shards * 100u);
		for (uint16_t q = 0; q < shards; q++)
			frames_send(a, q, q * 100u, 100);
		frames_receive(b, shards * 100u);
		nic_port_close(b);
		nic_port_close(a);
		frames_expect_all_home();
	}
}

static void a_socket_file_that_nobody_listens_on_is_no_obstacle(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char vhost[NIC_DEVICE_LEN];
	struct nic_port *port;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/stale.sock", dir);
	snprintf(vhost, sizeof(vhost), "net_vhost0,iface=%s", sun.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	port = frames_open(vhost, 1);
	nic_port_close(port);
	unlink(sun.sun_path);
	frames_expect_all_home();
}

static void more_queues_than_shards_are_refused_where_the_peer_would_use_them(void **state)
{
	struct nic_port_config config = frames_config("net_vhost0,queues=4");
	size_t len = strlen(config.device);

	(void)state;
	snprintf(config.device + len, sizeof(config.device) - len, ",iface=%s/q.sock", dir);
	frames_expect_refused(&config, 2, -EINVAL, "queues=4");
	frames_expect_all_home();
}

static void what_cannot_be_opened_says_why(void **state)
{
	static const struct {
		const char *device, *word;
		uint16_t mtu;
	} wrong[] = {
		{"", "no name", 0},
		{"clowder0", "neither a PCI address", 0},
		{"net_nosuch0", "net_nosuch0", 0},
		{"net_ring0,nodeactoin=x", "nodeactoin", 0},
		{"net_null0,size=", "net_null0", 0},
		{"net_tap0,iface=anamethatistoolongforlinux", "longer than 15", 0},
		{"net_af_packet0,iface=nosuchinterface0", "net_af_packet0", 0},
		{"net_af_packet0", "net_af_packet0", 0},
		{"net_virtio_user0,path=/nonexistent/socket", "net_virtio_user0", 0},
		{"net_virtio_user0", "net_virtio_user0", 0},
		{"net_pcap0,rx_pcap=/nonexistent/file", "net_pcap0", 0},
		{"net_memif0,role=nonsense", "net_memif0", 0},
		{"0000:ff:1f.7", "0000:ff:1f.7", 0},
		{"net_ring0", "buffers of", 3000},
		{"net_ring0", "mtu 60", 60},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct nic_port_config config = frames_config(wrong[i].device);

		config.mtu = wrong[i].mtu;
		frames_expect_refused(&config, 2, 0, wrong[i].word);
		frames_expect_all_home();
	}
}

static void a_device_that_is_not_there_is_no_device(void **state)
{
	struct nic_port_config config = frames_config("0000:ff:1f.7");

	(void)state;
	frames_expect_refused(&config, 1, -ENODEV, "0000:ff:1f.7");
	config = frames_config("net_nosuch0");
	frames_expect_refused(&config, 1, -ENODEV, "net_nosuch0");
	frames_expect_all_home();
}

static void a_multicast_address_is_nobodys_own(void **state)
{
	struct nic_port_config config = frames_config("net_ring0");

	(void)state;
	config.has_mac = true;
	memset(&config.mac, 0xff, sizeof(config.mac));
	frames_expect_refused(&config, 1, -EINVAL, "unicast");
	frames_expect_all_home();
}

static void sum(const char *name, uint64_t value, void *arg)
{
	if (strcmp(name, "tx_good_packets") == 0)
		*(uint64_t *)arg += value;
}

static void device_counters_have_names(void **state)
{
	struct nic_port *port = frames_open("net_ring0", 1);
	uint64_t packets = 0;

	(void)state;
	frames_send(port, 0, 0, 7);
	nic_port_xstats_mt(port, sum, &packets);
	assert_int_equal(packets, 7);
	nic_port_close(port);
	frames_expect_all_home();
}

static void closing_no_port_is_allowed(void **state)
{
	(void)state;
	nic_port_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_gives_back_what_was_sent),
		cmocka_unit_test(frames_left_in_a_ring_come_home_when_it_closes),
		cmocka_unit_test(a_full_ring_refuses_and_loses_nothing),
		cmocka_unit_test(a_port_that_is_there_already_is_adopted_and_left_there),
		cmocka_unit_test(the_null_device_passes_the_probe_until_a_packet_contradicts),
		cmocka_unit_test(the_null_device_takes_and_makes_any_number_of_packets),
		cmocka_unit_test(steering_that_cannot_be_hardware_says_why),
		cmocka_unit_test(a_capture_is_read_and_another_is_written),
		cmocka_unit_test(virtio_user_and_vhost_exchange_frames),
		cmocka_unit_test(a_socket_file_that_nobody_listens_on_is_no_obstacle),
		cmocka_unit_test(more_queues_than_shards_are_refused_where_the_peer_would_use_them),
		cmocka_unit_test(what_cannot_be_opened_says_why),
		cmocka_unit_test(a_device_that_is_not_there_is_no_device),
		cmocka_unit_test(a_multicast_address_is_nobodys_own),
		cmocka_unit_test(device_counters_have_names),
		cmocka_unit_test(closing_no_port_is_allowed),
	};
	int failed;

	frames_namespace();
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, frames_setup, frames_teardown);
	rmdir(dir);
	return failed;
}
