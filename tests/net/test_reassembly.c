#include "below_tcp.h"
#include "net/reassembly.h"
#include "net/udp.h"

#include <errno.h>
#include <rte_ip.h>
#include <stdlib.h>

enum { PORT = 5353, PART_MAX = 16 };

static const struct ip_addr any;

/* Payload bytes [begin, end) of a UDP datagram whose IP payload is bytes. */
struct part {
	unsigned begin, end;
	bool more;
};

/* A UDP datagram of len bytes of payload, as IP payload with its right checksum. */
struct whole {
	uint16_t id;
	unsigned len;
	uint8_t bytes[16 * 1024];
};

static struct whole *whole_make(uint16_t id, unsigned len)
{
	static struct whole w;
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)w.bytes;
	struct rte_ipv4_hdr ip = {.version_ihl = RTE_IPV4_VHL_DEF,
				  .total_length = rte_cpu_to_be_16(20 + 8 + len),
				  .next_proto_id = IPPROTO_UDP,
				  .src_addr = PEER_IP.v4,
				  .dst_addr = OUR_IP.v4};

	w.id = id;
	w.len = 8 + len;
	for (unsigned i = 0; i < len; i++)
		w.bytes[8 + i] = (uint8_t)(i * 7 + id + (i >> 8));
	*udp = (struct rte_udp_hdr){.src_port = RTE_BE16(40001),
				    .dst_port = RTE_BE16(PORT),
				    .dgram_len = rte_cpu_to_be_16(8 + len)};
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(&ip, udp);
	return &w;
}

/* frame_seal() would put a transport checksum into the payload. */
static struct frame fragment(const struct whole *w, struct part part)
{
	struct frame f = frame_udp(40001, PORT, part.end - part.begin - 8);
	struct rte_ipv4_hdr *ip = frame_ip(&f);

	memcpy(ip + 1, w->bytes + part.begin, part.end - part.begin);
	ip->packet_id = rte_cpu_to_be_16(w->id);
	ip->fragment_offset =
		rte_cpu_to_be_16(part.begin / 8 | (part.more ? RTE_IPV4_HDR_MF_FLAG : 0));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return f;
}

static void send_part(struct world *w, uint16_t shard, const struct whole *whole, unsigned begin,
		      unsigned end)
{
	struct frame f = fragment(whole, (struct part){begin, end, end < whole->len});

	world_input(w, shard, &f);
	world_deliver(w);
}

static struct udp_sock *opened(struct world *w, uint16_t shard)
{
	const struct net_endpoint local = {any, RTE_BE16(PORT)};
	struct udp_sock *us;

	assert_int_equal(udp_open(world_net(w, shard), &local, w, &us), 0);
	return us;
}

/* The datagram came whole and right, exactly once; false: nothing came. */
static bool arrived(struct world *w, uint16_t shard, struct udp_sock *us, const struct whole *whole)
{
	struct net_endpoint from;
	struct rte_mbuf *m = udp_pop_or_null(world_net(w, shard), us, &from);

	if (!m)
		return false;
	assert_int_equal(m->nb_segs, 1);
	assert_int_equal(m->data_len, whole->len - 8);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), whole->bytes + 8, whole->len - 8);
	assert_int_equal(from.port, RTE_BE16(40001));
	rte_pktmbuf_free(m);
	assert_null(udp_pop_or_null(world_net(w, shard), us, &from));
	return true;
}

static int begin_one(void **state)
{
	*state = world_begin(1);
	return 0;
}

static int finish(void **state)
{
	world_end(*state);
	return 0;
}

/* RFC 791, RFC 815 */
static void a_datagram_comes_together_whatever_the_order(void **state)
{
	static const unsigned at[] = {0, 1480, 2960, 4008},
			      orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);

	for (unsigned i = 0; i < 6; i++) {
		const struct whole *whole = whole_make(100 + i, 4000);

		for (unsigned k = 0; k < 3; k++) {
			assert_false(arrived(w, 0, us, whole));
			send_part(w, 0, whole, at[orders[i][k]], at[orders[i][k] + 1]);
		}
		assert_true(arrived(w, 0, us, whole));
	}
	assert_int_equal(reassembly_deadline(world_net(w, 0)), UINT64_MAX);
	udp_close(world_net(w, 0), us);
}

