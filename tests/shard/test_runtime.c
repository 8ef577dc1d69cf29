#include "tests/shard/cm.h"
#include "tests/shard/crew.h"
#include "tests/shard/fake_net.h"
#include "tests/shard/fake_nic.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <rte_ip.h>
#include <string.h>

/* Far longer than a test takes: who waits that long hangs. */
#define LINGER_NS UINT64_C(30000000000)

static struct runtime_config config;

static int begin(void **state)
{
	(void)state;
	fake_nic_reset();
	crew_config(&config, 2);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(crew_end(), 0);
	return 0;
}

static int start_two(void **state)
{
	begin(state);
	crew_start(&config);
	return 0;
}

/* A port with one queue pair for two shards. */
static int start_two_on_one_queue(void **state)
{
	begin(state);
	fake_nic.queue_count = 1;
	crew_start(&config);
	return 0;
}

static struct rte_mbuf *packet_of(unsigned index)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(fake_nic.pools[index]);

	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, 60));
	return m;
}

/* --- starting --- */
static void assert_refused(int error, const char *why_part)
{
	char why[RUNTIME_WHY_LEN] = "";
	struct runtime *runtime;

	assert_int_equal(runtime_start(&config, &runtime, why), error);
	if (!strstr(why, why_part))
		fail_msg("\"%s\" does not speak of \"%s\"", why, why_part);
}

static void what_cannot_start_says_why_and_can_be_tried_again(void **state)
{
	(void)state;
	snprintf(config.ports[0].nic.device, NIC_DEVICE_LEN, "missing");
	assert_refused(-ENODEV, "missing");
	snprintf(config.ports[0].nic.device, NIC_DEVICE_LEN, "fake0");
	fake_nic.fail_start = true;
	assert_refused(-EIO, "does not want");
	fake_nic.fail_start = false;
	config.cpus[0] = 4000;
	config.cpu_count = 1;
	assert_refused(-EINVAL, "4000");
	config.cpu_count = 0;
	config.data_count = 1 << 22; /* far more than there is */
	assert_refused(-ENOMEM, "pools");
	config.data_count = 511;
	config.mailbox_len = 7;
	assert_refused(-EINVAL, "mailbox");
	config.mailbox_len = 8;
	config.port_count = 0;
	assert_refused(-EINVAL, "port");
	config.port_count = 1;
	config.routes[0] = (struct net_route){.prefix_len = 77};
	config.route_count = 1;
	assert_refused(-EINVAL, "route");
	config.route_count = 0;
	crew_start(&config);
	assert_int_equal(crew_end(), 0);
}

/* For want of memory or of file descriptors, say. */
static void shards_that_cannot_be_made_are_a_refusal_like_any_other(void **state)
{
	(void)state;
	config.mailbox_len = UINT32_C(1) << 31; /* more than a ring can be */
	assert_refused(-EINVAL, "shards");
	config.mailbox_len = 64;
	crew_start(&config);
}

static void there_is_one_runtime_at_a_time(void **state)
{
	(void)state;
	assert_refused(-EEXIST, "already");
}

static void a_shard_is_entered_once_and_only_if_it_exists(void **state)
{
	struct shard *shard;

	(void)state;
	assert_int_equal(runtime_enter(crew_runtime(), 1, false, &shard), -EEXIST);
	assert_int_equal(runtime_enter(crew_runtime(), 2, false, &shard), -EINVAL);
}

static bool can_be_cancelled(void)
{
	int state, none;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_setcancelstate(state, &none);
	return state == PTHREAD_CANCEL_ENABLE;
}

static void a_thread_cannot_be_cancelled_while_it_is_a_shard(void **state)
{
	char why[RUNTIME_WHY_LEN];
	struct runtime *runtime;
	struct shard *shard;
	int type;

	(void)state;
	config.shard_count = 1;
	assert_int_equal(runtime_start(&config, &runtime, why), 0);
	assert_int_equal(runtime_enter(runtime, 0, false, &shard), 0);
	assert_false(can_be_cancelled());
	runtime_leave(shard, 0);
	assert_true(can_be_cancelled());
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	assert_int_equal(type, PTHREAD_CANCEL_DEFERRED);
	assert_int_equal(runtime_end(runtime), 0);
}

static void collect(const char *text, void *arg)
{
	strcat(arg, text);
	strcat(arg, "\n");
}

