/* What comes out of the wire: checked, remembered, and answered where it is about addresses. */
#include "conversation.h"

#include "mem/check.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_ip.h>

void flows_begin(struct conversation *c, bool scales)
{
	for (unsigned i = 0; i < FLOWS; i++)
		c->flows[i] =
			(struct flow){.addr = PEER_ADDR + (i == 2 ? RTE_BE32(1) : 0),
				      .port = rte_cpu_to_be_16((uint16_t)(FLOW_PORT + i)),
				      .host_port = i < PASSIVE_FLOWS ? RTE_BE16(WIRE_PORT) : 0,
				      .passive = i < PASSIVE_FLOWS,
				      .scales = scales};
}

/* --- what the peer sent --- */

void flow_sent(struct flow *flow, const struct rte_tcp_hdr *tcp, const struct tcp_opts *opts,
	       uint32_t len)
{
	const uint32_t seq = rte_be_to_cpu_32(tcp->sent_seq), ack = rte_be_to_cpu_32(tcp->recv_ack);
	const uint16_t wnd = rte_be_to_cpu_16(tcp->rx_win);
	const bool syn = tcp->tcp_flags & RTE_TCP_SYN_FLAG;
	const uint32_t end = seq + len + syn + !!(tcp->tcp_flags & RTE_TCP_FIN_FLAG);
	uint32_t edge;

	if (syn && flow->scales && opts->present & TCP_OPT_WSCALE)
		flow->wscale_max = RTE_MAX(flow->wscale_max, opts->wscale);
	if (syn)
		flow->syn_wnd_max = RTE_MAX(flow->syn_wnd_max, wnd);
	if (syn && !flow->passive) { /* the host does not say which one it took */
		if (flow->irs_count == 0 || seq != flow->irs)
			flow->irs_count += flow->irs_count < 2;
		flow->irs = seq;
	}
	if (!flow->sent || flow_reached(end, flow->snd_max))
		flow->snd_max = end;
	flow->sent = true;
	if (!(tcp->tcp_flags & RTE_TCP_ACK_FLAG))
		return;
	edge = ack + ((uint32_t)wnd << (syn ? 0 : flow->wscale_max));
	if (flow_reached(edge, flow->edge))
		flow->edge = edge;
	if (flow_reached(ack, flow->ack_max))
		flow->ack_max = ack;
}

/* --- what the host sends --- */

static struct flow *flow_of_or_null(struct conversation *c, const struct rte_ipv4_hdr *ip,
				    const struct rte_tcp_hdr *tcp)
{
	const bool syn = tcp->tcp_flags == RTE_TCP_SYN_FLAG;

	for (unsigned i = 0; i < FLOWS; i++) {
		struct flow *flow = &c->flows[i];

		if (flow->addr != ip->dst_addr || flow->port != tcp->dst_port)
			continue;
		if (flow->host_port == tcp->src_port || (!flow->passive && syn))
			return flow;
	}
	return NULL;
}

static void begin_anew(struct flow *flow, const struct rte_tcp_hdr *tcp, uint32_t seq)
{
	flow->host_port = tcp->src_port;
	flow->generation++;
	flow->iss = seq;
	flow->rcv_nxt = seq + 1;
	flow->range_count = 0;
	flow->edge = seq + 1 + flow->syn_wnd_max;
	flow->ack_max = seq;
	flow->irs_count = 0;
	flow->forged = false;
}

static void hear_syn(struct flow *flow, const struct rte_tcp_hdr *tcp, const struct tcp_opts *opts)
{
	const uint32_t seq = rte_be_to_cpu_32(tcp->sent_seq), ack = rte_be_to_cpu_32(tcp->recv_ack);

	if (!flow->generation || seq != flow->iss || flow->host_port != tcp->src_port)
		begin_anew(flow, tcp, seq);
	flow->timestamps = opts->present & TCP_OPT_TIMESTAMPS;
	flow->sack = opts->present & TCP_OPT_SACK_PERMITTED;
	if (tcp->tcp_flags & RTE_TCP_ACK_FLAG) {
		flow->irs = ack - 1;
		flow->irs_count = 1;
	}
}

static void forget_range(struct flow *flow, unsigned i)
{
	flow->ranges[i] = flow->ranges[--flow->range_count];
}