/* RFC 791 */
static void id_and_protocol_tell_datagrams_apart(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);
	const struct whole *whole = whole_make(1, 2000);
	struct frame other = fragment(whole, (struct part){1480, whole->len, false});

	send_part(w, 0, whole, 0, 1480);
	frame_ip(&other)->next_proto_id = IPPROTO_ICMP;
	frame_ip(&other)->hdr_checksum = 0;
	frame_ip(&other)->hdr_checksum = rte_ipv4_cksum(frame_ip(&other));
	world_input(w, 0, &other);
	whole = whole_make(2, 2000);
	send_part(w, 0, whole, 1480, whole->len);
	assert_false(arrived(w, 0, us, whole));
	whole = whole_make(1, 2000);
	send_part(w, 0, whole, 1480, whole->len);
	assert_true(arrived(w, 0, us, whole));
	udp_close(world_net(w, 0), us);
}

/* RFC 5722 3 */
static void an_overlap_drops_the_whole_datagram(void **state)
{
	static const unsigned overlaps[][2] = {
		{0, 8}, {8, 1480}, {1472, 2008}, {0, 1488}, {16, 24}};
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);

	for (unsigned i = 0; i < 5; i++) {
		const struct whole *whole = whole_make(200 + i, 2000);

		send_part(w, 0, whole, 0, 1480);
		send_part(w, 0, whole, overlaps[i][0], overlaps[i][1]);
		assert_int_equal(world_drops(w, DROP_ip_fragment_overlap), 2 * (i + 1));
		send_part(w, 0, whole, 1480, whole->len);
		assert_false(arrived(w, 0, us, whole));
	}
	udp_close(world_net(w, 0), us);
}

/* RFC 815 */
static void a_duplicate_harms_nobody(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);
	const struct whole *whole = whole_make(3, 2000);

	send_part(w, 0, whole, 1480, whole->len);
	send_part(w, 0, whole, 1480, whole->len);
	send_part(w, 0, whole, 0, 1480);
	assert_true(arrived(w, 0, us, whole));
	assert_int_equal(world_drops(w, DROP_ip_fragment_duplicate), 1);
	udp_close(world_net(w, 0), us);
}

/* RFC 791 */
static void two_opinions_about_the_end_drop_the_datagram(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);
	const struct whole *whole = whole_make(4, 4000);
	struct frame f = fragment(whole, (struct part){2960, 3200, false});

	send_part(w, 0, whole, 2960, whole->len); /* a last one, and one that is last before it */
	f = fragment(whole, (struct part){1480, 2960, false});
	world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_ip_fragment_overlap), 2);
	f = fragment(whole, (struct part){0, 1480, false}); /* no fragment, but a cut datagram */
	whole = whole_make(5, 4000);
	f = fragment(whole, (struct part){1480, 2960, false});
	world_input(w, 0, &f);
	f = fragment(whole, (struct part){2960, 3200, true}); /* more, behind the end */
	world_input(w, 0, &f);
	assert_int_equal(world_drops(w, DROP_ip_fragment_overlap), 4);
	udp_close(world_net(w, 0), us);
}

/* RFC 1858, RFC 3128; CERT CA-1996-26, the ping of death */
static void fragments_that_no_honest_host_sends_are_dropped(void **state)
{
	struct world *w = *state;
	const struct whole *whole = whole_make(6, 4000);
	struct frame f = fragment(whole, (struct part){0, 1479, true}); /* not a multiple of 8 */

	world_input(w, 0, &f);
	f = fragment(whole, (struct part){0, 800, false});
	frame_ip(&f)->fragment_offset = RTE_BE16(8191); /* ends behind byte 65,535 */
	frame_ip(&f)->hdr_checksum = 0;
	frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
	world_input(w, 0, &f);
	for (unsigned begin = 0; begin <= 16; begin += 8) { /* the TCP header, cut */
		f = fragment(whole, (struct part){begin, begin + 16, true});
		frame_ip(&f)->next_proto_id = IPPROTO_TCP;
		frame_ip(&f)->hdr_checksum = 0;
		frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
		world_input(w, 0, &f);
	}
	assert_int_equal(world_drops(w, DROP_ip_fragment_bad), 5);
	assert_int_equal(reassembly_deadline(world_net(w, 0)), UINT64_MAX);
}

/* RFC 792, RFC 1122 3.3.2 */
static void what_stays_incomplete_is_freed_and_the_sender_told(void **state)
{
	struct world *w = *state;
	const struct whole *whole = whole_make(7, 2000);
	uint64_t deadline_ns;
	struct frame f;

	send_part(w, 0, whole, 0, 1480);
	whole = whole_make(8, 2000);
	send_part(w, 0, whole, 1480, whole->len); /* its first fragment never comes: no error */
	deadline_ns = reassembly_deadline(world_net(w, 0));
	assert_int_equal(deadline_ns, w->now_ns + 30 * S);
	world_poll(w, 30 * S - 1);
	assert_int_equal(world_drops_all(w), 0);
	world_poll(w, 1);
	assert_int_equal(world_drops(w, DROP_ip_reassembly_timeout), 2);
	assert_int_equal(reassembly_deadline(world_net(w, 0)), UINT64_MAX);
	assert_true(world_output(w, 0, 0, &f));
	assert_true(frame_ip_valid(&f));
	assert_int_equal(((uint8_t *)frame_l4(&f))[0], 11);
	assert_int_equal(((uint8_t *)frame_l4(&f))[1], 1);
	assert_int_equal(((struct rte_ipv4_hdr *)((uint8_t *)frame_l4(&f) + 8))->packet_id,
			 RTE_BE16(7));
	assert_false(world_output(w, 0, 0, &f));
}