static void the_description_names_machine_shards_and_ports(void **state)
{
	char text[4096] = "";

	(void)state;
	runtime_describe(crew_runtime(), collect, text);
	assert_non_null(strstr(text, "machine: "));
	assert_non_null(strstr(text, "shards: 2"));
	assert_non_null(strstr(text, "port 0: fake0 (fake), 10.0.0.1/24"));
}

static void every_flow_has_one_owner_and_both_directions_have_the_same(void **state)
{
	struct net_flow there = {.local = {RTE_BE32(1)}, .remote = {RTE_BE32(2)}};
	struct net_flow back = {.local = {RTE_BE32(2)}, .remote = {RTE_BE32(1)}};
	unsigned owned[2] = {0, 0};

	(void)state;
	for (uint16_t port = 1; port < 1000; port++) {
		there.local_port = back.remote_port = rte_cpu_to_be_16(port);
		there.remote_port = back.local_port = rte_cpu_to_be_16(80);
		assert_int_equal(runtime_owner(crew_runtime(), &there),
				 runtime_owner(crew_runtime(), &back));
		owned[runtime_owner(crew_runtime(), &there)]++;
	}
	assert_true(owned[0] > 300 && owned[1] > 300);
}

/* --- packets --- */
static void a_received_packet_goes_to_the_stack_and_is_counted(void **state)
{
	struct runtime_figures figures;

	(void)state;
	fake_nic_inject(1, packet_of(1));
	crew_turn(1);
	assert_int_equal(fake_inputs(crew_shard(1)->net, NET_FROM_WIRE), 1);
	runtime_figures_mt(crew_runtime(), 1, &figures);
	assert_int_equal(figures.counters.rx_packets, 1);
	assert_int_equal(figures.counters.rx_bytes, 60);
	assert_int_equal(figures.mem.data, 0);
}

static void a_packet_that_is_handed_over_reaches_its_owners_stack(void **state)
{
	(void)state;
	fake_hand_over(crew_shard(0)->net, 1);
	fake_nic_inject(0, packet_of(0));
	crew_turn(0);
	crew_turn(1);
	assert_int_equal(fake_inputs(crew_shard(1)->net, NET_FROM_SHARD), 1);
	assert_int_equal(crew_shard(0)->counters.handed_out, 1);
	assert_int_equal(crew_shard(1)->counters.handed_in, 1);
}

/* A tail probe went out although its ACK lay in the mailbox, after the shard was held up. */
static void timers_come_after_all_input(void **state)
{
	const unsigned all = NET_BURST_MAX + 3;

	(void)state;
	fake_hand_over(crew_shard(0)->net, 1);
	fake_nic_inject(0, packet_of(0));
	crew_turn(0);
	crew_turn(1);
	assert_int_equal(fake_polled_after(crew_shard(1)->net), 1);
	for (unsigned i = 0; i < all; i++)
		fake_nic_inject(1, packet_of(1));
	crew_turn(1);
	assert_int_equal(fake_inputs(crew_shard(1)->net, NET_FROM_WIRE), NET_BURST_MAX);
	assert_int_equal(fake_polled_after(crew_shard(1)->net), 1);
	crew_turn(1);
	assert_int_equal(fake_polled_after(crew_shard(1)->net), 1 + all);
}

static void timers_do_not_wait_for_ever_for_the_end_of_input(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned j = 0; j < NET_BURST_MAX; j++)
			fake_nic_inject(1, packet_of(1));
		assert_int_equal(fake_polled_after(crew_shard(1)->net), 0);
		crew_turn(1);
	}
	assert_int_equal(fake_polled_after(crew_shard(1)->net), 8 * NET_BURST_MAX);
}

static void packets_for_a_full_mailbox_are_dropped_and_counted(void **state)
{
	(void)state;
	fake_hand_over(crew_shard(0)->net, 1);
	for (int i = 0; i < 10; i++)
		fake_nic_inject(0, packet_of(0));
	crew_turn(0);
	assert_int_equal(crew_shard(0)->counters.handed_out, 7);
	assert_int_equal(crew_shard(0)->counters.drop[DROP_mailbox_full], 3);
}

