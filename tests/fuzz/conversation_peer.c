#include "conversation.h"

#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <string.h>

enum {
	PEER_ISS = 1000000,
	CONN_CHOICE_MAX = 8,
	PAYLOAD_MAX = 1400,
	/* control: what of a segment is not as it should be */
	NEW_FLOW = 1 << 0,
	OTHER_SEQ = 1 << 1,
	OTHER_ACK = 1 << 2,
	OTHER_FLAGS = 1 << 3,
	OTHER_WND = 1 << 4,
	OPTIONS = 1 << 5,
	PAYLOAD = 1 << 6,
	FLIPPED = 1 << 7,
};

struct segment {
	struct net_flow flow; /* as the victim sees it */
	uint32_t una;	      /* what the victim waits for */
	uint32_t seq, ack;
	uint16_t wnd, len;
	uint8_t flags, tos, opts_len;
	uint8_t opts[TCP_OPT_LEN_MAX];
};

/* Any connection of the victim, half-open ones too. */
static const struct tcp_conn *any_conn_or_null(struct conversation *c, uint8_t choice)
{
	const struct tcp_conn *conn = TAILQ_FIRST(&c->v.net->tcp.all);

	for (unsigned i = choice % CONN_CHOICE_MAX; i > 0 && conn; i--)
		conn = TAILQ_NEXT(conn, all_link) ? TAILQ_NEXT(conn, all_link) : conn;
	return conn;
}

/* A little more or less, a window more or less, or anywhere. */
static uint32_t offset(struct bytes *b)
{
	const uint8_t kind = bytes_u8(b);

	if (kind < 128)
		return (uint32_t)(int8_t)bytes_u8(b);
	if (kind < 224)
		return (uint32_t)(int16_t)bytes_u16(b);
	return bytes_u32(b);
}

static void add_timestamps(struct conversation *c, struct segment *s, uint32_t ecr)
{
	s->opts_len = (uint8_t)tcp_opt_write_timestamps(s->opts, c->ts_val++, ecr);
}

/* What the connection would find fitting. */
static void fit(struct conversation *c, struct segment *s, const struct tcp_conn *conn)
{
	const bool to_syn = conn->state == TCP_SYN_SENT;

	s->flow = conn->flow;
	s->seq = to_syn ? PEER_ISS : conn->rxq.rcv_nxt;
	s->una = conn->snd_una;
	s->ack = conn->snd_nxt;
	s->flags = RTE_TCP_ACK_FLAG | (to_syn ? RTE_TCP_SYN_FLAG : 0);
	if (conn->timestamps || to_syn)
		add_timestamps(c, s, tcp_conn_ts_now(c->v.net, conn));
}

static void open_new(struct segment *s, uint8_t choice)
{
	static const uint8_t options[] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0,
					  0, 9, 0, 0,	0, 0, 1, 3,  3, 7};

	s->flow = (struct net_flow){{VICTIM_ADDR},
				    {PEER_ADDR},
				    RTE_BE16(VICTIM_PORT),
				    rte_cpu_to_be_16((uint16_t)(5000 + choice % CONN_CHOICE_MAX))};
	s->seq = PEER_ISS;
	s->flags = RTE_TCP_SYN_FLAG;
	s->opts_len = choice & 0x80 ? 0 : sizeof(options);
	memcpy(s->opts, options, s->opts_len);
}

/* Of what the victim has in flight, or about. */
static void add_sack(struct segment *s, struct bytes *b, unsigned count)
{
	struct tcp_range ranges[TCP_OPT_SACK_MAX];

	for (unsigned i = 0; i < count; i++) {
		ranges[i].start = s->una + (uint32_t)(int16_t)bytes_u16(b);
		ranges[i].end = ranges[i].start + (uint32_t)(int16_t)bytes_u16(b);
	}
	s->opts_len += (uint8_t)tcp_opt_write_sack(s->opts + s->opts_len, ranges, count);
}

/* SACK besides what is there, or any bytes instead of it. */
static void take_options(struct segment *s, struct bytes *b)
{
	const uint8_t kind = bytes_u8(b);
	size_t len = kind % (TCP_OPT_LEN_MAX - 3);
	const uint8_t *opts;

	if (kind >= 192 && s->opts_len <= TCP_OPT_TIMESTAMPS_LEN) {
		add_sack(s, b, 1 + kind % 3);
		return;
	}
	opts = bytes_take(b, &len);
	memset(s->opts, 0, sizeof(s->opts));
	memcpy(s->opts, opts, len);
	s->opts_len = (uint8_t)RTE_ALIGN_CEIL(len, 4);
}

static void change(struct segment *s, struct bytes *b, uint8_t control)
{
	if (control & OTHER_SEQ)
		s->seq += offset(b);
	if (control & OTHER_ACK)
		s->ack += offset(b);
	if (control & OTHER_FLAGS)
		s->flags = bytes_u8(b);
	if (control & OTHER_WND) {
		s->wnd = bytes_u16(b);
		s->tos = bytes_u8(b);
	}
	if (control & OPTIONS)
		take_options(s, b);
	if (control & PAYLOAD)
		s->len = bytes_u16(b) % PAYLOAD_MAX;
}

