/* The peer's moves: frames that are right but for what the script changes. */
#include "conversation.h"

#include "mem/check.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>

enum {
	FIRST_ISS = 0xfffff000u, /* numbers wrap soon */
	ISS_STEP = 300000,
	WND_RIGHT = 60000,
	FAR_FACTOR = 65539,
	FAR_LEN = 1 << 28, /* no distance that edges are kept up with */
	PAYLOAD_MAX = 1460,
	SYN_OPTIONS_LEN = 20,
	RAW_RECORDS_MAX = 3,
	FRAGMENTS_MAX = 10,
	TS_START = 4000000000u,
};

struct segment {
	struct flow *flow;
	uint32_t seq, ack;
	uint16_t wnd, len;
	uint8_t flags, tos, opts_len;
	uint8_t opts[TCP_OPT_LEN_MAX];
};

static struct flow *flow_of(struct conversation *c, const struct move *m)
{
	return &c->flows[(m->who & MOVE_FLOW_MASK) % FLOWS];
}

/* --- segments --- */

static uint32_t ts_now(const struct conversation *c)
{
	return TS_START + (uint32_t)(demi_sim_now(c->w.world) / MS);
}

static void add_usual_options(const struct conversation *c, struct segment *s)
{
	struct tcp_range ranges[FLOW_RANGES];
	unsigned count = s->flow->range_count;

	s->opts_len = 0;
	if (s->flow->timestamps)
		s->opts_len =
			(uint8_t)tcp_opt_write_timestamps(s->opts, ts_now(c), s->flow->ts_recent);
	if (!s->flow->sack || count == 0)
		return;
	memcpy(ranges, s->flow->ranges, sizeof(ranges));
	s->opts_len += (uint8_t)tcp_opt_write_sack(s->opts + s->opts_len, ranges, count);
}

static void add_syn_options(const struct conversation *c, struct segment *s)
{
	const struct tcp_opts opts = {.present = TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TIMESTAMPS |
						 TCP_OPT_SACK_PERMITTED,
				      .mss = PAYLOAD_MAX,
				      .wscale = 7,
				      .ts_val = ts_now(c),
				      .ts_ecr = s->flow->ts_recent};

	s->opts_len = (uint8_t)tcp_opt_write_syn(s->opts, &opts);
}

/* A SYN, or a SYN-ACK where the host asked. */
static void open_new(struct conversation *c, struct segment *s)
{
	struct flow *flow = s->flow;

	s->seq = FIRST_ISS + flow->syns++ * (uint32_t)ISS_STEP;
	s->flags = RTE_TCP_SYN_FLAG;
	if (!flow->passive) {
		s->flags |= RTE_TCP_ACK_FLAG;
		s->ack = flow->rcv_nxt;
	}
	flow->snd_nxt = s->seq;
	add_syn_options(c, s);
}

static uint32_t distance(const struct move *m, int16_t number)
{
	return (uint32_t)(int32_t)number * (m->control & MOVE_FAR ? FAR_FACTOR : 1);
}

static struct segment fitting(struct conversation *c, const struct move *m)
{
	struct flow *flow = flow_of(c, m);
	struct segment s = {.flow = flow,
			    .seq = flow->snd_nxt,
			    .ack = flow->rcv_nxt,
			    .wnd = WND_RIGHT,
			    .flags = RTE_TCP_ACK_FLAG};

	if (m->control & MOVE_NEW)
		open_new(c, &s);
	else
		add_usual_options(c, &s);
	if (m->control & MOVE_SEQ)
		s.seq += distance(m, m->seq);
	if (m->control & MOVE_ACK)
		s.ack += distance(m, m->ack);
	if (m->control & MOVE_FLAGS)
		s.flags = m->flags;
	if (m->control & MOVE_WND)
		s.wnd = m->wnd;
	if (m->control & MOVE_DATA)
		s.len = m->len % (PAYLOAD_MAX + 1);
	return s;
}