static void what_the_device_does_not_take_is_offered_again(void **state)
{
	(void)state;
	fake_nic.tx_room = 3;
	fake_output(crew_shard(0)->net, 10);
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 3);
	assert_int_equal(crew_shard(0)->lines[0].count, 7);
	fake_nic.tx_room = UINT32_MAX;
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 10);
	assert_int_equal(crew_shard(0)->counters.tx_packets, 10);
	assert_int_equal(crew_shard(0)->counters.tx_refused, 7);
}

static void what_a_device_does_not_take_while_its_link_is_down_is_dropped_and_counted(void **state)
{
	(void)state;
	fake_nic.tx_room = 3;
	fake_nic.link_down = true;
	fake_output(crew_shard(0)->net, 10);
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 3);
	assert_int_equal(crew_shard(0)->lines[0].count, 0);
	assert_int_equal(crew_shard(0)->counters.tx_packets, 3);
	assert_int_equal(crew_shard(0)->counters.drop[DROP_link_down], 7);
	fake_nic.tx_room = UINT32_MAX; /* one that takes them is not asked */
	fake_output(crew_shard(0)->net, 10);
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 13);
	assert_int_equal(crew_shard(0)->counters.drop[DROP_link_down], 7);
}

static void a_blocked_device_holds_no_more_than_a_burst(void **state)
{
	(void)state;
	fake_nic.tx_room = 0;
	fake_output(crew_shard(0)->net, 1000);
	for (int i = 0; i < 10; i++)
		crew_turn(0);
	assert_int_equal(crew_shard(0)->lines[0].count, NET_BURST_MAX);
	fake_nic.tx_room = UINT32_MAX;
	for (int i = 0; i < 10; i++)
		crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 1000);
}

static void a_shard_without_a_queue_transmits_through_the_one_that_has_it(void **state)
{
	(void)state;
	fake_output(crew_shard(1)->net, 12); /* more than the mailbox holds */
	crew_turn(1);
	assert_int_equal(fake_nic.tx_count[0], 0);
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 7);
	crew_turn(1);
	crew_turn(0);
	assert_int_equal(fake_nic.tx_count[0], 12);
	assert_int_equal(crew_shard(0)->counters.tx_packets, 12);
}

/* --- the end --- */
static bool has_left(unsigned index)
{
	return __atomic_load_n(&crew_shard(index)->stage, __ATOMIC_ACQUIRE) == SHARD_LEFT;
}

/* Of two shards, the one whose program has returned goes on. */
static void shard_returns(unsigned index)
{
	crew_linger_ns = LINGER_NS;
	crew_return(index);
}

static void a_shard_whose_program_returned_hands_over_what_it_receives(void **state)
{
	(void)state;
	fake_hand_over(crew_shard(1)->net, 0);
	shard_returns(1);
	for (unsigned n = 1; n <= 100; n++) {
		fake_nic_inject(1, packet_of(1));
		while (fake_inputs(crew_shard(0)->net, NET_FROM_SHARD) < n && !has_left(1))
			crew_turn(0);
	}
	assert_int_equal(fake_inputs(crew_shard(0)->net, NET_FROM_SHARD), 100);
	assert_false(has_left(1));
}

static void a_shard_whose_program_returned_takes_what_is_its_own(void **state)
{
	(void)state;
	fake_hand_over(crew_shard(0)->net, 1);
	shard_returns(1);
	for (unsigned n = 1; n <= 100; n++) {
		fake_nic_inject(0, packet_of(0));
		crew_turn(0);
		while (fake_inputs(crew_shard(1)->net, NET_FROM_SHARD) < n && !has_left(1))
			crew_turn(0);
	}
	assert_int_equal(fake_inputs(crew_shard(1)->net, NET_FROM_SHARD), 100);
	assert_int_equal(crew_shard(0)->counters.drop[DROP_shard_left], 0);
}

static void a_shard_whose_program_returned_transmits_for_others(void **state)
{
	(void)state;
	shard_returns(0);
	fake_output(crew_shard(1)->net, 100);
	while (fake_nic_sent(0) < 100 && !has_left(0))
		crew_turn(1);
	assert_int_equal(fake_nic_sent(0), 100);
}

/* Shard 1's packets have to go through shard 0, in many turns. */
static void shards_leave_only_when_none_needs_the_other(void **state)
{
	(void)state;
	shard_returns(0);
	fake_output(crew_shard(1)->net, 100);
	assert_int_equal(crew_end(), 0);
	assert_int_equal(fake_nic.tx_count[0], 100);
}

