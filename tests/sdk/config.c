/* The configuration: what is taken, and the exact line with which the rest is refused. */
#include "tests/mem/cmocka_all.h"

#include "sdk/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct runtime_config config;
static char why[RUNTIME_WHY_LEN];

static int parse(const char *text)
{
	memset(why, 0, sizeof(why));
	return config_parse("file.toml", text, strlen(text), &config, why);
}

static void taken(const char *text)
{
	const int rc = parse(text);

	assert_string_equal(why, "");
	assert_int_equal(rc, 0);
}

static void refused(const char *text, const char *expected)
{
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(why, expected);
}

#define PORT "[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.1/24\"\n"

static void without_a_file_there_is_one_tap(void **state)
{
	(void)state;
	assert_int_equal(config_load(NULL, &config, why), 0);
	assert_int_equal(config.shard_count, 0);
	assert_int_equal(config.port_count, 1);
	assert_string_equal(config.ports[0].nic.device, "net_tap0,iface=clowder0");
	assert_int_equal(config.ports[0].addr.v4, inet_addr("10.99.0.2"));
	assert_int_equal(config.ports[0].prefix_len, 24);
	assert_int_equal(config.ports[0].nic.kernel_addr, inet_addr("10.99.0.1"));
	assert_int_equal(config.ports[0].nic.kernel_prefix_len, 24);
	assert_int_equal(config_load("", &config, why), 0);
	assert_int_equal(config.port_count, 1);
}

static void defaults_of_tcp_are_what_peers_expect(void **state)
{
	const uint64_t second = 1000000000;
	const struct tcp_config *tcp = &config.net.tcp;

	(void)state;
	taken("");
	assert_int_equal(tcp->rto_ns_min, second / 5);
	assert_int_equal(tcp->rto_ns_initial, second);
	assert_int_equal(tcp->rto_ns_max, 120 * second);
	assert_int_equal(tcp->msl_ns, 30 * second);
	assert_int_equal(tcp->delack_ns, second / 25);
	assert_int_equal(tcp->syn_timeout_ns, 180 * second);
	assert_int_equal(tcp->user_timeout_ns, 900 * second);
	assert_int_equal(tcp->fin_wait2_ns, 60 * second);
	assert_int_equal(tcp->keepalive_idle_ns, 7200 * second);
	assert_int_equal(tcp->keepalive_interval_ns, 75 * second);
	assert_int_equal(tcp->keepalive_count, 9);
	assert_int_equal(tcp->rcvbuf_len, 262144);
	assert_int_equal(tcp->sndbuf_len, 262144);
	assert_int_equal(tcp->conn_max, 16384);
	assert_int_equal(tcp->ttl, 64);
	assert_true(tcp->refuse_with_rst && tcp->timestamps && tcp->window_scale);
	assert_int_equal(tcp->congestion, TCP_CONGESTION_CUBIC);
	assert_false(tcp->nodelay);
}

