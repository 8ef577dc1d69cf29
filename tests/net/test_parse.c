/* From bytes to legal values: every length, every checksum, every reason to drop. */
#include "below_tcp.h"

#include "net/parse.h"

#include <rte_arp.h>
#include <rte_ip.h>
#include <stdlib.h>

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

static enum drop_reason parse(struct world *w, const struct frame *f, uint64_t ol_flags,
			      struct net_pkt *pkt)
{
	struct rte_mbuf *m = frame_to_mbuf(w, f);
	enum drop_reason reason;

	m->ol_flags |= ol_flags;
	reason = parse_frame(w->tables, m);
	if (pkt)
		*pkt = *net_pkt_of(m);
	rte_pktmbuf_free(m);
	return reason;
}

/* The packet is dropped for this reason, and counted so, when it comes off the wire. */
static void assert_drop(struct world *w, const struct frame *f, enum drop_reason reason)
{
	uint64_t drops = world_drops(w, reason), all = world_drops_all(w);

	assert_string_equal(reason == parse(w, f, 0, NULL) ? "" : drop_name[parse(w, f, 0, NULL)],
			    "");
	world_input(w, 0, f);
	assert_int_equal(world_drops(w, reason), drops + 1);
	assert_int_equal(world_drops_all(w), all + 1);
}

static struct frame quoted_error(uint8_t proto)
{
	uint8_t quoted[28] = {0x45, 0,	  0,	60,   0,    0,	  0x40, 0,   64, proto,
			      0,    0,	  10,	0,    0,    1,	  10,	0,   0,	 2,
			      0x1f, 0x90, 0xc0, 0x01, 0xde, 0xad, 0xbe, 0xef};

	return frame_icmp(3, 4, 1400, quoted, sizeof(quoted));
}

static void a_tcp_segment_is_told_apart_to_the_last_field(void **state)
{
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG, 100);
	struct net_pkt pkt;

	frame_ip(&f)->type_of_service = 0xb9;
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.kind, NET_PKT_TCP);
	assert_int_equal(pkt.proto, IPPROTO_TCP);
	assert_true(ip_addr_eq(pkt.flow.local, OUR_IP));
	assert_true(ip_addr_eq(pkt.flow.remote, PEER_IP));
	assert_int_equal(pkt.flow.local_port, rte_cpu_to_be_16(8080));
	assert_int_equal(pkt.flow.remote_port, rte_cpu_to_be_16(40001));
	assert_int_equal(pkt.l4_off, 34);
	assert_int_equal(pkt.payload_off, 54);
	assert_int_equal(pkt.payload_len, 100);
	assert_int_equal(pkt.seq, 0x01020304);
	assert_int_equal(pkt.ack, 0x05060708);
	assert_int_equal(pkt.wnd, 0x1234);
	assert_int_equal(pkt.urgent, 0x4321);
	assert_int_equal(pkt.tcp_flags, RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG);
	assert_int_equal(pkt.tos, 0xb9);
	assert_false(pkt.multi);
	assert_int_equal(net_pkt_seg_len(&pkt), 101);
}

/* Scaling is TCP's: a window above 32,767 must not turn negative on the way (MUST-1). */
static void must_1_the_window_is_unsigned(void **state)
{
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 0);
	struct net_pkt pkt;

	((struct rte_tcp_hdr *)frame_l4(&f))->rx_win = 0xffff;
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.wnd, 65535);
}

static void padding_behind_the_packet_is_no_payload(void **state)
{
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 0);
	struct rte_mbuf *m;

	memset(f.bytes + f.len, 0xee, 6);
	f.len += 6;
	m = frame_to_mbuf(*state, &f);
	assert_int_equal(parse_frame(((struct world *)*state)->tables, m), PARSE_OK);
	assert_int_equal(net_pkt_of(m)->payload_len, 0);
	assert_int_equal(m->pkt_len, 54);
	assert_int_equal(m->data_len, 54);
	rte_pktmbuf_free(m);
}