static void shards_that_are_stopped_leave_only_when_none_needs_the_other(void **state)
{
	(void)state;
	crew_linger_ns = LINGER_NS;
	fake_output(crew_shard(1)->net, 100);
	runtime_stop_mt(crew_runtime());
	assert_int_equal(crew_end(), 0);
	assert_int_equal(fake_nic.tx_count[0], 100);
}

/* A device that takes nothing: what is owed cannot be given, and the end comes nevertheless. */
static void the_end_waits_for_what_is_owed_no_longer_than_it_may(void **state)
{
	(void)state;
	crew_linger_ns = 1000;
	fake_nic.tx_room = 0;
	fake_output(crew_shard(1)->net, 100);
	crew_return(1);
	assert_int_equal(crew_end(), 0);
	assert_int_equal(fake_nic.tx_count[0], 0);
	assert_int_equal(fake_nic.tx_count[1], 0);
}

/* As when a start fails half-way. */
static void a_shard_whose_peers_never_came_does_not_wait_for_them(void **state)
{
	char why[RUNTIME_WHY_LEN] = "";
	struct runtime *runtime;
	struct shard *shard;

	(void)state;
	assert_int_equal(runtime_start(&config, &runtime, why), 0);
	assert_int_equal(runtime_enter(runtime, 1, false, &shard), 0);
	runtime_leave(shard, LINGER_NS);
	assert_int_equal(runtime_end(runtime), 0);
}

/* Its peers go on: as when a shard could not start, and the others leave one by one. */
static void packets_for_a_shard_that_left_are_let_go(void **state)
{
	(void)state;
	fake_hand_over(crew_shard(0)->net, 1);
	fake_nic_inject(0, packet_of(0));
	crew_turn(0);
	crew_leave(1);
	crew_turn(0);
	fake_nic_inject(0, packet_of(0));
	crew_turn(0);
	assert_int_equal(crew_shard(0)->counters.handed_out, 1);
	assert_int_equal(crew_shard(0)->counters.drop[DROP_shard_left], 1);
	/* the teardown asserts that no buffer is missing */
}

/* --- the device's hash --- */
static struct rte_mbuf *tcp_packet(uint32_t hash_error)
{
	struct rte_mbuf *m = packet_of(0);
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	rte_be16_t *ports = (rte_be16_t *)(ip + 1);

	memset(eth, 0, 60);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->next_proto_id = IPPROTO_TCP;
	ip->src_addr = RTE_BE32(0x0a000002);
	ip->dst_addr = RTE_BE32(0x0a000001);
	ports[0] = RTE_BE16(1234);
	ports[1] = RTE_BE16(80);
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = hash_error ^ rss_hash4(&crew_runtime()->rss, ip->src_addr, ip->dst_addr,
					     ports[0], ports[1]);
	return m;
}

static int start_with_hardware(void **state)
{
	begin(state);
	fake_nic.steering = NIC_STEER_HARDWARE;
	crew_start(&config);
	return 0;
}

static void a_device_whose_hash_is_right_is_trusted(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		fake_nic_inject(0, tcp_packet(0));
	crew_turn(0);
	assert_false(fake_nic.distrusted);
}

static void a_device_whose_hash_is_wrong_is_not_trusted_any_more(void **state)
{
	(void)state;
	log_level_set(LOG_LEVEL_ERROR);
	fake_nic_inject(0, tcp_packet(0));
	fake_nic_inject(0, tcp_packet(1));
	crew_turn(0);
	assert_true(fake_nic.distrusted);
}

/* --- neighbours --- */
static void neighbour_news_of_a_shard_reaches_the_table(void **state)
{
	struct ip_addr addr = {RTE_BE32(0x0a000007)};
	struct net_neigh_event event = {.neigh = {.addr = addr, .mac = {{2, 0, 0, 0, 0, 7}}},
					.news = NEIGH_ANSWERED};

	(void)state;
	control_news_mt(&crew_runtime()->control, &event);
	while (!net_neigh_lookup_rcu(crew_runtime()->tables, 0, addr)) {
		crew_turn(0); /* quiescent: else the control thread waits for us */
		crew_turn(1);
	}
}

