/* The stack's frame: bursts, deadlines, replies, buffers that are not ours, the ready list. */
#include "below_tcp.h"

#include "net/dst.h"

#include <errno.h>
#include <rte_arp.h>
#include <rte_ip.h>

static int setup(void **state)
{
	*state = world_begin(1);
	return 0;
}

static int teardown(void **state)
{
	world_end(*state);
	return 0;
}

static void impossible_configurations_are_refused(void **state)
{
	struct world *w = *state;
	const struct net_config good = {.shard_count = 2, .udp_max = 1, .udp_queue_len = 1};
	struct net_config bad;
	struct net *net;

	bad = good, bad.shard_count = 0;
	assert_int_equal(net_create(&net, &bad, &world_net(w, 0)->env, w->tables, &w->mem,
				    &w->shards[0].counters, 1),
			 -EINVAL);
	bad = good, bad.shard = 2;
	assert_int_equal(net_create(&net, &bad, &world_net(w, 0)->env, w->tables, &w->mem,
				    &w->shards[0].counters, 1),
			 -EINVAL);
	bad = good, bad.shard_count = NET_SHARD_MAX + 1;
	assert_int_equal(net_create(&net, &bad, &world_net(w, 0)->env, w->tables, &w->mem,
				    &w->shards[0].counters, 1),
			 -EINVAL);
	bad = good, bad.udp_queue_len = 0;
	assert_int_equal(net_create(&net, &bad, &world_net(w, 0)->env, w->tables, &w->mem,
				    &w->shards[0].counters, 1),
			 -EINVAL);
}

static void the_deadline_is_the_earliest_of_all(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct net_dst dst;

	assert_int_equal(net_poll(net, w->now_ns), UINT64_MAX);
	fake_tcp.deadline_ns = w->now_ns + 5 * S;
	assert_int_equal(net_poll(net, w->now_ns), w->now_ns + 5 * S);
	net_dst_init(net, &dst, PEER_IP);
	net_dst_resolve(net, &dst);
	assert_int_equal(net_poll(net, w->now_ns), w->now_ns + S);
	assert_int_equal(fake_tcp.poll_count, 3);
}

static struct rte_mbuf *some(struct world *w)
{
	struct rte_mbuf *m = mem_small_or_null(&w->mem);

	assert_non_null(m);
	rte_pktmbuf_append(m, 60);
	return m;
}

static void replies_leave_before_tcp_in_order_and_none_is_lost(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct rte_mbuf *sent[5], *pkts[8];

	for (unsigned i = 0; i < 4; i++) {
		sent[i] = some(w);
		assert_true(net_reply_queue(net, 0, sent[i]));
	}
	fake_tcp.output = sent[4] = some(w);
	assert_int_equal(net_output(net, 1, pkts, 8, w->now_ns), 0);
	assert_int_equal(net_output(net, 0, pkts, 0, w->now_ns), 0);
	assert_int_equal(net_output(net, 0, pkts, 3, w->now_ns), 3);
	assert_int_equal(net_output(net, 0, pkts + 3, 1, w->now_ns), 1);
	assert_int_equal(net_output(net, 0, pkts + 4, 4, w->now_ns), 1);
	for (unsigned i = 0; i < 5; i++)
		assert_ptr_equal(pkts[i], sent[i]);
	rte_pktmbuf_free_bulk(pkts, 5);
}

static void a_full_reply_queue_drops_and_counts(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);

	for (unsigned i = 0; i < NET_REPLY_MAX; i++) {
		assert_int_equal(net_reply_room(net, 0), NET_REPLY_MAX - i);
		assert_true(net_reply_queue(net, 0, some(w)));
	}
	assert_int_equal(net_reply_room(net, 0), 0);
	assert_false(net_reply_queue(net, 0, some(w)));
	assert_int_equal(world_drops(w, DROP_tx_queue_full), 1);
	assert_true(net_reply_queue(net, 1, some(w)));
	/* What is left is freed with the stack. */
}

static void it_is_idle_when_nothing_waits(void **state)
{
	struct world *w = *state;
	struct net *net = world_net(w, 0);
	struct rte_mbuf *m;

	assert_true(net_idle(net));
	fake_tcp.busy = true;
	assert_false(net_idle(net));
	fake_tcp.busy = false;
	net_reply_queue(net, 1, some(w));
	assert_false(net_idle(net));
	assert_int_equal(net_output(net, 1, &m, 1, w->now_ns), 1);
	rte_pktmbuf_free(m);
	assert_true(net_idle(net));
}

static void no_buffer_for_a_request_is_counted(void **state)
{
	struct world *w = *state;
	struct rte_mbuf *hoard[1024];
	unsigned count = 0;
	struct net_dst dst;

	while ((hoard[count] = mem_small_or_null(&w->mem)))
		count++;
	net_dst_init(world_net(w, 0), &dst, PEER_IP);
	assert_int_equal(net_dst_resolve(world_net(w, 0), &dst), -EAGAIN);
	assert_int_equal(world_drops(w, DROP_mem_none), 1);
	rte_pktmbuf_free_bulk(hoard, count);
	world_poll(w, S); /* the next try has one */
	assert_int_equal(net_output(world_net(w, 0), 0, hoard, 8, w->now_ns), 1);
	rte_pktmbuf_free(hoard[0]);
}

/* --- buffers as a wire made of rings brings them --- */

static void assert_taken(struct world *w, struct rte_mbuf *m)
{
	unsigned count = fake_tcp.input_count;

	m->port = 0;
	net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	assert_int_equal(fake_tcp.input_count, count + 1);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(fake_tcp.payload[i], i);
}