static void every_kind_of_value_reaches_its_field(void **state)
{
	const struct rte_ether_addr mac = {{0x02, 0xab, 0xcd, 0xef, 0x01, 0x23}};

	(void)state;
	taken("[runtime]\nshards = 2\ncpus = [3, 1]\nidle = \"adaptive\"\nspin_us = 7\n"
	      "name = \"a-B_9\"\nsleep_max_ms = 3\n"
	      "[memory]\nhugepages = \"never\"\nreceive_budget_mib = 2\neal_args = \"-a b\"\n"
	      "[[port]]\ndevice = \"net_tap1,iface=x\"\naddress = \"10.1.0.1/16\"\nmtu = 9000\n"
	      "kernel_address = \"10.1.0.2/16\"\n"
	      "steering = \"software\"\nmac = \"02:ab:CD:ef:01:23\"\nqueues = 2\n"
	      "rss_key = \"000102030405060708090a0b0c0d0e0f10111213141516171819"
	      "1a1b1c1d1e1f2021222324252627\"\n"
	      "[tcp]\nnodelay = true\nttl = 9\nmsl_ms = 5\n"
	      "[telemetry]\nenabled = false\n[log]\nlevel = \"debug\"\n");
	assert_int_equal(config.shard_count, 2);
	assert_int_equal(config.cpu_count, 2);
	assert_int_equal(config.cpus[0], 3);
	assert_int_equal(config.cpus[1], 1);
	assert_int_equal(config.idle, SHARD_IDLE_ADAPTIVE);
	assert_int_equal(config.spin_ns, 7000);
	assert_int_equal(config.sleep_ns_max, 3000000);
	assert_string_equal(config.name, "a-B_9");
	assert_int_equal(config.hugepages, NIC_HUGEPAGES_NEVER);
	assert_int_equal(config.rcv_budget_len, 2 << 20);
	assert_string_equal(config.eal_args, "-a b");
	assert_int_equal(config.ports[0].nic.mtu, 9000);
	assert_int_equal(config.ports[0].nic.queue_count, 2);
	assert_int_equal(config.ports[0].nic.steering, NIC_STEER_SOFTWARE);
	assert_true(config.ports[0].nic.has_mac);
	assert_memory_equal(&config.ports[0].nic.mac, &mac, sizeof(mac));
	for (int i = 0; i < RSS_KEY_LEN; i++)
		assert_int_equal(config.ports[0].nic.rss_key[i], i);
	assert_true(config.net.tcp.nodelay);
	assert_int_equal(config.net.tcp.ttl, 9);
	assert_int_equal(config.net.tcp.msl_ns, 5000000);
	assert_false(config.telemetry);
	assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
}

static void a_port_has_its_own_defaults(void **state)
{
	(void)state;
	taken(PORT "mtu = 1400\n[[port]]\ndevice = \"net_null1\"\naddress = \"10.0.1.1/24\"\n");
	assert_int_equal(config.port_count, 2);
	assert_int_equal(config.ports[0].nic.mtu, 1400);
	assert_int_equal(config.ports[1].nic.mtu, 0);
	assert_int_equal(config.ports[1].nic.rxd, 512);
	assert_int_equal(config.ports[1].nic.rss_key[0], 0x6d);
	assert_int_equal(config.ports[1].nic.rss_key[39], 0x5a);
	assert_false(config.ports[1].nic.has_mac);
	assert_int_equal(config.ports[1].nic.kernel_prefix_len, 0);
}

static void a_route_and_a_neighbour_find_their_port(void **state)
{
	(void)state;
	taken(PORT "[[port]]\ndevice = \"net_null1\"\naddress = \"10.0.1.1/24\"\n"
		   "[[route]]\ndestination = \"0.0.0.0/0\"\ngateway = \"10.0.1.9\"\n"
		   "mtu = 1400\nmss = 1200\n"
		   "[[route]]\ndestination = \"192.168.0.0/16\"\nport = 0\n"
		   "[[neighbour]]\naddress = \"10.0.1.9\"\nmac = \"02:00:00:00:00:09\"\n");
	assert_int_equal(config.route_count, 2);
	assert_int_equal(config.routes[0].iface, 1);
	assert_int_equal(config.routes[0].prefix_len, 0);
	assert_int_equal(config.routes[0].gateway.v4, inet_addr("10.0.1.9"));
	assert_int_equal(config.routes[0].mtu, 1400);
	assert_int_equal(config.routes[0].mss, 1200);
	assert_int_equal(config.routes[1].mtu, 0);
	assert_int_equal(config.routes[1].iface, 0);
	assert_true(ip_addr_is_any(config.routes[1].gateway));
	assert_int_equal(config.neighbour_count, 1);
	assert_int_equal(config.neighbours[0].iface, 1);
	assert_true(config.neighbours[0].fixed);
}

static void demi_init_takes_the_first_cpu_and_queue_only(void **state)
{
	(void)state;
	taken("[runtime]\nshards = 4\ncpus = [4, 5, 6, 7]\n" PORT "queues = 4\n");
	config_single(&config);
	assert_int_equal(config.shard_count, 1);
	assert_int_equal(config.cpu_count, 1);
	assert_int_equal(config.cpus[0], 4);
	assert_int_equal(config.ports[0].nic.queue_count, 1);
}