static void a_shard_that_does_not_turn_holds_up_nobodys_neighbours(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) { /* shard 1 stands still all the time */
		struct net_neigh_event event = {
			.neigh = {.addr = {rte_cpu_to_be_32(0x0a000010 + i)},
				  .mac = {{2, 0, 0, 0, 0, 7}}},
			.news = NEIGH_ANSWERED};

		control_news_mt(&crew_runtime()->control, &event);
		while (!net_neigh_lookup_rcu(crew_runtime()->tables, 0, event.neigh.addr))
			crew_turn(0);
	}
}

static int wait_forever(struct shard *shard, void *arg)
{
	struct shard_result result;
	int done;

	(void)arg;
	return shard_wait_next_n(shard, 1, SHARD_FOREVER, &result, &done);
}

static void *stop(void *arg)
{
	runtime_stop_mt(arg);
	return NULL;
}

static int start_sleepers(void **state)
{
	begin(state);
	config.idle = SHARD_IDLE_ADAPTIVE;
	config.spin_ns = 0;
	config.sleep_ns_max = UINT64_C(3600000000000);
	config.nap_ns = UINT64_C(3600000000000);
	crew_start(&config);
	return 0;
}

static void a_stop_wakes_a_shard_that_sleeps(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop, crew_runtime()), 0);
	assert_int_equal(crew_call(0, wait_forever, NULL), -ECANCELED);
	pthread_join(thread, NULL);
}

/* Naps are endless here: what the last one does not say, the first one does not hear. */
static void a_shard_that_sleeps_while_it_lingers_hears_that_all_have_returned(void **state)
{
	(void)state;
	shard_returns(1);
	crew_turn(0);
	assert_int_equal(crew_end(), 0);
}

#define TEST(setup, f) cmocka_unit_test_setup_teardown(f, setup, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_cannot_start_says_why_and_can_be_tried_again, begin),
		TEST(begin, shards_that_cannot_be_made_are_a_refusal_like_any_other),
		TEST(start_two, there_is_one_runtime_at_a_time),
		TEST(start_two, a_shard_is_entered_once_and_only_if_it_exists),
		cmocka_unit_test_setup(a_thread_cannot_be_cancelled_while_it_is_a_shard, begin),
		TEST(start_two, the_description_names_machine_shards_and_ports),
		TEST(start_two, every_flow_has_one_owner_and_both_directions_have_the_same),
		TEST(start_two, a_received_packet_goes_to_the_stack_and_is_counted),
		TEST(start_two, a_packet_that_is_handed_over_reaches_its_owners_stack),
		TEST(start_two, timers_come_after_all_input),
		TEST(start_two, timers_do_not_wait_for_ever_for_the_end_of_input),
		TEST(start_two, packets_for_a_full_mailbox_are_dropped_and_counted),
		TEST(start_two, what_the_device_does_not_take_is_offered_again),
		TEST(start_two,
		     what_a_device_does_not_take_while_its_link_is_down_is_dropped_and_counted),
		TEST(start_two, a_blocked_device_holds_no_more_than_a_burst),
		TEST(start_two_on_one_queue,
		     a_shard_without_a_queue_transmits_through_the_one_that_has_it),
		TEST(start_two, a_shard_whose_program_returned_hands_over_what_it_receives),
		TEST(start_two, a_shard_whose_program_returned_takes_what_is_its_own),
		TEST(start_two_on_one_queue, a_shard_whose_program_returned_transmits_for_others),
		cmocka_unit_test_setup(shards_leave_only_when_none_needs_the_other,
				       start_two_on_one_queue),
		cmocka_unit_test_setup(shards_that_are_stopped_leave_only_when_none_needs_the_other,
				       start_two_on_one_queue),
		cmocka_unit_test_setup(the_end_waits_for_what_is_owed_no_longer_than_it_may,
				       start_two),
		cmocka_unit_test_setup(a_shard_whose_peers_never_came_does_not_wait_for_them,
				       begin),
		TEST(start_two, packets_for_a_shard_that_left_are_let_go),
		TEST(start_with_hardware, a_device_whose_hash_is_right_is_trusted),
		TEST(start_with_hardware, a_device_whose_hash_is_wrong_is_not_trusted_any_more),
		TEST(start_two, neighbour_news_of_a_shard_reaches_the_table),
		TEST(start_two, a_shard_that_does_not_turn_holds_up_nobodys_neighbours),
		TEST(start_sleepers, a_stop_wakes_a_shard_that_sleeps),
		cmocka_unit_test_setup(
			a_shard_that_sleeps_while_it_lingers_hears_that_all_have_returned,
			start_sleepers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
