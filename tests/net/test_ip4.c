/* IPv4 outward: headers, checksums over any chain of segments, offloads. */
#include "below_tcp.h"

#include "net/checksum.h"
#include "net/ip4.h"

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

static struct net_dst way(void)
{
	return (struct net_dst){.source = OUR_IP, .next = PEER_IP, .mtu = 1500, .mac = PEER_MAC};
}

/* A TCP or UDP header and payload of len bytes, in segments of at most step bytes. */
static struct rte_mbuf *make(struct world *w, uint8_t proto, unsigned len, unsigned step)
{
	struct frame f = proto == IPPROTO_TCP ? frame_tcp(8080, 40001, RTE_TCP_ACK_FLAG, len)
					      : frame_udp(8080, 40001, len);
	unsigned header = proto == IPPROTO_TCP ? 20 : 8, left = len;
	struct rte_mbuf *head = mem_data_or_null(&w->mem), *m;
	const uint8_t *from = frame_l4(&f);

	memcpy(rte_pktmbuf_append(head, header), from, header);
	for (from += header; left; left -= m->data_len, from += m->data_len) {
		m = mem_data_or_null(&w->mem);
		memcpy(rte_pktmbuf_append(m, RTE_MIN(left, step)), from, RTE_MIN(left, step));
		assert_int_equal(rte_pktmbuf_chain(head, m), 0);
		m = rte_pktmbuf_lastseg(head);
	}
	return head;
}

static struct frame flat(struct rte_mbuf *m)
{
	struct frame f = {.len = m->pkt_len};
	const void *bytes = rte_pktmbuf_read(m, 0, m->pkt_len, f.bytes);

	if (bytes != f.bytes)
		memcpy(f.bytes, bytes, f.len);
	return f;
}

/* MUST-49, RFC 6864 4.1: never fragmented, so its id says nothing. */
static void every_field_is_as_it_should_be(void **state)
{
	struct world *w = *state;
	struct rte_mbuf *m = make(w, IPPROTO_TCP, 10, 10);
	struct net_dst dst = way();
	struct frame f;

	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_TCP, 61, 0x2c);
	f = flat(m);
	assert_int_equal(f.len, 64);
	assert_memory_equal(f.bytes, &PEER_MAC, 6);
	assert_memory_equal(f.bytes + 6, &OUR_MAC, 6);
	assert_int_equal(f.bytes[14], 0x45);
	assert_int_equal(f.bytes[15], 0x2c);
	assert_int_equal(frame_ip(&f)->packet_id, 0);
	assert_int_equal(frame_ip(&f)->fragment_offset, RTE_BE16(0x4000));
	assert_int_equal(frame_ip(&f)->time_to_live, 61);
	assert_int_equal(frame_ip(&f)->next_proto_id, IPPROTO_TCP);
	assert_int_equal(frame_ip(&f)->src_addr, OUR_IP.v4);
	assert_int_equal(frame_ip(&f)->dst_addr, PEER_IP.v4);
	assert_true(frame_ip_valid(&f));
	assert_int_equal(m->ol_flags, 0);
	rte_pktmbuf_free(m);
}

/* RFC 1071 1: half words, and each carry added again. */
static uint16_t fold_slowly(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)sum;
}

static void a_sum_is_folded_with_all_its_carries(void **state)
{
	const uint64_t edges[] = {
		0,	     1,		 0xffff,	 0x10000,	 0xffffffff,
		0x1ffffffff, 0xfffeffff, 0xffffffff0000, 0xffff0000ffff, UINT64_MAX};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(edges); i++)
		for (unsigned k = 0; k < RTE_DIM(edges); k++) {
			uint64_t sum = edges[i] * edges[k] + k;

			assert_int_equal(checksum_fold(edges[i] + edges[k]),
					 fold_slowly(edges[i] + edges[k]));
			assert_int_equal(checksum_fold(sum), fold_slowly(sum));
		}
}