/* Its length. */
static uint32_t write(struct conversation *c, uint8_t *frame, const struct segment *s,
		      const struct move *m)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	const uint32_t header_len = (uint32_t)sizeof(*tcp) + s->opts_len;
	const uint32_t total_len = (uint32_t)sizeof(*ip) + header_len + s->len;
	const uint32_t first = s->seq + !!(s->flags & RTE_TCP_SYN_FLAG);
	uint8_t *payload = (uint8_t *)tcp + header_len;

	*eth = (struct rte_ether_hdr){
		.dst_addr = {{2, 0, 0, 0, 0, 1}},
		.src_addr = {{2, 0, 0, 0, 0, (uint8_t)(s->flow->addr == PEER_ADDR ? 2 : 3)}},
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .type_of_service = s->tos,
				    .total_length = rte_cpu_to_be_16((uint16_t)total_len),
				    .packet_id = rte_cpu_to_be_16(++c->ip_id),
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_TCP,
				    .src_addr = s->flow->addr,
				    .dst_addr = HOST_ADDR};
	*tcp = (struct rte_tcp_hdr){.src_port = s->flow->port,
				    .dst_port = s->flow->host_port,
				    .sent_seq = rte_cpu_to_be_32(s->seq),
				    .recv_ack = rte_cpu_to_be_32(s->ack),
				    .data_off = (uint8_t)(header_len / 4 << 4),
				    .tcp_flags = s->flags,
				    .rx_win = rte_cpu_to_be_16(s->wnd)};
	memcpy(tcp + 1, s->opts, s->opts_len);
	for (uint32_t i = 0; i < s->len; i++)
		payload[i] = conversation_byte(first + i) ^ (m->who & MOVE_FORGED ? 0x55 : 0);
	frame_sum(frame, FRAME_ETH_LEN + total_len);
	return FRAME_ETH_LEN + total_len;
}

/* What the peer, and what is checked later, has to know of it. */
static void note(struct conversation *c, const struct segment *s, const struct move *m,
		 const uint8_t *frame)
{
	struct flow *flow = s->flow;
	const struct rte_tcp_hdr *tcp =
		(const struct rte_tcp_hdr *)(frame + FRAME_ETH_LEN + FRAME_IP_LEN);
	const uint32_t end =
		s->seq + s->len + !!(s->flags & RTE_TCP_SYN_FLAG) + !!(s->flags & RTE_TCP_FIN_FLAG);
	struct tcp_opts opts;

	if (m->who & MOVE_BROKEN)
		return;
	if (!(m->who & MOVE_SAME) && !(m->control & MOVE_SEQ))
		flow->snd_nxt = end;
	flow->forged |= m->who & MOVE_FORGED && s->len > 0;
	c->forged |= !!(m->control & MOVE_FLIP);
	flow->wild |=
		(flow->sent && s->seq - flow->snd_max + FAR_LEN > 2u * FAR_LEN) ||
		(s->flags & RTE_TCP_ACK_FLAG && s->ack - flow->rcv_nxt + FAR_LEN > 2u * FAR_LEN);
	if (!tcp_opt_parse(&opts, s->opts, s->opts_len))
		opts = (struct tcp_opts){0};
	flow_sent(flow, tcp, &opts, s->len);
}

static uint32_t make(struct conversation *c, uint8_t *frame, const struct segment *s,
		     const struct move *m)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(frame + FRAME_ETH_LEN + FRAME_IP_LEN);
	const uint32_t len = write(c, frame, s, m);

	note(c, s, m, frame);
	if (m->control & MOVE_FLIP) {
		frame[m->wnd % len] ^= m->flags | 1;
		frame_sum(frame, len);
	}
	if (m->who & MOVE_BROKEN)
		tcp->cksum ^= 1;
	return len;
}

static void transmit(struct conversation *c, const struct segment *s, const struct move *m)
{
	uint8_t frame[FRAME_LEN_MAX];
	const uint32_t len = make(c, frame, s, m);

	wire_inject(&c->w, frame, len);
	if (m->who & MOVE_TWICE)
		wire_inject(&c->w, frame, len);
}

void peer_segment(struct conversation *c, const struct move *m, struct script *script)
{
	const struct segment s = fitting(c, m);

	(void)script;
	transmit(c, &s, m);
}

/* --- options --- */