static void what_is_not_toml_is_refused_with_its_place(void **state)
{
	(void)state;
	assert_int_equal(parse("[runtime]\nshards = = 2\n"), -EINVAL);
	assert_memory_equal(why, "file.toml:2: found at column 10 what is not TOML: ", 50);
	assert_int_equal(parse("runtime:\n  shards: 2\n"), -EINVAL);
	assert_memory_equal(why, "file.toml:1: found at column 8 what is not TOML: ", 49);
	assert_int_equal(parse("[runtime]\nshards = 1\nshards = 2\n"), -EINVAL);
	assert_memory_equal(why, "file.toml:3: ", 13);
	refused("[tcp]\nttl = 1\n\n[=udp]\n[log]\n", "file.toml:4: found at column 1 what is not "
						     "TOML: a character that cannot be there");
	refused("[=", "file.toml:1: found at column 1 what is not TOML: a character that cannot be "
		      "there");
	assert_int_equal(parse("[tcp]\nttl = 99999999999999999999999\n"), -EINVAL);
	assert_memory_equal(why, "file.toml:2: ", 13);
	/* U+FF7F, of which toml++ does not know whether it is white */
	assert_int_equal(parse("[tcp]\n\xef\xbd\xbf = 1\n"), -EINVAL);
	assert_memory_equal(why, "file.toml:2: found at column 1 what is not TOML: ", 49);
}

static void an_unknown_key_names_the_nearest_one(void **state)
{
	(void)state;
	refused("[udp]\n\nqueue_packet = 2\n",
		"file.toml:3: [udp] queue_packet: unknown key, did you mean \"queue_packets\"? "
		"allowed: socket_max, queue_packets");
	refused("[icmp]\nzzzzzzzz = 2\n",
		"file.toml:2: [icmp] zzzzzzzz: unknown key; allowed: per_second");
	refused("[icmp.more]\nx = 2\n",
		"file.toml:1: [icmp] more: unknown key; allowed: per_second");
}

static void an_unknown_section_names_the_nearest_one(void **state)
{
	(void)state;
	refused("[tpc]\nttl = 1\n",
		"file.toml:1: [tpc]: unknown section, did you mean \"tcp\"?; allowed: [runtime], "
		"[memory], [[port]], [[route]], [[neighbour]], [tcp], [udp], [ip], [icmp], "
		"[telemetry], "
		"[log]");
	refused("shards = 2\n",
		"file.toml:1: shards: found outside all sections; allowed: keys below a line such "
		"as [runtime]");
}

static void brackets_must_be_as_many_as_the_section_has(void **state)
{
	(void)state;
	refused("[port]\nmtu = 1500\n", "file.toml:1: port: found [port]; allowed: [[port]]");
	refused("[[tcp]]\nttl = 1\n", "file.toml:1: tcp: found [[tcp]]; allowed: [tcp]");
}

static void a_number_is_whole_and_in_range(void **state)
{
	(void)state;
	refused("[tcp]\nttl = 0\n",
		"file.toml:2: [tcp] ttl: found 0; allowed: a whole number, 1 to 255 hops");
	refused("[tcp]\nttl = 256\n",
		"file.toml:2: [tcp] ttl: found 256; allowed: a whole number, 1 to 255 hops");
	refused("[tcp]\nttl = -1\n",
		"file.toml:2: [tcp] ttl: found -1; allowed: a whole number, 1 to 255 hops");
	refused("[tcp]\nttl = 1.5\n",
		"file.toml:2: [tcp] ttl: found 1.5; allowed: a whole number, 1 to 255 hops");
	refused("[tcp]\nttl = \"64\"\n",
		"file.toml:2: [tcp] ttl: found \"64\"; allowed: a whole number, 1 to 255 hops");
	refused("[tcp]\nttl = 2020-01-01\n",
		"file.toml:2: [tcp] ttl: found a date or time; allowed: a whole number, 1 to 255 "
		"hops");
	refused("[tcp]\nttl = [1, \"a\"]\n",
		"file.toml:2: [tcp] ttl: found an array; allowed: a whole number, 1 to 255 hops");
	refused("[runtime]\nmailbox_entries = 100\n",
		"file.toml:2: [runtime] mailbox_entries: found 100; allowed: a power of two");
}