static void limits_hold_and_nothing_leaks(void **state)
{
	struct world *w = *state;
	struct whole *whole = whole_make(9, 4000);

	for (unsigned i = 0; i < 8; i++) /* of fragments: the eighth has to be the last */
		send_part(w, 0, whole, i * 8, i * 8 + 8);
	assert_int_equal(world_drops(w, DROP_ip_reassembly_full), 8);
	for (unsigned i = 0; i < 100; i++) { /* of datagrams, or of bytes */
		whole = whole_make(1000 + i, 4000);
		send_part(w, 0, whole, 0, 1480);
	}
	assert_int_equal(world_drops(w, DROP_ip_reassembly_full), 8 + 100 - 16);
	for (unsigned i = 0; i < 16; i++) {
		whole = whole_make(1000 + i, 4000);
		for (unsigned k = 1; k < 7; k++)
			send_part(w, 0, whole, 1480 + k * 8, 1488 + k * 8);
	}
	assert_true(world_drops(w, DROP_ip_reassembly_full) > 8 + 100 - 16);
	/* what is left is freed with the stack */
}

/* Jumbo frames: a datagram of total_len bytes with its IP header in eight fragments. */
static void send_jumbo(struct world *w, struct rte_mempool *pool, unsigned total_len)
{
	const unsigned len = total_len - 20, step = 8192;
	struct frame head = frame_udp(40001, PORT, 0);
	struct rte_ipv4_hdr *ip = frame_ip(&head);

	for (unsigned begin = 0; begin < len; begin += step) {
		unsigned part = RTE_MIN(step, len - begin);
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		struct rte_udp_hdr *udp;

		assert_non_null(m);
		ip->total_length = rte_cpu_to_be_16(20 + part);
		ip->packet_id = rte_cpu_to_be_16(total_len);
		ip->fragment_offset = rte_cpu_to_be_16(
			begin / 8 | (begin + part < len ? RTE_IPV4_HDR_MF_FLAG : 0));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		memcpy(rte_pktmbuf_append(m, 34), head.bytes, 34);
		memset(rte_pktmbuf_append(m, part), 'a' + begin / step, part);
		m->port = 0;
		udp = rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, 34);
		if (begin == 0)
			*udp = (struct rte_udp_hdr){.src_port = RTE_BE16(40001),
						    .dst_port = RTE_BE16(PORT),
						    .dgram_len = rte_cpu_to_be_16(len)};
		net_input(world_net(w, 0), &m, 1, NET_FROM_WIRE, w->now_ns);
	}
}

/* RFC 791: 65,535 bytes; with the Ethernet header more than an mbuf's length can say. */
static void a_datagram_longer_than_any_buffer_is_dropped_and_one_that_fits_is_not(void **state)
{
	static const unsigned too_long[] = {65535, 65523, 65522, 65521, 65394};
	const unsigned fits = 65393; /* 65,535 less headroom and Ethernet header */
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"jumbo", 15, 0, PBUF_PRIV_LEN, RTE_PKTMBUF_HEADROOM + 9234, SOCKET_ID_ANY);
	struct net_endpoint from;
	struct rte_mbuf *m;

	assert_non_null(pool);
	for (unsigned i = 0; i < RTE_DIM(too_long); i++) {
		send_jumbo(w, pool, too_long[i]);
		assert_int_equal(world_drops(w, DROP_mem_none), i + 1);
		assert_int_equal(world_drops_all(w), i + 1);
		assert_null(udp_pop_or_null(world_net(w, 0), us, &from));
	}
	send_jumbo(w, pool, fits);
	m = udp_pop_or_null(world_net(w, 0), us, &from);
	assert_non_null(m);
	assert_int_equal(m->data_len, fits - 20 - 8);
	assert_int_equal(*rte_pktmbuf_mtod_offset(m, char *, m->data_len - 1), 'h');
	rte_pktmbuf_free(m);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	rte_mempool_free(pool);
	udp_close(world_net(w, 0), us);
}