static void add_sack(struct segment *s, const struct move *m, unsigned count)
{
	struct tcp_range ranges[2];

	ranges[0].start = s->flow->rcv_nxt + (uint32_t)(int32_t)m->seq;
	ranges[0].end = ranges[0].start + m->len;
	ranges[1].start = s->flow->rcv_nxt + (uint32_t)(int32_t)m->ack;
	ranges[1].end = ranges[1].start + m->wnd;
	s->opts_len = 0;
	s->opts_len += (uint8_t)tcp_opt_write_sack(s->opts, ranges, count);
}

static void add_raw(struct segment *s, const struct move *m, struct script *script)
{
	size_t len = (size_t)m->len % (TCP_OPT_LEN_MAX + 1);

	if (len > script->len)
		len = script->len;
	if (len > RAW_RECORDS_MAX * MOVE_LEN)
		len = RAW_RECORDS_MAX * MOVE_LEN;
	memset(s->opts, 0, sizeof(s->opts));
	for (size_t at = 0; at < len; at += MOVE_LEN) {
		const struct move raw = script_next(script);

		memcpy(s->opts + at, &raw, len - at < MOVE_LEN ? len - at : MOVE_LEN);
	}
	s->opts_len = (uint8_t)((len + 3) / 4 * 4);
}

static void add_odd_syn_options(struct conversation *c, struct segment *s, const struct move *m)
{
	const struct tcp_opts opts = {.present = m->control &
						 (TCP_OPT_MSS | TCP_OPT_WSCALE |
						  TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS),
				      .mss = m->len,
				      .wscale = m->flags % 16,
				      .ts_val = ts_now(c) + (uint32_t)(int32_t)m->seq,
				      .ts_ecr = s->flow->ts_recent + (uint32_t)(int32_t)m->ack};

	s->opts_len = (uint8_t)tcp_opt_write_syn(s->opts, &opts);
}

/* The next record says which, and the ECN bits of the packet. */
void peer_segment_with_options(struct conversation *c, const struct move *m, struct script *script)
{
	struct segment s = fitting(c, m);
	const struct move other = script_next(script);

	s.tos = other.who & RTE_IPV4_HDR_ECN_MASK;
	switch (other.kind % 7) {
	case 0:
		s.opts_len = 0;
		break;
	case 1:
		add_raw(&s, &other, script);
		break;
	case 2:
	case 3:
		add_sack(&s, &other, other.kind % 7 - 1);
		break;
	case 4:
		s.opts_len = (uint8_t)tcp_opt_write_timestamps(
			s.opts, ts_now(c) + distance(&other, other.seq),
			s.flow->ts_recent + distance(&other, other.ack));
		break;
	case 5:
		add_odd_syn_options(c, &s, &other);
		break;
	default: /* the usual ones */
		break;
	}
	transmit(c, &s, m);
}

/* --- fragments --- */

enum { BACKWARDS = 1, WITHOUT_LAST = 2, FIRST_TWICE = 4, OVERLAPPING = 8 };