static void shards_are_a_number_or_auto(void **state)
{
	(void)state;
	taken("[runtime]\nshards = \"auto\"\n");
	assert_int_equal(config.shard_count, 0);
	taken("[runtime]\nshards = 64\n");
	assert_int_equal(config.shard_count, 64);
	refused("# comment\n[runtime]\nshards = 65\n",
		"file.toml:3: [runtime] shards: found 65; allowed: a whole number, 1 to 64, or "
		"\"auto\"");
	refused("[runtime]\nshards = \"many\"\n",
		"file.toml:2: [runtime] shards: found \"many\"; allowed: a whole number, 1 to 64, "
		"or \"auto\"");
	refused("[runtime]\nshards = 3\ncpus = [0, 1]\n",
		"file.toml:3: [runtime] cpus: found 2 cpus for 3 shards; allowed: a cpu for every "
		"shard, or no such line");
	refused("[runtime]\ncpus = [0, 0]\n", "file.toml:2: [runtime] cpus: found [0, 0]; allowed: "
					      "a list of at most 64 different "
					      "whole numbers, 0 to 4095");
	refused("[runtime]\ncpus = []\n",
		"file.toml:2: [runtime] cpus: found []; allowed: a list of at most 64 different "
		"whole numbers, 0 to 4095");
	refused("[runtime]\ncpus = [-1]\n",
		"file.toml:2: [runtime] cpus: found [-1]; allowed: a list of at most 64 different "
		"whole numbers, 0 to 4095");
}

static void words_and_flags_and_texts_are_checked(void **state)
{
	(void)state;
	refused("[runtime]\nidle = \"sleep\"\n",
		"file.toml:2: [runtime] idle: found \"sleep\"; allowed: \"auto\", \"poll\", "
		"\"yield\", \"adaptive\"");
	refused("[runtime]\nidle = \"pol\"\n",
		"file.toml:2: [runtime] idle: found \"pol\"; allowed: \"auto\", \"poll\", "
		"\"yield\", \"adaptive\"");
	refused("[tcp]\nnodelay = 1\n",
		"file.toml:2: [tcp] nodelay: found 1; allowed: true or false");
	refused("[runtime]\nname = \"a b\"\n",
		"file.toml:2: [runtime] name: found \"a b\"; allowed: a text of 1 to 31 letters, "
		"digits, '-' or '_'");
	refused("[runtime]\nname = \"\"\n",
		"file.toml:2: [runtime] name: found \"\"; allowed: a text of 1 to 31 letters, "
		"digits, '-' or '_'");
	refused("[memory]\neal_args = \"a\\nb\"\n",
		"file.toml:2: [memory] eal_args: found \"a?b\"; allowed: a text of 0 to 255 bytes");
}

static void an_address_of_a_port_is_a_hosts(void **state)
{
	const char *const bad[] = {"10.0.0.0/24", "10.0.0.255/24", "224.0.0.1/24",
				   "127.0.0.1/8", "255.1.1.1/8",   "0.0.0.0/8"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[200], expected[300];

		snprintf(text, sizeof(text), "[[port]]\ndevice = \"net_null0\"\naddress = \"%s\"\n",
			 bad[i]);
		snprintf(expected, sizeof(expected),
			 "file.toml:3: [[port]] address: found \"%s\"; allowed: a host's address: "
			 "not the network's own, broadcast, multicast or loopback",
			 bad[i]);
		refused(text, expected);
	}
	taken("[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.0/31\"\n");
	refused("[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.1\"\n",
		"file.toml:3: [[port]] address: found \"10.0.0.1\"; allowed: an IPv4 address and "
		"prefix length, 1 to 32, such as \"10.99.0.2/24\"");
	refused("[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.1/33\"\n",
		"file.toml:3: [[port]] address: found \"10.0.0.1/33\"; allowed: an IPv4 address "
		"and "
		"prefix length, 1 to 32, such as \"10.99.0.2/24\"");
	refused("[[port]]\ndevice = \"net_null0\"\naddress = \"10.0.0.256/8\"\n",
		"file.toml:3: [[port]] address: found \"10.0.0.256/8\"; allowed: an IPv4 address "
		"and prefix length, 1 to 32, such as \"10.99.0.2/24\"");
}