/* The shard that puts it together need not be the one that owns the flow. */
static void a_fragment_finds_its_flows_owner(void **state)
{
	struct world *w = world_begin(4);
	struct udp_sock *us[4];
	unsigned found = 0;

	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		us[i] = opened(w, i);
	for (uint16_t id = 0; id < 32; id++) {
		const struct whole *whole = whole_make(id, 3000);

		send_part(w, id % 4, whole, 1480, 2960);
		send_part(w, (id + 1) % 4, whole, 0, 1480);
		send_part(w, (id + 2) % 4, whole, 2960, whole->len);
		for (uint16_t i = 0; i < 4; i++)
			found += arrived(w, i, us[i], whole);
		assert_int_equal(found, id + 1u);
	}
	for (uint16_t i = 0; i < 4; i++)
		udp_close(world_net(w, i), us[i]);
	world_end(w);
}

/* --- against a naive model --- */

/* The fragments of one datagram that are there. */
struct model {
	unsigned count;
	struct part parts[PART_MAX];
};

static uint64_t dice_state;

static unsigned dice(unsigned n)
{
	dice_state = dice_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(dice_state >> 33) % n;
}

/* True: the datagram is complete with this part. */
static bool model_add(struct model *model, struct part part, unsigned whole_len)
{
	unsigned sum = 0, middles = 0;

	for (unsigned i = 0; i < model->count; i++) {
		const struct part *there = &model->parts[i];

		if (there->begin == part.begin && there->end == part.end)
			return false;
		if (part.begin < there->end && there->begin < part.end) {
			*model = (struct model){0}; /* later ones begin it anew */
			return false;
		}
	}
	for (unsigned i = 0; i < model->count; i++)
		middles += model->parts[i].begin > 0 && model->parts[i].more;
	if (part.begin > 0 && part.more && middles == 6) {
		*model = (struct model){0};
		return false;
	}
	model->parts[model->count++] = part;
	for (unsigned i = 0; i < model->count; i++)
		sum += model->parts[i].end - model->parts[i].begin;
	if (sum != whole_len)
		return false;
	*model = (struct model){0};
	return true;
}

static struct part random_part(unsigned len, unsigned step)
{
	unsigned parts = (len + step - 1) / step, i = dice(parts);
	struct part part = {i * step, RTE_MIN((i + 1) * step, len), false};

	if (dice(12) == 0) /* an overlap, mostly */
		part.begin = dice(part.end / 8 + 1) * 8;
	if (part.end - part.begin == len || part.begin >= part.end ||
	    part.end - part.begin > 1480 || part.end - part.begin < 8)
		part = (struct part){i * step, RTE_MIN((i + 1) * step, len), false};
	part.more = part.end < len;
	return part;
}

/* RFC 815, RFC 5722 3 */
static void any_stream_of_fragments_does_what_a_naive_model_says(void **state)
{
	struct world *w = *state;
	struct udp_sock *us = opened(w, 0);
	unsigned wholes = 0;

	for (unsigned seed = 1; seed <= 2000; seed++) {
		unsigned step = 8 * (8 + dice(170)),
			 len = step * (2 + dice(7)) + 8 + dice(step - 8);
		struct model model = {0};
		struct whole *whole;

		dice_state = seed;
		if (len > 9000)
			len = 9000;
		whole = whole_make((uint16_t)seed, len - 8);
		for (unsigned i = 0; i < 30; i++) {
			struct part part = random_part(len, step);
			struct frame f = fragment(whole, part);
			bool complete = model_add(&model, part, len);

			world_input(w, 0, &f);
			assert_int_equal(arrived(w, 0, us, whole), complete);
			wholes += complete;
		}
		world_poll(w, 31 * S);
		while (world_output(w, 0, 0, &(struct frame){0}))
			;
		assert_int_equal(reassembly_deadline(world_net(w, 0)), UINT64_MAX);
	}
	assert_true(wholes > 500);
	udp_close(world_net(w, 0), us);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin_one, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_datagram_comes_together_whatever_the_order),
		T(id_and_protocol_tell_datagrams_apart),
		T(an_overlap_drops_the_whole_datagram),
		T(a_duplicate_harms_nobody),
		T(two_opinions_about_the_end_drop_the_datagram),
		T(fragments_that_no_honest_host_sends_are_dropped),
		T(what_stays_incomplete_is_freed_and_the_sender_told),
		T(limits_hold_and_nothing_leaks),
		T(a_datagram_longer_than_any_buffer_is_dropped_and_one_that_fits_is_not),
		cmocka_unit_test(a_fragment_finds_its_flows_owner),
		T(any_stream_of_fragments_does_what_a_naive_model_says),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
