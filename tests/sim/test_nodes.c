/* Networks of nodes: open wire ends, switches, many shards, and devices in a bad mood. */
#include "tests/sim/harness.h"

#include <arpa/inet.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <stdlib.h>

static const struct timespec once = {0, 0};

/* --- an open wire end --- */
enum { PEER_PORT = 4000, FRAME_LEN = 54 };
static const uint8_t peer_mac[6] = {2, 9, 9, 9, 9, 9};

static const char with_neighbour[] =
	"[[port]]\ndevice = \"sim0\"\naddress = \"10.0.0.1/24\"\n"
	"[[neighbour]]\naddress = \"10.0.0.9\"\nmac = \"02:09:09:09:09:09\"\n";

/* A segment from 10.0.0.9 to the first host, whose MAC address is 02:00:00:00:00:00. */
static void make_segment(uint8_t *frame, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	memset(frame, 0, FRAME_LEN);
	eth->dst_addr.addr_bytes[0] = 2;
	memcpy(eth->src_addr.addr_bytes, peer_mac, sizeof(peer_mac));
	eth->ether_type = htons(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = htons(40);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_TCP;
	ip->src_addr = inet_addr("10.0.0.9");
	ip->dst_addr = inet_addr("10.0.0.1");
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->src_port = htons(PEER_PORT);
	tcp->dst_port = htons(ECHO_PORT);
	tcp->sent_seq = htonl(seq);
	tcp->recv_ack = htonl(ack);
	tcp->data_off = 5 << 4;
	tcp->tcp_flags = flags;
	tcp->rx_win = htons(8000);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
}

/* The next TCP segment that came out, if any; its time. */
static uint64_t take_segment(struct demi_sim *world, int end, struct rte_tcp_hdr *out)
{
	uint8_t frame[2000];
	uint64_t at_ns;
	size_t len;

	while (demi_sim_take(world, end, frame, sizeof(frame), &len, &at_ns) == 0) {
		const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);

		if (eth->ether_type != htons(RTE_ETHER_TYPE_IPV4) ||
		    ip->next_proto_id != IPPROTO_TCP)
			continue;
		memcpy(out, ip + 1, sizeof(*out));
		return at_ns;
	}
	fail_msg("no segment came");
	return 0;
}