/* MUST-2, with odd segment lengths, which shift every later byte in its half word. */
static void must_2_checksums_are_right_over_any_chain(void **state)
{
	const unsigned lens[] = {0, 1, 2, 3, 99, 100, 1001, 1400}, steps[] = {1400, 700, 333, 101};
	const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct world *w = *state;
	struct net_dst dst = way();

	for (unsigned i = 0; i < 8 * 4 * 2; i++) {
		uint8_t proto = protos[i % 2];
		struct rte_mbuf *m = make(w, proto, lens[i / 8], steps[i / 2 % 4]);
		struct frame f;

		ip4_encap(world_net(w, 0), &dst, PEER_IP, m, proto, 64, 0);
		f = flat(m);
		assert_true(frame_ip_valid(&f));
		rte_pktmbuf_free(m);
	}
}

/* A sum of zero would say that there is none: RFC 768. */
/* RFC 768 */
static void a_udp_checksum_is_never_zero(void **state)
{
	struct world *w = *state;
	struct net_dst dst = way();
	struct rte_mbuf *m = make(w, IPPROTO_UDP, 2, 2);
	struct frame f;
	uint16_t *payload;

	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_UDP, 64, 0);
	f = flat(m);
	rte_pktmbuf_free(m);
	/* Adding the checksum to the payload makes the whole sum all ones: its complement is 0. */
	m = make(w, IPPROTO_UDP, 2, 2);
	payload = rte_pktmbuf_mtod(m->next, uint16_t *);
	{
		uint32_t sum = *payload + ((struct rte_udp_hdr *)frame_l4(&f))->dgram_cksum;

		*payload = (sum & 0xffff) + (sum >> 16);
	}
	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_UDP, 64, 0);
	f = flat(m);
	assert_int_equal(((struct rte_udp_hdr *)frame_l4(&f))->dgram_cksum, 0xffff);
	assert_true(frame_ip_valid(&f));
	rte_pktmbuf_free(m);
}

/* What a device does with the flags, in software. */
static void offloads_leave_to_the_device_what_it_can(void **state)
{
	struct world *w = *state;
	struct net_iface *iface = (struct net_iface *)net_iface_get(w->tables, 0);
	struct net_dst dst = way();
	struct rte_mbuf *m;
	struct frame f;

	iface->tx_ip_checksum = iface->tx_tcp_checksum = true;
	m = make(w, IPPROTO_TCP, 10, 10);
	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_TCP, 64, 0);
	assert_int_equal(m->ol_flags,
			 RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM);
	assert_int_equal(m->l2_len, 14);
	assert_int_equal(m->l3_len, 20);
	assert_int_equal(m->l4_len, 20);
	f = flat(m);
	assert_int_equal(frame_ip(&f)->hdr_checksum, 0);
	{
		struct rte_tcp_hdr *tcp = frame_l4(&f);
		uint32_t sum = rte_raw_cksum(tcp, f.len - 34); /* the field is part of it */

		tcp->cksum = ~((sum & 0xffff) + (sum >> 16));
		frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
	}
	assert_true(frame_ip_valid(&f));
	rte_pktmbuf_free(m);

	m = make(w, IPPROTO_UDP, 10, 10); /* no offload of UDP */
	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_UDP, 64, 0);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
	f = flat(m);
	frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
	assert_true(frame_ip_valid(&f));
	rte_pktmbuf_free(m);
}

static void flags_of_an_earlier_life_are_gone_but_not_what_the_buffer_is(void **state)
{
	struct world *w = *state;
	struct net_dst dst = way();
	struct rte_mbuf *data = mem_data_or_null(&w->mem), *m = mem_small_or_null(&w->mem);

	rte_pktmbuf_append(data, 200);
	rte_pktmbuf_attach(m, data);
	rte_pktmbuf_adj(m, 100);
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_TX_TCP_CKSUM;
	ip4_encap(world_net(w, 0), &dst, PEER_IP, m, IPPROTO_ICMP, 64, 0);
	assert_int_equal(m->ol_flags, RTE_MBUF_F_INDIRECT);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(every_field_is_as_it_should_be),
		T(a_sum_is_folded_with_all_its_carries),
		T(must_2_checksums_are_right_over_any_chain),
		T(a_udp_checksum_is_never_zero),
		T(offloads_leave_to_the_device_what_it_can),
		T(flags_of_an_earlier_life_are_gone_but_not_what_the_buffer_is),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