static void send_fragment(struct conversation *c, const uint8_t *whole, uint32_t at, uint32_t len,
			  bool more)
{
	uint8_t frame[FRAME_LEN_MAX];
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + FRAME_ETH_LEN);

	memcpy(frame, whole, FRAME_ETH_LEN + FRAME_IP_LEN);
	memcpy(ip + 1, whole + FRAME_ETH_LEN + FRAME_IP_LEN + at, len);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(FRAME_IP_LEN + len));
	ip->fragment_offset =
		rte_cpu_to_be_16((uint16_t)(at / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	wire_inject(&c->w, frame, FRAME_ETH_LEN + FRAME_IP_LEN + len);
}

/* The next record says how. */
void peer_segment_in_fragments(struct conversation *c, const struct move *m, struct script *script)
{
	const struct segment s = fitting(c, m);
	const struct move how = script_next(script);
	uint8_t whole[FRAME_LEN_MAX];
	const uint32_t whole_len = make(c, whole, &s, m) - FRAME_ETH_LEN - FRAME_IP_LEN;
	const uint32_t least = (whole_len + FRAGMENTS_MAX - 1) / FRAGMENTS_MAX;
	uint32_t cut = how.len % PAYLOAD_MAX;
	unsigned count;

	cut = RTE_ALIGN_CEIL(cut < least ? least : cut, 8);
	count = (whole_len + cut - 1) / cut;
	for (unsigned i = 0; i < count + !!(how.flags & FIRST_TWICE); i++) {
		const unsigned n = i == count ? 0 : how.flags & BACKWARDS ? count - 1 - i : i;
		const bool last = n == count - 1;
		const uint32_t at = n * cut, over = how.flags & OVERLAPPING && !last ? 8 : 0;
		uint32_t len = last ? whole_len - at : cut + over;

		if (at + len > whole_len)
			len = whole_len - at;
		if (!last || !(how.flags & WITHOUT_LAST))
			send_fragment(c, whole, at, len, !last);
	}
}

/* --- not TCP --- */

/* An error of type flags about the host's last segment: control is the code, wnd what routers say
 * about their MTU, len how much is quoted; seq is added to the number in it. */
void peer_icmp(struct conversation *c, const struct move *m, struct script *script)
{
	const struct flow *flow = flow_of(c, m);
	uint8_t frame[FRAME_LEN_MAX] = {0};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
	struct rte_tcp_hdr *quoted;
	const uint32_t quote_len = FLOW_QUOTE_LEN - m->len % (FLOW_QUOTE_LEN + 1);
	const uint32_t total_len = (uint32_t)(sizeof(*ip) + sizeof(*icmp)) + quote_len;

	(void)script;
	if (!flow->quote[0])
		return;
	*eth = (struct rte_ether_hdr){.dst_addr = {{2, 0, 0, 0, 0, 1}},
				      .src_addr = {{2, 0, 0, 0, 0, 2}},
				      .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .total_length = rte_cpu_to_be_16((uint16_t)total_len),
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_ICMP,
				    .src_addr = flow->addr,
				    .dst_addr = HOST_ADDR};
	icmp->icmp_type = m->flags;
	icmp->icmp_code = m->control;
	icmp->icmp_seq_nb = rte_cpu_to_be_16(m->wnd);
	memcpy(icmp + 1, flow->quote, sizeof(flow->quote));
	quoted = (struct rte_tcp_hdr *)((uint8_t *)(icmp + 1) + FRAME_IP_LEN);
	quoted->sent_seq =
		rte_cpu_to_be_32(rte_be_to_cpu_32(quoted->sent_seq) + (uint32_t)(int32_t)m->seq);
	frame_sum(frame, FRAME_ETH_LEN + total_len);
	wire_inject(&c->w, frame, FRAME_ETH_LEN + total_len);
}

/* Operation flags, about sender and target as control says; wnd goes into the sender's MAC address.
 * An odd seq ends or begins the peer's silence instead. */
void peer_arp(struct conversation *c, const struct move *m, struct script *script)
{
	enum { FROM_HOST = 1, FROM_NOBODY = 2, ABOUT_PEER = 4, TO_ALL = 8, OTHER_MAC = 16 };
	uint8_t frame[FRAME_ETH_LEN + sizeof(struct rte_arp_hdr) + 18] = {0};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	const uint8_t mac = m->control & OTHER_MAC ? (uint8_t)m->wnd : 2;

	(void)script;
	if (m->seq % 2) {
		c->mute = !c->mute;
		return;
	}
	eth->dst_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, 1}};
	if (m->control & TO_ALL)
		memset(&eth->dst_addr, 0xff, sizeof(eth->dst_addr));
	eth->src_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, mac}};
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	*arp = (struct rte_arp_hdr){.arp_hardware = RTE_BE16(1),
				    .arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
				    .arp_hlen = 6,
				    .arp_plen = 4,
				    .arp_opcode = rte_cpu_to_be_16(m->flags)};
	arp->arp_data.arp_sha = eth->src_addr;
	arp->arp_data.arp_sip = m->control & FROM_HOST	   ? HOST_ADDR
				: m->control & FROM_NOBODY ? 0
							   : flow_of(c, m)->addr;
	arp->arp_data.arp_tip = m->control & ABOUT_PEER ? PEER_ADDR : HOST_ADDR;
	wire_inject(&c->w, frame, sizeof(frame));
}

void peer_lose(struct conversation *c, const struct move *m, struct script *script)
{
	(void)script;
	c->to_lose = m->flags % 8;
}