/* Cut off anywhere, the frame must not be taken for whole, nor read behind its end. */
static void assert_no_truncation_passes(struct world *w, const struct frame *whole)
{
	struct frame f = *whole;

	assert_int_equal(parse(w, &f, 0, NULL), PARSE_OK);
	for (f.len = whole->len - 1; f.len > 0; f.len--)
		assert_int_not_equal(parse(w, &f, 0, NULL), PARSE_OK);
}

/* A frame whose memory ends where it ends: under ASan a look behind it is a crash. */
static void parse_exact(struct world *w, const struct frame *f, uint64_t ol_flags)
{
	struct {
		struct rte_mbuf m;
		struct pbuf pbuf;
	} buffer = {.m = {.refcnt = 1,
			  .nb_segs = 1,
			  .ol_flags = ol_flags,
			  .buf_len = f->len,
			  .data_len = f->len,
			  .pkt_len = f->len,
			  .priv_size = PBUF_PRIV_LEN}};

	buffer.m.buf_addr = malloc(f->len);
	assert_non_null(buffer.m.buf_addr);
	memcpy(buffer.m.buf_addr, f->bytes, f->len);
	parse_frame(w->tables, &buffer.m);
	free(buffer.m.buf_addr);
}

static void nothing_is_read_behind_the_end_of_a_frame(void **state)
{
	const struct frame frames[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 33),
		frame_udp(40001, 53, 33),
		frame_icmp(8, 0, 1, NULL, 33),
		quoted_error(IPPROTO_TCP),
	};
	const uint64_t believed = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frames[i];

		for (; f.len > 0; f.len--) {
			/* As it came, and with lengths that pretend to be whole. */
			parse_exact(*state, &f, believed);
			if (f.len > 34)
				frame_ip(&f)->total_length = rte_cpu_to_be_16(f.len - 14);
			for (unsigned ihl = 5; ihl < 16; ihl++) {
				f.bytes[14] = 0x40 | ihl;
				parse_exact(*state, &f, believed);
			}
			f.bytes[14] = 0x45;
		}
	}
}

static void no_truncated_frame_passes(void **state)
{
	const struct frame frames[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 33),
		frame_udp(40001, 53, 33),
		frame_icmp(8, 0, 1, NULL, 33),
		quoted_error(IPPROTO_TCP),
	};

	for (unsigned i = 0; i < 4; i++)
		assert_no_truncation_passes(*state, &frames[i]);
}

/* The same, with the IP length following, so that only the transport's own checks can help. */
static void no_datagram_cut_inside_ip_passes(void **state)
{
	const struct frame frames[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 33),
		frame_udp(40001, 53, 33),
		frame_icmp(8, 0, 1, NULL, 33),
		quoted_error(IPPROTO_TCP),
	};

	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frames[i];

		while (f.len > 34) {
			f.len--;
			frame_ip(&f)->total_length = rte_cpu_to_be_16(f.len - 14);
			frame_ip(&f)->hdr_checksum = 0;
			frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
			assert_int_not_equal(parse(*state, &f, 0, NULL), PARSE_OK);
		}
	}
}

/* With its checksums made right again after each cut, length checks alone must hold. */
static void a_sealed_truncated_header_is_malformed(void **state)
{
	struct frame tcp = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 0), f;

	for (unsigned len = 19; len > 0; len--) {
		f = tcp;
		f.len = 34 + len;
		frame_ip(&f)->total_length = rte_cpu_to_be_16(20 + len);
		frame_ip(&f)->hdr_checksum = 0;
		frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
		assert_drop(*state, &f, DROP_tcp_bad);
		frame_ip(&f)->next_proto_id = IPPROTO_UDP;
		frame_ip(&f)->hdr_checksum = 0;
		frame_ip(&f)->hdr_checksum = rte_ipv4_cksum(frame_ip(&f));
		if (len < 8)
			assert_drop(*state, &f, DROP_udp_bad);
	}
}

static void every_flipped_bit_is_noticed(void **state)
{
	const struct frame frames[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 9),
		frame_udp(40001, 53, 9),
		frame_icmp(8, 0, 1, NULL, 9),
	};

	for (unsigned i = 0; i < 3; i++) {
		for (unsigned bit = 14 * 8; bit < frames[i].len * 8; bit++) {
			struct frame f = frames[i];

			f.bytes[bit / 8] ^= 1 << bit % 8;
			assert_int_not_equal(parse(*state, &f, 0, NULL), PARSE_OK);
		}
	}
}