/* Ranges that now join what is in order. */
static void absorb(struct flow *flow)
{
	for (unsigned i = 0; i < flow->range_count;) {
		if (!flow_reached(flow->rcv_nxt, flow->ranges[i].start)) {
			i++;
			continue;
		}
		if (flow_reached(flow->ranges[i].end, flow->rcv_nxt))
			flow->rcv_nxt = flow->ranges[i].end;
		forget_range(flow, i);
		i = 0;
	}
}

static void remember(struct flow *flow, uint32_t seq, uint32_t end)
{
	if (flow_reached(flow->rcv_nxt, end))
		return;
	if (flow_reached(flow->rcv_nxt, seq)) {
		flow->rcv_nxt = end;
		absorb(flow);
		return;
	}
	for (unsigned i = 0; i < flow->range_count; i++)
		if (flow->ranges[i].end == seq) {
			flow->ranges[i].end = end;
			return;
		}
	if (flow->range_count < FLOW_RANGES)
		flow->ranges[flow->range_count++] = (struct tcp_range){seq, end};
}

static void check_data(const struct flow *flow, uint32_t seq, const uint8_t *bytes, uint32_t len)
{
	const uint32_t at = seq - flow->iss - 1;

	CHECK(at + len <= flow->pushed_max);
	for (uint32_t i = 0; i < len; i++)
		CHECK(bytes[i] == conversation_byte(at + i));
	CHECK(flow->wild || flow_reached(flow->edge, seq + len));
}

static void hear_segment(struct conversation *c, struct flow *flow, const struct rte_tcp_hdr *tcp,
			 uint32_t l4_len)
{
	const uint32_t header_len = (uint32_t)(tcp->data_off >> 4) * 4, len = l4_len - header_len;
	const uint32_t seq = rte_be_to_cpu_32(tcp->sent_seq);
	const uint8_t flags = tcp->tcp_flags;
	struct tcp_opts opts;

	CHECK(tcp_opt_parse(&opts, (const uint8_t *)(tcp + 1),
			    header_len - (uint32_t)sizeof(*tcp)));
	if (flags & RTE_TCP_RST_FLAG)
		return;
	if (flags & RTE_TCP_SYN_FLAG)
		hear_syn(flow, tcp, &opts);
	if (opts.present & TCP_OPT_TIMESTAMPS)
		flow->ts_recent = opts.ts_val;
	if (!c->forged && flags & RTE_TCP_ACK_FLAG && flow->irs_count == 1 && !flow->wild)
		CHECK(flow_reached(flow->snd_max, rte_be_to_cpu_32(tcp->recv_ack)));
	if (!flow->generation || flags & RTE_TCP_SYN_FLAG)
		return;
	if (!c->forged && len > 0)
		check_data(flow, seq, (const uint8_t *)tcp + header_len, len);
	if (len > 0 && c->to_lose > 0)
		c->to_lose--;
	else
		remember(flow, seq, seq + len + !!(flags & RTE_TCP_FIN_FLAG));
}

static void hear_ip4(struct conversation *c, const struct wire_frame *frame)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame->bytes + FRAME_ETH_LEN);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	struct flow *flow;

	if (ip->next_proto_id != IPPROTO_TCP)
		return;
	flow = flow_of_or_null(c, ip, tcp);
	if (!flow)
		return;
	memcpy(flow->quote, ip, sizeof(flow->quote));
	hear_segment(c, flow, tcp, frame->len - FRAME_ETH_LEN - FRAME_IP_LEN);
}

/* Who has one of the peer's addresses? */
static void answer(struct conversation *c, const struct wire_frame *asked)
{
	struct wire_frame reply;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)reply.bytes;
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	rte_be32_t wanted;
	uint32_t number;

	memcpy(&reply, asked, sizeof(reply));
	wanted = arp->arp_data.arp_tip;
	number = rte_be_to_cpu_32(wanted) - rte_be_to_cpu_32(PEER_ADDR);
	if (c->mute || arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) || number >= WIRE_PEERS)
		return;
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sip = wanted;
	arp->arp_data.arp_sha = (struct rte_ether_addr){{2, 0, 0, 0, 0, (uint8_t)(2 + number)}};
	eth->dst_addr = arp->arp_data.arp_tha;
	eth->src_addr = arp->arp_data.arp_sha;
	wire_inject(&c->w, reply.bytes, reply.len);
}

void flows_listen(struct conversation *c)
{
	struct wire_frame frame;

	while (wire_take(&c->w, &frame)) {
		const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame.bytes;

		if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
			answer(c, &frame);
		else
			hear_ip4(c, &frame);
	}
}
