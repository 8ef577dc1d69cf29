#include "net/tcp_timewait.h"

#include "mem/slab.h"
#include "net/flow_table.h"
#include "net/tcp_listen.h"
#include "net/tcp_reply.h"
#include "net/tcp_syn.h"
#include "net/tcp_window.h"

static struct net_endpoint local_of(const struct net_flow *flow)
{
	return (struct net_endpoint){flow->local, flow->local_port};
}

static void forget(struct net *net, struct tcp_timewait *tw)
{
	CHECK(flow_table_remove_or_null(net->tcp.flows, &tw->flow) != NULL);
	if (tw->foreign)
		net_listen_foreign_mt(net->tables, IPPROTO_TCP, local_of(&tw->flow), net->shard,
				      -1);
	TAILQ_REMOVE(&net->tcp.timewait, tw, link);
	slab_free(net->tcp.timewaits, tw);
}

static void start_wait(struct net *net, struct tcp_timewait *tw)
{
	tw->deadline_ns = net->now_ns + 2 * net->tcp.config.msl_ns;
	TAILQ_INSERT_TAIL(&net->tcp.timewait, tw, link);
}

void tcp_timewait_enter(struct net *net, const struct tcp_conn *conn)
{
	struct tcp_timewait *tw;

	if (net->tcp.config.timewait_max == 0)
		return;
	tw = slab_alloc_or_null(net->tcp.timewaits);
	if (!tw) {
		forget(net, TAILQ_FIRST(&net->tcp.timewait));
		tw = slab_alloc_or_null(net->tcp.timewaits);
	}
	*tw = (struct tcp_timewait){
		.flow = conn->flow,
		.timestamps = conn->timestamps,
		.ttl = conn->options.ttl,
		.tos = conn->options.tos,
		.wnd = tcp_window_told(conn),
		.snd_nxt = conn->snd_nxt,
		.rcv_nxt = conn->rxq.rcv_nxt,
		.ts_recent = conn->ts_recent,
		.ts_offset = conn->ts_offset,
	};
	if (conn->foreign)
		tw->foreign = net_listen_foreign_mt(net->tables, IPPROTO_TCP, local_of(&tw->flow),
						    net->shard, 1) == 0;
	CHECK(flow_table_insert(net->tcp.flows, &tw->flow, (void *)((uintptr_t)tw | 1)) == 0);
	start_wait(net, tw);
}

/* The ACK of the peer's FIN was lost, or something old came by. */
static void acknowledge(struct net *net, struct tcp_timewait *tw, struct rte_mbuf *m)
{
	struct tcp_reply ack = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = RTE_TCP_ACK_FLAG,
		.wnd = tw->wnd,
		.timestamps = tw->timestamps,
		.ts_val = (uint32_t)(net->now_ns / 1000000) + tw->ts_offset,
		.ts_ecr = tw->ts_recent,
		.ttl = tw->ttl,
		.tos = tw->tos,
	};
	struct net_dst dst;

	net_dst_reply(net, &dst, m);
	tcp_reply_send(net, &dst, &tw->flow, &ack);
}

static bool both_have_timestamps(const struct tcp_timewait *tw, const struct tcp_opts *opts)
{
	return tw->timestamps && (opts->present & TCP_OPT_TIMESTAMPS);
}

/* A SYN that cannot be an old one: RFC 9293 3.10.7.4 (MUST-13's exception), RFC 6191: the timestamp
 * decides, if there is one; of one and the same millisecond, or without, the sequence number. */
static bool is_new_syn(const struct tcp_timewait *tw, const struct net_pkt *pkt,
		       const struct tcp_opts *opts)
{
	const uint8_t mask =
		RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_RST_FLAG | RTE_TCP_FIN_FLAG;

	if ((pkt->tcp_flags & mask) != RTE_TCP_SYN_FLAG)
		return false;
	if (both_have_timestamps(tw, opts) && opts->ts_val != tw->ts_recent)
		return seq_gt(opts->ts_val, tw->ts_recent);
	return seq_gt(pkt->seq, tw->rcv_nxt);
}

/* The peer's FIN once more, which nobody can send who does not know its number. */
static bool is_fin_again(const struct tcp_timewait *tw, const struct net_pkt *pkt,
			 const struct tcp_opts *opts)
{
	const uint8_t mask = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG;

	return (pkt->tcp_flags & mask) == (RTE_TCP_ACK_FLAG | RTE_TCP_FIN_FLAG) &&
	       pkt->ack == tw->snd_nxt && pkt->seq + pkt->payload_len + 1 == tw->rcv_nxt &&
	       !(both_have_timestamps(tw, opts) && seq_lt(opts->ts_val, tw->ts_recent));
}

/* To a new connection of the flow; it waits where there is no room for that, as the SYN comes
 * again.
 */
static void give_way(struct net *net, struct tcp_timewait *tw, struct rte_mbuf *m)
{
	enum drop_reason reason = tcp_syn_room(net, net_pkt_of(m));
	uint32_t snd_nxt = tw->snd_nxt;

	if (reason != DROP_COUNT) {
		net_drop(net, m, reason);
		return;
	}
	forget(net, tw);
	tcp_syn_input(net, m, &snd_nxt);
}

/* RFC 1337: an RST does not end TIME-WAIT. */
void tcp_timewait_input(struct net *net, struct tcp_timewait *tw, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	const uint8_t *bytes = (const uint8_t *)(net_pkt_tcp(m) + 1);
	struct tcp_opts opts;

	if (!tcp_opt_parse(&opts, bytes, pkt->payload_off - pkt->l4_off - TCP_HEADER_LEN)) {
		net_drop(net, m, DROP_tcp_bad);
		return;
	}
	if (pkt->tcp_flags & RTE_TCP_RST_FLAG) {
		net_drop(net, m, DROP_tcp_unacceptable);
		return;
	}
	if (is_new_syn(tw, pkt, &opts) && tcp_listen_find_or_null(net, pkt)) {
		give_way(net, tw, m);
		return;
	}
	if (is_fin_again(tw, pkt, &opts)) {
		TAILQ_REMOVE(&net->tcp.timewait, tw, link);
		start_wait(net, tw);
		acknowledge(net, tw, m);
	} else if (tcp_challenge_due(net, &tw->ack_ns)) {
		acknowledge(net, tw, m);
	}
	net_drop(net, m, DROP_tcp_unacceptable);
}

void tcp_timewait_expire(struct net *net)
{
	struct tcp_timewait *tw;

	while ((tw = TAILQ_FIRST(&net->tcp.timewait)) && tw->deadline_ns <= net->now_ns)
		forget(net, tw);
}

uint64_t tcp_timewait_deadline(const struct net *net)
{
	const struct tcp_timewait *tw = TAILQ_FIRST(&net->tcp.timewait);

	return tw ? tw->deadline_ns : UINT64_MAX;
}

void tcp_timewait_fini(struct net *net)
{
	while (!TAILQ_EMPTY(&net->tcp.timewait))
		forget(net, TAILQ_FIRST(&net->tcp.timewait));
}