static void ethernet_takes_what_is_addressed_to_us(void **state)
{
	struct frame f = frame_udp(40001, 53, 4);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f.bytes;

	eth->dst_addr = OTHER_MAC;
	assert_drop(*state, &f, DROP_eth_not_ours);
	eth->dst_addr = OUR_MAC_2;
	assert_drop(*state, &f, DROP_eth_not_ours);
	eth->dst_addr = OUR_MAC;
	eth->src_addr = ALL_MAC;
	assert_drop(*state, &f, DROP_eth_source);
	memset(&eth->src_addr, 0, 6);
	assert_drop(*state, &f, DROP_eth_source);
	eth->src_addr = PEER_MAC;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6);
	assert_drop(*state, &f, DROP_eth_type);
	f.len = 13;
	assert_drop(*state, &f, DROP_eth_short);
}

static void an_ip_header_that_lies_about_itself_is_dropped(void **state)
{
	struct frame good = frame_udp(40001, 53, 4), f = good;

	f.bytes[14] = 0x65;
	assert_drop(*state, &f, DROP_ip_bad);
	f.bytes[14] = 0x44;
	assert_drop(*state, &f, DROP_ip_bad);
	f.bytes[14] = 0x4f; /* more than there is */
	assert_drop(*state, &f, DROP_ip_bad);
	f = good;
	frame_ip(&f)->total_length = rte_cpu_to_be_16(f.len - 14 + 1);
	assert_drop(*state, &f, DROP_ip_bad);
	frame_ip(&f)->total_length = RTE_BE16(19);
	assert_drop(*state, &f, DROP_ip_bad);
	f = good;
	frame_ip(&f)->hdr_checksum ^= 1;
	assert_drop(*state, &f, DROP_ip_checksum);
}

/* MUST-57 */
static void must_57_tcp_to_many_is_dropped(void **state)
{
	const struct ip_addr to[] = {IP(255, 255, 255, 255), IP(10, 0, 0, 255), IP(224, 0, 0, 1)};
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_SYN_FLAG, 0);

	for (unsigned i = 0; i < 3; i++) {
		frame_ip(&f)->dst_addr = to[i].v4;
		frame_seal(&f);
		assert_drop(*state, &f, DROP_tcp_not_unicast);
	}
	frame_ip(&f)->dst_addr = OUR_IP.v4;
	frame_seal(&f);
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	assert_drop(*state, &f, DROP_tcp_not_unicast);
}

static void a_destination_that_is_not_ours_is_dropped(void **state)
{
	const struct ip_addr to[] = {IP(10, 0, 0, 3), IP(127, 0, 0, 1), IP(224, 0, 0, 1),
				     IP(0, 0, 0, 0), IP(240, 0, 0, 1)};
	struct frame f = frame_udp(40001, 53, 4);

	for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		frame_ip(&f)->dst_addr = to[i].v4;
		frame_seal(&f);
		assert_drop(*state, &f, DROP_ip_not_ours);
	}
	/* Unicast in a broadcast frame: RFC 1122 3.3.6. */
	frame_ip(&f)->dst_addr = OUR_IP.v4;
	frame_seal(&f);
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	assert_drop(*state, &f, DROP_ip_not_ours);
	/* Any of our addresses will do, whichever link it came by. */
	((struct rte_ether_hdr *)f.bytes)->dst_addr = OUR_MAC;
	frame_ip(&f)->dst_addr = OUR_IP_2.v4;
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, NULL), PARSE_OK);
}

/* RFC 1122 3.3.6 */
static void a_broadcast_datagram_is_marked(void **state)
{
	struct frame f = frame_udp(40001, 53, 4);
	struct net_pkt pkt;

	frame_ip(&f)->dst_addr = IP(10, 0, 0, 255).v4;
	((struct rte_ether_hdr *)f.bytes)->dst_addr = ALL_MAC;
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_true(pkt.multi);
}