static void a_chained_packet_is_taken_as_one(void **state)
{
	struct world *w = *state;
	const struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 30);
	unsigned cuts[] = {1, 14, 33, 34, 50, 54, 60};

	for (unsigned i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct rte_mbuf *head = mem_data_or_null(&w->mem),
				*tail = mem_data_or_null(&w->mem);

		memcpy(rte_pktmbuf_append(head, cuts[i]), f.bytes, cuts[i]);
		memcpy(rte_pktmbuf_append(tail, f.len - cuts[i]), f.bytes + cuts[i],
		       f.len - cuts[i]);
		assert_int_equal(rte_pktmbuf_chain(head, tail), 0);
		assert_taken(w, head);
	}
}

static void a_buffer_that_its_sender_still_holds_is_copied(void **state)
{
	struct world *w = *state;
	const struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 30);
	struct rte_mbuf *m = frame_to_mbuf(w, &f);
	struct pbuf before = *pbuf_of(m);

	rte_pktmbuf_refcnt_update(m, 1);
	assert_taken(w, m);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_int_equal(m->data_len, f.len);
	assert_memory_equal(pbuf_of(m), &before, sizeof(before));
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.bytes, f.len);
	rte_pktmbuf_free(m);
}

/* An answer is written into the buffer of the question: not into somebody else's. */
static void an_indirect_buffer_is_copied(void **state)
{
	struct world *w = *state;
	const struct frame f = frame_icmp(8, 0, 1, NULL, 30);
	struct rte_mbuf *data = frame_to_mbuf(w, &f), *m = mem_small_or_null(&w->mem);

	rte_pktmbuf_attach(m, data);
	m->port = 0;
	net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	assert_memory_equal(rte_pktmbuf_mtod(data, void *), f.bytes, f.len);
	rte_pktmbuf_free(data);
	assert_int_equal(net_output(world_net(w, 0), 0, &m, 1, w->now_ns), 1);
	assert_int_equal(m->pkt_len, f.len);
	rte_pktmbuf_free(m);
}

static void without_a_buffer_for_the_copy_the_packet_is_dropped(void **state)
{
	struct world *w = *state;
	const struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 30);
	struct rte_mbuf *m = frame_to_mbuf(w, &f), *hoard[1024];
	unsigned count = 0;

	while ((hoard[count] = mem_data_or_null(&w->mem)))
		count++;
	rte_pktmbuf_refcnt_update(m, 1);
	net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	assert_int_equal(world_drops(w, DROP_mem_none), 1);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free_bulk(hoard, count);
}

static void a_mixed_burst_is_sorted_out(void **state)
{
	struct world *w = *state;
	struct frame frames[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 0),
		frame_arp(RTE_ARP_OP_REQUEST, PEER_MAC, PEER_IP, OUR_IP),
		frame_udp(40001, 9, 1),
		frame_icmp(8, 0, 1, NULL, 8),
		frame_tcp(40002, 8080, RTE_TCP_ACK_FLAG, 0),
		frame_tcp(40003, 8080, RTE_TCP_ACK_FLAG, 0),
	};
	struct rte_mbuf *pkts[8];
	unsigned n = 6;

	((struct rte_tcp_hdr *)frame_l4(&frames[4]))->cksum ^= 1;
	for (unsigned i = 0; i < n; i++)
		pkts[i] = frame_to_mbuf(w, &frames[i]);
	net_input(world_net(w, 0), pkts, n, NET_FROM_WIRE, w->now_ns);
	assert_int_equal(fake_tcp.input_count, 2);
	assert_int_equal(world_drops(w, DROP_tcp_checksum), 1);
	assert_int_equal(world_drops(w, DROP_udp_no_port), 1);
	n = net_output(world_net(w, 0), 0, pkts, 8, w->now_ns);
	assert_int_equal(n, 3); /* ARP answer, echo reply, port unreachable */
	rte_pktmbuf_free_bulk(pkts, n);
}

static void an_empty_burst_is_no_trouble(void **state)
{
	struct world *w = *state;

	net_input(world_net(w, 0), NULL, 0, NET_FROM_WIRE, w->now_ns);
	net_input(world_net(w, 0), NULL, 0, NET_FROM_SHARD, w->now_ns);
	assert_int_equal(fake_tcp.input_count, 0);
}

static void a_ready_socket_is_given_out_once_and_never_without_a_user(void **state)
{
	struct net *net = world_net(*state, 0);
	struct net_sock a = {.user = &a}, b = {.user = &b}, c = {.user = NULL};

	net_sock_ready(net, &a);
	net_sock_ready(net, &b);
	net_sock_ready(net, &a);
	net_sock_ready(net, &c);
	assert_ptr_equal(net_ready_take(net), &a);
	net_sock_ready(net, &a);
	b.user = NULL;
	assert_ptr_equal(net_ready_take(net), &a);
	assert_null(net_ready_take(net));
	net_sock_ready(net, &a);
	net_sock_unready(net, &a);
	net_sock_unready(net, &a);
	assert_null(net_ready_take(net));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(impossible_configurations_are_refused),
		T(the_deadline_is_the_earliest_of_all),
		T(replies_leave_before_tcp_in_order_and_none_is_lost),
		T(a_full_reply_queue_drops_and_counts),
		T(it_is_idle_when_nothing_waits),
		T(no_buffer_for_a_request_is_counted),
		T(a_chained_packet_is_taken_as_one),
		T(a_buffer_that_its_sender_still_holds_is_copied),
		T(an_indirect_buffer_is_copied),
		T(without_a_buffer_for_the_copy_the_packet_is_dropped),
		T(a_mixed_burst_is_sorted_out),
		T(an_empty_burst_is_no_trouble),
		T(a_ready_socket_is_given_out_once_and_never_without_a_user),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