static void what_a_port_needs_must_be_there(void **state)
{
	(void)state;
	refused("[[port]]\ndevice = \"net_null0\"\n",
		"file.toml:1: [[port]] address: found nothing, it is required; allowed: an IPv4 "
		"address and prefix length, 1 to 32, such as \"10.99.0.2/24\"");
	refused(PORT "\n[[port]]\naddress = \"10.0.1.1/24\"\n",
		"file.toml:5: [[port]] device: found nothing, it is required; allowed: a text of 1 "
		"to 255 bytes");
}

static void two_ports_are_two_devices_with_two_addresses(void **state)
{
	(void)state;
	refused(PORT "[[port]]\ndevice = \"net_null0,size=64\"\naddress = \"10.0.1.1/24\"\n",
		"file.toml:5: [[port]] device: found \"net_null0,size=64\" twice; allowed: a "
		"device "
		"that no other [[port]] has");
	refused(PORT "[[port]]\ndevice = \"net_null1\"\naddress = \"10.0.0.1/24\"\n",
		"file.toml:6: [[port]] address: found \"10.0.0.1\" twice; allowed: an address that "
		"no other [[port]] has");
}

static void more_sections_than_there_is_room_for_are_refused(void **state)
{
	char text[4096] = "";

	(void)state;
	for (int i = 0; i < NIC_PORT_MAX + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "[[port]]\ndevice = \"net_null%d\"\naddress = \"10.0.%d.1/24\"\n", i, i);
	refused(text, "file.toml:49: [[port]]: found 17 of them; allowed: at most 16");
}

static void the_rest_of_a_port_fits_together(void **state)
{
	(void)state;
	refused(PORT "mtu = 100\n",
		"file.toml:4: [[port]] mtu: found 100; allowed: 0 (the device's), or 576 to 9216 "
		"bytes");
	refused("[memory]\ndata_room = 1500\n" PORT "mtu = 1500\n",
		"file.toml:2: [memory] data_room: found 1500 with an mtu of 1500; allowed: 0, or "
		"at "
		"least the mtu of every [[port]] + 18 bytes");
	refused("[runtime]\nshards = 2\n" PORT "queues = 3\n",
		"file.toml:6: [[port]] queues: found 3 with 2 shards; allowed: at most one queue "
		"pair per shard of [runtime] shards");
	refused(PORT "kernel_address = \"10.0.0.2/24\"\n",
		"file.toml:4: [[port]] kernel_address: found device \"net_null0\"; allowed: "
		"nothing "
		"here: only a net_tap device has a kernel side");
	refused("[[port]]\ndevice = \"net_tap0\"\naddress = \"10.0.0.1/24\"\n"
		"kernel_address = \"10.0.1.2/24\"\n",
		"file.toml:4: [[port]] kernel_address: found \"10.0.1.2/24\" beside "
		"\"10.0.0.1/24\"; allowed: a host's address in the port's network, other than the "
		"port's own");
	refused(PORT "mac = \"01:00:00:00:00:01\"\n",
		"file.toml:4: [[port]] mac: found \"01:00:00:00:00:01\"; allowed: a unicast MAC "
		"address such as \"02:00:00:00:00:01\"");
	refused(PORT "rss_key = \"6d5a\"\n",
		"file.toml:4: [[port]] rss_key: found \"6d5a\"; allowed: 80 hexadecimal digits");
}

static void a_gateway_and_a_neighbour_are_on_a_link(void **state)
{
	(void)state;
	refused(PORT "[[route]]\ndestination = \"0.0.0.0/0\"\ngateway = \"10.9.0.1\"\n",
		"file.toml:6: [[route]] gateway: found \"10.9.0.1\"; allowed: an address in the "
		"network of a [[port]]");
	refused(PORT "[[route]]\ndestination = \"10.5.0.1/16\"\n",
		"file.toml:5: [[route]] destination: found \"10.5.0.1/16\"; allowed: a network: "
		"zeros after the prefix");
	refused(PORT "[[route]]\ndestination = \"10.5.0.0/16\"\nport = 1\n",
		"file.toml:6: [[route]] port: found 1; allowed: the number of a [[port]], from 0");
	refused(PORT "[[neighbour]]\naddress = \"10.9.0.1\"\nmac = \"02:00:00:00:00:01\"\n",
		"file.toml:5: [[neighbour]] address: found \"10.9.0.1\"; allowed: an address in "
		"the "
		"network of a [[port]]");
}