/* MUST-63, RFC 1122 3.2.1.3 */
static void martian_sources_are_dropped(void **state)
{
	const struct ip_addr from[] = {
		IP(0, 0, 0, 0),		IP(0, 1, 2, 3),	   IP(127, 0, 0, 1),
		IP(224, 0, 0, 5),	IP(240, 0, 0, 1),  OUR_IP,
		IP(255, 255, 255, 255), IP(10, 0, 0, 255), OUR_IP_2,
	};
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_SYN_FLAG, 0);

	for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		frame_ip(&f)->src_addr = from[i].v4;
		frame_seal(&f);
		assert_drop(*state, &f, DROP_ip_source);
	}
}

/* MUST-50 */
static void must_50_ip_options_are_skipped(void **state)
{
	const uint8_t options[] = {1, 7, 7, 4, 0, 0, 0, 0, 99, 3, 0xff, 0};
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 5);
	struct net_pkt pkt;

	frame_add_options(&f, options, sizeof(options));
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.l4_off, 46);
	assert_int_equal(pkt.payload_off, 66);
	assert_int_equal(pkt.payload_len, 5);
	assert_no_truncation_passes(*state, &f);
}

static void malformed_ip_options_are_dropped(void **state)
{
	const uint8_t bad[][4] = {{7, 0, 0, 0}, {7, 1, 0, 0}, {7, 5, 0, 0}, {1, 1, 1, 7}};

	for (unsigned i = 0; i < 4; i++) {
		struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 5);

		frame_add_options(&f, bad[i], 4);
		assert_drop(*state, &f, DROP_ip_bad);
	}
}

/* MUST-51, MUST-52, MUST-53 */
static void source_routes_are_dropped(void **state)
{
	const uint8_t routes[][4] = {{131, 3, 4, 0}, {137, 3, 4, 0}, {1, 131, 3, 4}};

	for (unsigned i = 0; i < 3; i++) {
		struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 5);

		frame_add_options(&f, routes[i], 4);
		assert_drop(*state, &f, DROP_ip_source_route);
	}
}

static void fragments_are_told_apart_by_id_and_protocol_and_df_is_no_fragment(void **state)
{
	struct frame f = frame_udp(40001, 53, 4);
	struct net_pkt pkt;

	frame_ip(&f)->fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG);
	frame_ip(&f)->packet_id = RTE_BE16(77);
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.kind, NET_PKT_FRAGMENT);
	assert_int_equal(pkt.flow.local_port, RTE_BE16(77));
	assert_int_equal(pkt.flow.remote_port, RTE_BE16(IPPROTO_UDP));
	frame_ip(&f)->fragment_offset = RTE_BE16(5);
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.kind, NET_PKT_FRAGMENT);
	frame_ip(&f)->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	frame_seal(&f);
	assert_int_equal(parse(*state, &f, 0, NULL), PARSE_OK);
}

static void an_unknown_protocol_is_dropped(void **state)
{
	struct frame f = frame_udp(40001, 53, 4);

	frame_ip(&f)->next_proto_id = 132;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_ip_protocol);
}

/* MUST-3 */
static void a_tcp_header_that_lies_about_itself_is_dropped(void **state)
{
	struct frame good = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 3), f = good;
	struct rte_tcp_hdr *tcp = frame_l4(&f);

	tcp->data_off = 4 << 4;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_tcp_bad);
	tcp->data_off = 6 << 4; /* one more byte than there is */
	frame_seal(&f);
	assert_drop(*state, &f, DROP_tcp_bad);
	f = good;
	tcp->src_port = 0;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_tcp_bad);
	f = good;
	tcp->dst_port = 0;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_tcp_bad);
	f = good;
	tcp->cksum ^= 1;
	assert_drop(*state, &f, DROP_tcp_checksum);
}

static void a_udp_header_that_lies_about_itself_is_dropped(void **state)
{
	struct frame good = frame_udp(40001, 53, 9), f = good;
	struct rte_udp_hdr *udp = frame_l4(&f);

	udp->dgram_len = RTE_BE16(7);
	frame_seal(&f);
	assert_drop(*state, &f, DROP_udp_bad);
	udp->dgram_len = RTE_BE16(18);
	frame_seal(&f);
	assert_drop(*state, &f, DROP_udp_bad);
	f = good;
	udp->dst_port = 0;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_udp_bad);
	f = good;
	udp->dgram_cksum ^= 1;
	assert_drop(*state, &f, DROP_udp_checksum);
}