static uint32_t write(uint8_t *frame, const struct segment *s)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint8_t *payload = (uint8_t *)(tcp + 1) + s->opts_len;
	const uint16_t total = (uint16_t)(40 + s->opts_len + s->len);

	*eth = (struct rte_ether_hdr){.dst_addr = {{2, 0, 0, 0, 0, 1}},
				      .src_addr = {{2, 0, 0, 0, 0, 2}},
				      .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .type_of_service = s->tos,
				    .total_length = rte_cpu_to_be_16(total),
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_TCP,
				    .src_addr = s->flow.remote.v4,
				    .dst_addr = s->flow.local.v4};
	*tcp = (struct rte_tcp_hdr){.src_port = s->flow.remote_port,
				    .dst_port = s->flow.local_port,
				    .sent_seq = rte_cpu_to_be_32(s->seq),
				    .recv_ack = rte_cpu_to_be_32(s->ack),
				    .data_off = (uint8_t)((20 + s->opts_len) / 4 << 4),
				    .tcp_flags = s->flags,
				    .rx_win = rte_cpu_to_be_16(s->wnd)};
	memcpy(tcp + 1, s->opts, s->opts_len);
	for (uint32_t i = 0; i < s->len; i++)
		payload[i] = conversation_byte(s->seq + !!(s->flags & RTE_TCP_SYN_FLAG) + i);
	victim_sum(frame, (uint32_t)sizeof(*eth) + total);
	return (uint32_t)sizeof(*eth) + total;
}

/* One byte is another; half of the time the checksum agrees. */
static void flip(struct conversation *c, struct bytes *b, uint8_t *frame, uint32_t len)
{
	const uint32_t at = bytes_u16(b) % len;
	const uint8_t value = bytes_u8(b);

	frame[at] ^= value;
	if (value & 1)
		return;
	victim_sum(frame, len);
	c->forged = true;
}

void conversation_segment(struct conversation *c, struct bytes *b)
{
	const uint8_t control = bytes_u8(b), choice = bytes_u8(b);
	const struct tcp_conn *conn = control & NEW_FLOW ? NULL : any_conn_or_null(c, choice);
	struct segment s = {.wnd = 60000};
	uint8_t frame[VICTIM_FRAME_LEN_MAX];
	struct victim_frame one = {.bytes = frame};

	if (conn)
		fit(c, &s, conn);
	else
		open_new(&s, choice);
	change(&s, b, control);
	one.len = write(frame, &s);
	if (control & FLIPPED)
		flip(c, b, frame, one.len);
	victim_input(&c->v, &one, 1);
}

/* About what the connection has in flight. */
void conversation_icmp(struct conversation *c, struct bytes *b)
{
	const struct tcp_conn *conn = any_conn_or_null(c, bytes_u8(b));
	uint8_t frame[VICTIM_FRAME_LEN_MAX] = {0};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1), *quoted;
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(ip + 1);
	struct victim_frame one = {frame, 14 + 20 + 8 + 20 + 20};
	struct segment s = {0};

	if (!conn)
		return;
	s.flow = (struct net_flow){conn->flow.remote, conn->flow.local, conn->flow.remote_port,
				   conn->flow.local_port};
	s.seq = conn->snd_una;
	if (bytes_u8(b) % 2)
		s.seq += offset(b);
	/* The victim's segment, pushed back to where an ICMP message quotes it. */
	write(frame, &s);
	memmove(icmp + 1, ip, 40);
	quoted = (struct rte_ipv4_hdr *)(icmp + 1);
	eth->dst_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, 1}};
	*ip = *quoted;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(one.len - sizeof(*eth)));
	ip->next_proto_id = IPPROTO_ICMP;
	ip->src_addr = quoted->dst_addr;
	ip->dst_addr = quoted->src_addr;
	icmp->icmp_type = bytes_u8(b) % 16;
	icmp->icmp_code = bytes_u8(b) % 16;
	icmp->icmp_seq_nb = rte_cpu_to_be_16(bytes_u16(b));
	victim_sum(frame, one.len);
	victim_input(&c->v, &one, 1);
}

/* --- what the victim sends --- */

static const struct held *held_of_or_null(const struct conversation *c,
					  const struct rte_tcp_hdr *tcp, rte_be32_t remote)
{
	for (unsigned i = 0; i < CONVERSATION_CONN_MAX; i++) {
		const struct tcp_conn *conn = c->held[i].conn;

		if (conn && conn->in_table && conn->flow.local_port == tcp->src_port &&
		    conn->flow.remote_port == tcp->dst_port && conn->flow.remote.v4 == remote)
			return &c->held[i];
	}
	return NULL;
}

static void check_segment(const struct conversation *c, const uint8_t *frame, uint32_t len)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + 14);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	const uint32_t headers_len = 34 + (uint32_t)(tcp->data_off >> 4) * 4;
	const struct held *held;
	struct tcp_opts opts;
	uint32_t at;

	CHECK(headers_len >= 54 && headers_len <= len);
	CHECK(tcp_opt_parse(&opts, (const uint8_t *)(tcp + 1), headers_len - 54));
	held = held_of_or_null(c, tcp, ip->dst_addr);
	if (!held || headers_len == len)
		return;
	at = rte_be_to_cpu_32(tcp->sent_seq) - held->conn->iss - 1;
	CHECK(at + (len - headers_len) <= held->pushed);
	for (uint32_t i = 0; i < len - headers_len; i++)
		CHECK(frame[headers_len + i] == conversation_byte(at + i));
}

void conversation_take(struct conversation *c, struct bytes *b)
{
	uint8_t frame[VICTIM_FRAME_LEN_MAX];
	uint32_t len;

	for (unsigned n = bytes_u8(b) % 16; n > 0 && (len = victim_output(&c->v, frame)); n--)
		if (frame[12] == 8 && frame[13] == 0 && frame[23] == IPPROTO_TCP)
			check_segment(c, frame, len);
}