static void times_of_tcp_are_in_order(void **state)
{
	(void)state;
	refused("[tcp]\nrto_min_ms = 2000\nrto_max_ms = 1000\n",
		"file.toml:2: [tcp] rto_min_ms: found 2000; allowed: at most rto_max_ms");
	refused("[tcp]\nrto_min_ms = 2000\n",
		"file.toml:1: [tcp] rto_initial_ms: found 1000; allowed: rto_min_ms to rto_max_ms");
	refused("[tcp]\nport_low = 2000\nport_high = 1999\n",
		"file.toml:2: [tcp] port_low: found 2000; allowed: at most port_high");
	refused("[tcp]\ntos = 3\n", "file.toml:2: [tcp] tos: found 3; allowed: a multiple of 4: "
				    "the last two bits are ECN's");
}

static void the_first_wrong_line_is_the_one_that_is_named(void **state)
{
	(void)state;
	refused("[udp]\nqueue_packets = 0\n[tcp]\nttl = 0\n[icmp]\nx = 1\n",
		"file.toml:2: [udp] queue_packets: found 0; allowed: a whole number, 1 to 65536");
}

static void a_long_found_text_leaves_room_for_what_is_allowed(void **state)
{
	char text[3000] = "[runtime]\nname = \"", *end = text + strlen(text);

	(void)state;
	memset(end, 'x', 2000);
	strcpy(end + 2000, "\"\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(why, "\"; allowed: a text of 1 to 31 letters"));
}

static void a_file_is_read_from_disk(void **state)
{
	const char text[] = "[runtime]\nshards = 5\n";
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/clowder-config-%d", (int)getpid());
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(config_load(path, &config, why), 0);
	assert_int_equal(config.shard_count, 5);
	unlink(path);
	assert_int_equal(config_load(path, &config, why), -EINVAL);
	assert_non_null(strstr(why, "No such file or directory"));
	assert_int_equal(config_load("/tmp", &config, why), -EINVAL);
	assert_non_null(strstr(why, "Is a directory"));
}

static void the_example_is_the_default_with_two_shards(void **state)
{
	struct runtime_config *builtin = calloc(1, sizeof(*builtin));

	(void)state;
	assert_int_equal(config_load(NULL, builtin, why), 0);
	assert_int_equal(config_load(CONFIG_EXAMPLE, &config, why), 0);
	assert_int_equal(config.shard_count, 2);
	builtin->shard_count = 2;
	assert_memory_equal(&config, builtin, sizeof(config));
	free(builtin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_there_is_one_tap),
		cmocka_unit_test(defaults_of_tcp_are_what_peers_expect),
		cmocka_unit_test(every_kind_of_value_reaches_its_field),
		cmocka_unit_test(a_port_has_its_own_defaults),
		cmocka_unit_test(a_route_and_a_neighbour_find_their_port),
		cmocka_unit_test(demi_init_takes_the_first_cpu_and_queue_only),
		cmocka_unit_test(what_is_not_toml_is_refused_with_its_place),
		cmocka_unit_test(an_unknown_key_names_the_nearest_one),
		cmocka_unit_test(an_unknown_section_names_the_nearest_one),
		cmocka_unit_test(brackets_must_be_as_many_as_the_section_has),
		cmocka_unit_test(a_number_is_whole_and_in_range),
		cmocka_unit_test(shards_are_a_number_or_auto),
		cmocka_unit_test(words_and_flags_and_texts_are_checked),
		cmocka_unit_test(an_address_of_a_port_is_a_hosts),
		cmocka_unit_test(what_a_port_needs_must_be_there),
		cmocka_unit_test(two_ports_are_two_devices_with_two_addresses),
		cmocka_unit_test(more_sections_than_there_is_room_for_are_refused),
		cmocka_unit_test(the_rest_of_a_port_fits_together),
		cmocka_unit_test(a_gateway_and_a_neighbour_are_on_a_link),
		cmocka_unit_test(times_of_tcp_are_in_order),
		cmocka_unit_test(the_first_wrong_line_is_the_one_that_is_named),
		cmocka_unit_test(a_long_found_text_leaves_room_for_what_is_allowed),
		cmocka_unit_test(a_file_is_read_from_disk),
		cmocka_unit_test(the_example_is_the_default_with_two_shards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