static void a_datagram_without_checksum_is_taken(void **state)
{
	struct frame f = frame_udp(40001, 53, 9);

	((struct rte_udp_hdr *)frame_l4(&f))->dgram_cksum = 0;
	assert_int_equal(parse(*state, &f, 0, NULL), PARSE_OK);
}

static void a_datagram_shorter_than_its_packet_ends_where_it_says(void **state)
{
	struct frame f = frame_udp(40001, 53, 9);
	struct rte_udp_hdr *udp = frame_l4(&f);
	struct net_pkt pkt;

	udp->dgram_len = RTE_BE16(8 + 4);
	udp->dgram_cksum = 0;
	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.payload_len, 4);
}

static void what_the_device_verified_is_not_summed_again(void **state)
{
	struct frame f = frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 3);
	const uint64_t ip_good = RTE_MBUF_F_RX_IP_CKSUM_GOOD, l4_good = RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	((struct rte_tcp_hdr *)frame_l4(&f))->cksum ^= 1;
	assert_int_equal(parse(*state, &f, l4_good, NULL), PARSE_OK);
	assert_int_equal(parse(*state, &f, RTE_MBUF_F_RX_L4_CKSUM_NONE, NULL), PARSE_OK);
	assert_int_equal(parse(*state, &f, RTE_MBUF_F_RX_L4_CKSUM_BAD, NULL), DROP_tcp_checksum);
	frame_ip(&f)->hdr_checksum ^= 1;
	assert_int_equal(parse(*state, &f, l4_good, NULL), DROP_ip_checksum);
	assert_int_equal(parse(*state, &f, ip_good | l4_good, NULL), PARSE_OK);
}

static void an_icmp_error_is_about_the_flow_that_it_quotes(void **state)
{
	struct frame f = quoted_error(IPPROTO_TCP);
	struct net_pkt pkt;

	assert_int_equal(parse(*state, &f, 0, &pkt), PARSE_OK);
	assert_int_equal(pkt.kind, NET_PKT_ICMP_ERROR);
	assert_int_equal(pkt.proto, IPPROTO_TCP);
	assert_true(ip_addr_eq(pkt.flow.local, OUR_IP));
	assert_true(ip_addr_eq(pkt.flow.remote, PEER_IP));
	assert_int_equal(pkt.flow.local_port, RTE_BE16(0x1f90));
	assert_int_equal(pkt.flow.remote_port, RTE_BE16(0xc001));
	assert_int_equal(pkt.seq, 0xdeadbeef);
	assert_int_equal(pkt.icmp_type, 3);
	assert_int_equal(pkt.icmp_code, 4);
	assert_int_equal(pkt.icmp_mtu, 1400);
}

static void an_icmp_error_about_what_we_cannot_have_sent_is_ignored(void **state)
{
	struct frame f = quoted_error(IPPROTO_TCP);

	f.bytes[42 + 12 + 3] = 9; /* from 10.0.0.9 */
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_ignored);
	f = quoted_error(IPPROTO_ICMP);
	assert_drop(*state, &f, DROP_icmp_ignored);
	f = quoted_error(IPPROTO_TCP);
	f.bytes[42 + 7] = 5; /* a later fragment: no ports in it */
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_ignored);
}

static void an_icmp_error_whose_quotation_is_malformed_is_dropped(void **state)
{
	struct frame f = quoted_error(IPPROTO_TCP);

	f.bytes[42] = 0x65;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_bad);
	f.bytes[42] = 0x44;
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_bad);
	f.bytes[42] = 0x46; /* the ports would lie behind the end */
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_bad);
}