static void frames_made_by_hand_open_a_connection_on_an_open_end(void **state)
{
	const struct demi_sim_host_options options = {.size = sizeof(options),
						      .config = with_neighbour};
	struct demi_sim_path wire = {.size = sizeof(wire), .delay_ns = 500};
	uint8_t frame[FRAME_LEN];
	struct rte_tcp_hdr tcp;
	struct demi_sim *world;
	int host, end, link, qd;
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	assert_int_equal(demi_sim_create(&world, 11), 0);
	assert_int_equal(demi_sim_host(world, &options, &host), 0);
	assert_int_equal(demi_sim_open_end(world, &end), 0);
	make_segment(frame, RTE_TCP_SYN_FLAG, 1000, 0);
	assert_int_equal(demi_sim_inject(world, end, frame, sizeof(frame)), ENOTCONN);
	assert_int_equal(demi_sim_link(world, end, 0, host, 0, &link), 0);
	assert_int_equal(demi_sim_link(world, end, 0, host, 0, &link), EBUSY);
	assert_int_equal(demi_sim_link_set(world, link, DEMI_SIM_BOTH, &wire), 0);
	assert_int_equal(demi_sim_enter(world, host, 0), 0);
	qd = listen_here(host);
	assert_int_equal(demi_accept(&qt, qd), 0);
	assert_int_equal(demi_sim_advance(world, MS), 0);

	const uint64_t sent_ns = demi_sim_now(world);
	assert_int_equal(demi_sim_inject(world, end, frame, sizeof(frame)), 0);
	assert_int_equal(demi_sim_advance(world, MS), 0);
	assert_int_equal(take_segment(world, end, &tcp), sent_ns + 1000);
	assert_int_equal(tcp.tcp_flags, RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG);
	assert_int_equal(ntohl(tcp.recv_ack), 1001);
	assert_int_equal(demi_wait(&qr, qt, &once), ETIMEDOUT);
	make_segment(frame, RTE_TCP_ACK_FLAG, 1001, ntohl(tcp.sent_seq) + 1);
	assert_int_equal(demi_sim_inject(world, end, frame, sizeof(frame)), 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	assert_int_equal(ntohs(qr.qr_value.ares.addr.sin_port), PEER_PORT);
	assert_int_equal(demi_sim_destroy(world), 0);
}

/* --- a LAN --- */
struct client {
	int server;
	size_t len;
};

static int run_client(void *arg)
{
	const struct client *client = arg;

	return echo_client(client->server, client->len);
}

/* One shard serves all, as the others return at once. */
static int serve_alone(void *arg)
{
	return demi_shard_self() == 0 ? echo_server(arg) : 0;
}

/* clients on a LAN with one server of several shards; the world's digest. */
static uint64_t lan_of(int (*server)(void *arg), const char *server_config, uint32_t shards,
		       int clients, uint32_t loss_ppm)
{
	const struct demi_sim_host_options options = {
		.size = sizeof(options), .config = server_config, .shards = shards};
	struct demi_sim_figures figures = {.size = sizeof(figures)};
	struct demi_sim_path path = {
		.size = sizeof(path), .loss_ppm = loss_ppm, .delay_ns = 100000};
	struct client client = {.len = 20000};
	struct demi_sim *world;
	int lan_node, link, host, result, error;
	uint64_t digest;

	assert_int_equal(demi_sim_create(&world, 77), 0);
	assert_int_equal(demi_sim_host(world, &options, &client.server), 0);
	assert_int_equal(demi_sim_switch(world, &lan_node), 0);
	assert_int_equal(demi_sim_link(world, client.server, 0, lan_node, 0, &link), 0);
	assert_int_equal(demi_sim_link_set(world, link, DEMI_SIM_BOTH, &path), 0);
	assert_int_equal(demi_sim_program(world, client.server, -1, server, &clients), 0);
	assert_int_equal(demi_sim_advance(world, MS), 0);
	for (int i = 0; i < clients; i++) {
		assert_int_equal(demi_sim_host(world, NULL, &host), 0);
		assert_int_equal(demi_sim_link(world, host, 0, lan_node, 0, &link), 0);
		assert_int_equal(demi_sim_program(world, host, 0, run_client, &client), 0);
	}
	error = demi_sim_run(world, 100 * SEC);
	if (shards > 1 && server == echo_server) /* they wait for more than they get */
		assert_true(error == ETIMEDOUT || error == EDEADLK);
	else
		assert_int_equal(error, 0);
	for (int i = 0; i < clients; i++) {
		assert_int_equal(demi_sim_result(world, i + 2, 0, &result), 0);
		assert_int_equal(result, 0);
	}
	demi_sim_advance(world, 300 * SEC);
	assert_int_equal(demi_sim_figures(world, &figures), 0);
	assert_int_equal(figures.buffers_used, 0);
	digest = demi_sim_digest(world);
	assert_int_equal(demi_sim_destroy(world), 0);
	return digest;
}

static uint64_t lan(const char *server_config, uint32_t shards, int clients, uint32_t loss_ppm)
{
	return lan_of(echo_server, server_config, shards, clients, loss_ppm);
}

static void many_hosts_share_a_lan(void **state)
{
	(void)state;
	assert_true(lan(NULL, 1, 8, 5000) == lan(NULL, 1, 8, 5000));
}

static const char software[] = "[[port]]\ndevice = \"sim0,rss=0\"\n"
			       "address = \"10.0.0.1/24\"\nsteering = \"software\"\n";

static void four_shards_serve_whoever_steers(void **state)
{
	static const char two_queues[] = "[[port]]\ndevice = \"sim0,queues=2,chains=0\"\n"
					 "address = \"10.0.0.1/24\"\n";
	static const char hardware[] = "[[port]]\ndevice = \"sim0,checksum=1\"\n"
				       "address = \"10.0.0.1/24\"\nsteering = \"hardware\"\n";

	(void)state;
	lan(software, 4, 6, 0);
	lan(two_queues, 4, 6, 0);
	lan(hardware, 4, 6, 10000);
	assert_true(lan(software, 4, 6, 10000) == lan(software, 4, 6, 10000));
}

static void a_shard_serves_with_the_queues_of_those_that_have_returned(void **state)
{
	static const char hardware[] = "[[port]]\ndevice = \"sim0\"\n"
				       "address = \"10.0.0.1/24\"\nsteering = \"hardware\"\n";

	(void)state;
	lan_of(serve_alone, software, 4, 12, 0);
	lan_of(serve_alone, hardware, 4, 12, 10000);
}

/* --- channels --- */
static int talk(void *arg)
{
	const int self = demi_shard_self(), next = (self + 1) % 4, before = (self + 3) % 4;
	int out = -1, in = -1;
	demi_sgarray_t sga = demi_sgaalloc(5000);
	demi_qresult_t qr;
	demi_qtoken_t pushed, popped;

	(void)arg;
	if (sga.sga_buf == NULL || demi_shard_count() != 4 || demi_shard_channel(&out, next) != 0 ||
	    demi_shard_channel(&in, before) != 0)
		return 1;
	memset(sga.sga_segs[0].sgaseg_buf, self, 5000);
	if (demi_push(&pushed, out, &sga) != 0 || demi_sgafree(&sga) != 0 ||
	    demi_pop(&popped, in) != 0 || wait_for(popped, &qr) != 0)
		return 2;
	if (*(unsigned char *)qr.qr_value.sga.sga_segs[0].sgaseg_buf != before ||
	    demi_sgafree(&qr.qr_value.sga) != 0 || wait_for(pushed, &qr) != 0)
		return 3;
	return 0;
}

static void shards_of_a_host_talk_through_channels(void **state)
{
	const struct demi_sim_host_options options = {.size = sizeof(options), .shards = 4};
	struct demi_sim *world;
	int host, result;

	(void)state;
	assert_int_equal(demi_sim_create(&world, 12), 0);
	assert_int_equal(demi_sim_host(world, &options, &host), 0);
	assert_int_equal(demi_sim_program(world, host, -1, talk, NULL), 0);
	assert_int_equal(demi_sim_run(world, SEC), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(demi_sim_result(world, host, i, &result), 0);
		assert_int_equal(result, 0);
	}
	assert_int_equal(demi_sim_destroy(world), 0);
}

/* --- trouble --- */
static void devices_and_pools_in_a_bad_mood_only_cost_time(void **state)
{
	struct demi_sim_device mood = {.size = sizeof(mood), .tx_refuse_ppm = 300000};
	struct demi_sim_buffers buffers = {.size = sizeof(buffers)};
	struct pair p = pair_new(13);
	int one = 1;

	(void)state;
	assert_int_equal(demi_sim_device_set(p.world, p.server, 0, &mood), 0);
	assert_int_equal(demi_sim_device_set(p.world, p.client, 0, &mood), 0);
	assert_int_equal(demi_sim_squeeze(p.world, p.server, 0, DEMI_SIM_POOL_DATA, 700), 0);
	assert_int_equal(demi_sim_squeeze(p.world, p.server, 0, DEMI_SIM_POOL_LARGE, 99), ENOBUFS);
	assert_int_equal(demi_sim_buffers(p.world, p.server, 0, &buffers), 0);
	assert_int_equal(buffers.held[DEMI_SIM_POOL_DATA], 700);
	assert_int_equal(buffers.used[DEMI_SIM_POOL_DATA], 0);
	assert_int_equal(buffers.held[DEMI_SIM_POOL_LARGE], buffers.total[DEMI_SIM_POOL_LARGE]);
	demi_sim_program(p.world, p.server, 0, echo_server, &one);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(echo_client(p.server, 100000), 0);
	demi_sim_leave(p.world);
	assert_int_equal(demi_sim_run(p.world, 10 * SEC), 0);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static void time_passes_for_a_shard_that_lacks_every_buffer(void **state)
{
	struct pair p = pair_new(14);
	const struct sockaddr_in there = address_of(p.server, ECHO_PORT);
	const struct timespec tenth = {0, 100 * MS};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd = -1, two = 2;
	uint64_t before;

	(void)state;
	demi_sim_program(p.world, p.server, 0, echo_server, &two);
	assert_int_equal(demi_sim_enter(p.world, p.client, 0), 0);
	assert_int_equal(echo_client(p.server, 100), 0);
	/* The next hop is known: the SYN waits for a buffer and nothing else. */
	assert_int_equal(demi_sim_squeeze(p.world, p.client, 0, DEMI_SIM_POOL_SMALL, 1000000),
			 ENOBUFS);
	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(demi_connect(&qt, qd, (const struct sockaddr *)&there, sizeof(there)), 0);
	before = demi_sim_now(p.world);
	assert_int_equal(demi_wait(&qr, qt, &tenth), ETIMEDOUT);
	assert_int_equal(demi_sim_now(p.world) - before, 100 * MS);
	assert_int_equal(demi_sim_squeeze(p.world, p.client, 0, DEMI_SIM_POOL_SMALL, 0), 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	assert_int_equal(demi_close(qd), 0);
	demi_sim_leave(p.world);
	demi_sim_run(p.world, 10 * SEC);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static int slow_connect(void *arg)
{
	const int rc = echo_client(0, 1000);

	*(uint64_t *)arg = 1;
	return rc;
}

static void a_stalled_device_receives_when_it_is_let(void **state)
{
	struct demi_sim_device stalled = {.size = sizeof(stalled), .rx_stalled = 1};
	struct demi_sim_device fine = {.size = sizeof(fine)};
	struct pair p = pair_new(14);
	uint64_t done = 0;
	int one = 1, result;

	(void)state;
	demi_sim_program(p.world, p.server, 0, echo_server, &one);
	demi_sim_program(p.world, p.client, 0, slow_connect, &done);
	assert_int_equal(demi_sim_device_set(p.world, p.server, 0, &stalled), 0);
	assert_int_equal(demi_sim_advance(p.world, SEC), 0);
	assert_int_equal(done, 0);
	assert_int_equal(demi_sim_device_set(p.world, p.server, 0, &fine), 0);
	assert_int_equal(demi_sim_run(p.world, 10 * SEC), 0);
	assert_int_equal(demi_sim_result(p.world, p.client, 0, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

static int forget_a_buffer(void *arg)
{
	(void)arg;
	return demi_sgaalloc(100).sga_buf == NULL;
}

static void a_buffer_that_a_program_forgets_is_found_missing(void **state)
{
	struct pair p = pair_new(15);

	(void)state;
	demi_sim_program(p.world, p.server, 0, forget_a_buffer, NULL);
	assert_int_equal(demi_sim_run(p.world, SEC), 0);
	assert_int_equal(demi_sim_destroy(p.world), EIO);
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct demi_sim_host_options wrong = {.size = sizeof(wrong), .config = "[tcp]\nx=1"};
	struct demi_sim_path path = {.size = sizeof(path), .loss_ppm = 1000001};
	struct pair p = pair_new(16);
	int node;

	(void)state;
	assert_int_equal(demi_sim_host(p.world, &wrong, &node), EINVAL);
	assert_int_equal(demi_sim_link_set(p.world, p.link, DEMI_SIM_BOTH, &path), EINVAL);
	assert_int_equal(demi_sim_enter(p.world, p.client, 1), EINVAL);
	assert_int_equal(demi_sim_enter(p.world, 99, 0), EINVAL);
	assert_int_equal(demi_sim_leave(p.world), EINVAL);
	assert_int_equal(demi_sim_destroy(p.world), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_made_by_hand_open_a_connection_on_an_open_end),
		cmocka_unit_test(many_hosts_share_a_lan),
		cmocka_unit_test(four_shards_serve_whoever_steers),
		cmocka_unit_test(a_shard_serves_with_the_queues_of_those_that_have_returned),
		cmocka_unit_test(shards_of_a_host_talk_through_channels),
		cmocka_unit_test(devices_and_pools_in_a_bad_mood_only_cost_time),
		cmocka_unit_test(time_passes_for_a_shard_that_lacks_every_buffer),
		cmocka_unit_test(a_stalled_device_receives_when_it_is_let),
		cmocka_unit_test(a_buffer_that_a_program_forgets_is_found_missing),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