/* RFC 5927 4.1: without ports and sequence number nobody can say what it is about. */
static void an_icmp_error_that_quotes_too_little_is_dropped(void **state)
{
	const struct frame whole = quoted_error(IPPROTO_TCP);
	const uint8_t *quoted = whole.bytes + 42;
	struct frame f;

	for (unsigned len = 0; len < 28; len++) {
		f = frame_icmp(3, 4, 1400, quoted, len);
		assert_drop(*state, &f, DROP_icmp_bad);
	}
	f = frame_icmp(3, 4, 1400, quoted, 28);
	assert_int_equal(parse(*state, &f, 0, NULL), PARSE_OK);
}

static void a_short_or_corrupt_icmp_message_is_dropped(void **state)
{
	struct frame f = frame_icmp(8, 0, 1, NULL, 9);

	((uint8_t *)frame_l4(&f))[2] ^= 1;
	assert_drop(*state, &f, DROP_icmp_bad);
	f = frame_icmp(8, 0, 1, NULL, 0);
	f.len--;
	frame_ip(&f)->total_length = rte_cpu_to_be_16(f.len - 14);
	frame_seal(&f);
	assert_drop(*state, &f, DROP_icmp_bad);
}

/* Checksums are believed, so that noise gets as far as it can. */
static void random_bytes_never_make_impossible_values(void **state)
{
	const struct frame seeds[] = {
		frame_tcp(40001, 8080, RTE_TCP_ACK_FLAG, 40),
		frame_udp(40001, 53, 40),
		quoted_error(IPPROTO_TCP),
		frame_arp(RTE_ARP_OP_REQUEST, PEER_MAC, PEER_IP, OUR_IP),
	};
	const uint64_t believed = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	uint32_t random = 1;

	for (unsigned i = 0; i < 20000; i++) {
		struct frame f = seeds[i % 4];
		struct net_pkt pkt;

		for (unsigned n = 0; n < 1 + i % 5; n++) {
			random = random * 1664525 + 1013904223;
			f.bytes[(random >> 8) % f.len] = random >> 24;
		}
		if (i % 3 == 0)
			f.len = (random >> 4) % (f.len + 1);
		if (f.len == 0 || parse(*state, &f, believed, &pkt) != PARSE_OK)
			continue;
		if (pkt.kind == NET_PKT_ARP)
			continue;
		if (pkt.kind == NET_PKT_FRAGMENT) {
			assert_true(pkt.l4_off >= 34 && pkt.l4_off <= f.len);
			continue;
		}
		assert_true(pkt.l4_off >= 34 && pkt.payload_off > pkt.l4_off);
		assert_true(pkt.payload_off + pkt.payload_len <= f.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_tcp_segment_is_told_apart_to_the_last_field),
		T(must_1_the_window_is_unsigned),
		T(padding_behind_the_packet_is_no_payload),
		T(nothing_is_read_behind_the_end_of_a_frame),
		T(no_truncated_frame_passes),
		T(no_datagram_cut_inside_ip_passes),
		T(a_sealed_truncated_header_is_malformed),
		T(every_flipped_bit_is_noticed),
		T(ethernet_takes_what_is_addressed_to_us),
		T(an_ip_header_that_lies_about_itself_is_dropped),
		T(must_57_tcp_to_many_is_dropped),
		T(a_destination_that_is_not_ours_is_dropped),
		T(a_broadcast_datagram_is_marked),
		T(martian_sources_are_dropped),
		T(must_50_ip_options_are_skipped),
		T(malformed_ip_options_are_dropped),
		T(source_routes_are_dropped),
		T(fragments_are_told_apart_by_id_and_protocol_and_df_is_no_fragment),
		T(an_unknown_protocol_is_dropped),
		T(a_tcp_header_that_lies_about_itself_is_dropped),
		T(a_udp_header_that_lies_about_itself_is_dropped),
		T(a_datagram_without_checksum_is_taken),
		T(a_datagram_shorter_than_its_packet_ends_where_it_says),
		T(what_the_device_verified_is_not_summed_again),
		T(an_icmp_error_is_about_the_flow_that_it_quotes),
		T(an_icmp_error_about_what_we_cannot_have_sent_is_ignored),
		T(an_icmp_error_whose_quotation_is_malformed_is_dropped),
		T(an_icmp_error_that_quotes_too_little_is_dropped),
		T(a_short_or_corrupt_icmp_message_is_dropped),
		T(random_bytes_never_make_impossible_values),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
