#include "net/tcp_conn.h"

#include "mem/slab.h"
#include "net/flow_table.h"
#include "net/tcp_listen.h"
#include "net/tcp_reply.h"
#include "net/tcp_timer.h"
#include "net/tcp_timewait.h"
#include "net/tcp_turn.h"

#include <errno.h>
#include <rte_common.h>

/* --- begin --- */

uint8_t tcp_conn_window_scale(uint32_t buf_len)
{
	uint8_t scale = 0;

	while (scale < TCP_OPT_WSCALE_MAX && (uint64_t)TCP_WND_MAX << scale < buf_len)
		scale++;
	return scale;
}

static void init_numbers(struct net *net, struct tcp_conn *conn)
{
	const struct tcp_config *config = &net->tcp.config;

	conn->iss = tcp_isn_make(&net->tcp.isn, &conn->flow, net->now_ns);
	conn->snd_una = conn->snd_nxt = conn->rtx_nxt = conn->rtx_end = conn->iss;
	conn->recover = conn->iss;
	conn->ecn_recover = conn->iss;
	conn->snd_mss = TCP_MSS_DEFAULT;
	conn->rcv_mss = TCP_MSS_DEFAULT;
	conn->quick_acks = TCP_QUICK_ACKS;
	/* Until the peer's SYN tells whether it does, these are what we offer. */
	conn->timestamps = config->timestamps;
	conn->wscale = config->window_scale;
	conn->sack = config->sack;
	conn->rcv_wscale =
		config->window_scale ? tcp_conn_window_scale(conn->options.rcvbuf_len) : 0;
	conn->ts_offset = tcp_isn_ts_offset(&net->tcp.isn, &conn->flow);
	conn->progress_ns = conn->rx_ns = conn->figures.opened_ns = net->now_ns;
	tcp_rtt_init(&conn->rtt, &net->tcp.rtt_limits);
	tcp_rxq_init(&conn->rxq, 0, conn->options.rcvbuf_len);
}

/* A flow that comes to this shard only because it is asked for: say so in the listener table. */
static int settle(struct net *net, struct tcp_conn *conn)
{
	const struct net_endpoint local = {conn->flow.local, conn->flow.local_port};
	uint32_t hash;
	int err = flow_table_insert(net->tcp.flows, &conn->flow, conn);

	if (err)
		return err == -EEXIST ? -EADDRINUSE : -ENOBUFS;
	conn->in_table = true;
	if (net_flow_is_home(net, &conn->flow, &hash))
		return 0;
	if (net_listen_foreign_mt(net->tables, IPPROTO_TCP, local, net->shard, 1) != 0)
		return -ENOBUFS;
	conn->foreign = true;
	return 0;
}

int tcp_conn_create(struct net *net, const struct net_flow *flow, const struct tcp_options *options,
		    struct tcp_conn **out)
{
	struct tcp_conn *conn = slab_alloc_or_null(net->tcp.conns);
	int err;

	if (!conn)
		return -ENOBUFS;
	*conn = (struct tcp_conn){.sock.kind = NET_SOCK_TCP_CONN,
				  .state = TCP_CLOSED,
				  .flow = *flow,
				  .options = *options};
	TAILQ_INSERT_TAIL(&net->tcp.all, conn, all_link);
	init_numbers(net, conn);
	tcp_txq_init(&conn->txq, conn->iss + 1, options->sndbuf_len);
	err = net_dst_init(net, &conn->dst, flow->remote);
	conn->dst.source = flow->local;
	if (!err)
		err = settle(net, conn);
	if (err) {
		tcp_conn_destroy(net, conn);
		return err;
	}
	*out = conn;
	return 0;
}

void tcp_conn_syn_received(struct net *net, struct tcp_conn *conn, uint32_t irs,
			   const struct tcp_opts *opts)
{
	uint32_t mss = opts->present & TCP_OPT_MSS ? opts->mss : TCP_MSS_DEFAULT;
	const uint32_t path_mss =
		path_mtu(&net->paths, conn->flow.remote, conn->dst.mtu, net->now_ns) -
		NET_DST_TCP_HEADERS_LEN;
	const uint32_t mss_max = RTE_MIN((uint32_t)tcp_conn_mss_offered(conn), path_mss);

	conn->irs = irs;
	tcp_rxq_init(&conn->rxq, irs + 1, conn->options.rcvbuf_len);
	conn->rcv_adv = irs + 1 + RTE_MIN(tcp_rxq_window(&conn->rxq), (uint32_t)TCP_WND_MAX);
	conn->ack_sent = irs + 1;
	conn->wscale = conn->wscale && (opts->present & TCP_OPT_WSCALE);
	conn->snd_wscale = conn->wscale ? opts->wscale : 0;
	if (!conn->wscale)
		conn->rcv_wscale = 0;
	conn->sack = conn->sack && (opts->present & TCP_OPT_SACK_PERMITTED);
	conn->timestamps = conn->timestamps && (opts->present & TCP_OPT_TIMESTAMPS);
	if (conn->timestamps) {
		conn->ts_recent = opts->ts_val;
		conn->ts_recent_ns = net->now_ns;
	}
	mss = RTE_MIN(RTE_MAX(mss, (uint32_t)TCP_MSS_MIN), mss_max);
	conn->snd_mss = (uint16_t)(mss - (conn->timestamps ? TCP_OPT_TIMESTAMPS_LEN : 0));
	/* iss may have moved away from a TIME-WAIT's numbers. */
	tcp_txq_init(&conn->txq, conn->iss + 1, conn->options.sndbuf_len);
}

void tcp_conn_established(struct net *net, struct tcp_conn *conn)
{
	conn->state = TCP_ESTABLISHED;
	conn->syn_due = false;
	conn->rtx_nxt = conn->rtx_end = conn->snd_una;
	conn->recover = conn->iss;
	conn->snd_small = conn->iss;
	conn->soft_error = 0;
	conn->tx_data_ns = net->now_ns;
	tcp_rtt_established(&conn->rtt, &net->tcp.rtt_limits);
	tcp_cc_init(&conn->cc, conn->options.cc, conn->snd_mss, conn->syn_count > 1);
	tcp_rack_init(conn);
	tcp_timer_data_acked(net, conn);
	tcp_timer_keepalive_changed(net, conn);
	counter_add(conn->from_listen ? &net->counters->conn_accepted
				      : &net->counters->conn_connected,
		    1);
}

/* --- end --- */

static void leave_lists(struct net *net, struct tcp_conn *conn)
{
	tcp_turn_leave(net, conn);
	if (conn->push_waiting)
		TAILQ_REMOVE(&net->tcp.push_waiting, conn, push_link);
	conn->push_waiting = false;
}

/* Nothing comes in or goes out any more. */
static void detach(struct net *net, struct tcp_conn *conn)
{
	const struct net_endpoint local = {conn->flow.local, conn->flow.local_port};

	leave_lists(net, conn);
	wheel_cancel(&net->tcp.wheel, &conn->timer);
	for (unsigned i = 0; i < TCP_TIMER_COUNT; i++)
		conn->deadline_ns[i] = 0;
	if (conn->in_table)
		CHECK(flow_table_remove_or_null(net->tcp.flows, &conn->flow) == conn);
	conn->in_table = false;
	if (conn->foreign)
		net_listen_foreign_mt(net->tables, IPPROTO_TCP, local, net->shard, -1);
	conn->foreign = false;
}

void tcp_conn_destroy(struct net *net, struct tcp_conn *conn)
{
	tcp_listen_forget(net, conn);
	detach(net, conn);
	net_sock_unready(net, &conn->sock);
	tcp_txq_fini(&conn->txq, &net->tcp.pushes);
	tcp_rxq_fini(&conn->rxq, &net->tcp.reassembly);
	tcp_rack_fini(net, conn);
	TAILQ_REMOVE(&net->tcp.all, conn, all_link);
	slab_free(net->tcp.conns, conn);
}

/* The user's until tcp_close(); without one it is gone. */
static void hand_back(struct net *net, struct tcp_conn *conn)
{
	if (conn->closed || conn->listener)
		tcp_conn_destroy(net, conn);
	else
		net_sock_ready(net, &conn->sock);
}

void tcp_conn_die(struct net *net, struct tcp_conn *conn, int error)
{
	bool half_open = conn->listener && conn->state == TCP_SYN_RECEIVED;

	detach(net, conn);
	conn->error = error;
	tcp_txq_fail_all(&conn->txq, &net->tcp.pushes, -error);
	if (error == ECONNRESET)
		tcp_rxq_fini(&conn->rxq, &net->tcp.reassembly);
	/* Its listener still has to know in which queue it is. */
	if (!half_open)
		conn->state = TCP_CLOSED;
	hand_back(net, conn);
}

void tcp_conn_finish(struct net *net, struct tcp_conn *conn, enum tcp_state state)
{
	bool foreign = conn->foreign;

	counter_add(&net->counters->conn_closed, 1);
	if (state == TCP_TIME_WAIT || conn->by_cookie) {
		CHECK(flow_table_remove_or_null(net->tcp.flows, &conn->flow) == conn);
		conn->in_table = false;
		tcp_timewait_enter(net, conn);
	}
	CHECK(conn->foreign == foreign);
	detach(net, conn);
	conn->state = state;
	hand_back(net, conn);
}

void tcp_conn_abort(struct net *net, struct tcp_conn *conn, int error)
{
	if (conn->in_table && conn->state != TCP_SYN_SENT && conn->state != TCP_CLOSED)
		tcp_reply_conn(net, conn, RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG);
	tcp_conn_die(net, conn, error);
}

/* --- in between --- */

void tcp_conn_challenge(struct net *net, struct tcp_conn *conn)
{
	if (!tcp_challenge_due(net, &conn->challenge_ns))
		return;
	conn->ack_due = true;
	tcp_turn_want(net, conn);
}

/* TCP_MAXSEG of an open connection: what is sent from now on. */
static void limit_segments(struct tcp_conn *conn)
{
	uint16_t mss = conn->options.mss_max;

	if (conn->timestamps)
		mss = (uint16_t)(mss - TCP_OPT_TIMESTAMPS_LEN);
	conn->snd_mss = RTE_MIN(conn->snd_mss, mss);
	conn->cc.mss = conn->snd_mss;
}

/* The windows stay; what the algorithm remembers of its own begins anew. */
static void switch_congestion(struct tcp_conn *conn)
{
	struct tcp_cc *cc = &conn->cc;

	cc->ops = conn->options.cc;
	cc->cubic = cc->undo_cubic = (struct tcp_cubic){0};
	cc->bytes_acked = 0;
	cc->undo_cwnd = 0;
}

void tcp_conn_options(struct net *net, struct tcp_conn *conn, const struct tcp_options *options)
{
	conn->options = *options;
	conn->rxq.buf_len = options->rcvbuf_len;
	conn->txq.buf_len = options->sndbuf_len;
	if (conn->state == TCP_SYN_SENT && conn->syn_count == 0 && conn->wscale)
		conn->rcv_wscale = tcp_conn_window_scale(options->rcvbuf_len);
	tcp_timer_keepalive_changed(net, conn);
	if (!tcp_conn_synchronized(conn))
		return;
	if (options->mss_max)
		limit_segments(conn);
	if (conn->cc.ops != options->cc)
		switch_congestion(conn);
}

#ifdef CLOWDER_DEBUG
static void check_send_space(const struct tcp_conn *conn)
{
	CHECK(seq_leq(conn->snd_una, conn->snd_nxt));
	CHECK(seq_leq(conn->snd_una, conn->rtx_nxt) && seq_leq(conn->rtx_nxt, conn->rtx_end) &&
	      seq_leq(conn->rtx_end, conn->snd_nxt));
	CHECK(seq_leq(conn->snd_nxt, conn->txq.end + conn->fin_sent));
	CHECK(!conn->fin_sent || (conn->fin_queued && conn->snd_nxt == conn->txq.end + 1));
	CHECK(conn->txq.una == seq_min(conn->snd_una, conn->txq.end));
	CHECK(conn->cc.cwnd >= conn->cc.mss);
	if (conn->sack) {
		CHECK(conn->rack.sent.una == conn->snd_una);
		CHECK(conn->rack.sent.nxt == conn->snd_nxt);
		CHECK(conn->rtx_nxt == conn->rtx_end);
		tcp_sent_check(&conn->rack.sent);
		/* What is lost is sent again, in a recovery. */
		CHECK(conn->rack.sent.lost_len == 0 || conn->recovery != TCP_RECOVERY_NONE);
	}
	/* What is in flight is waited for, in one way or another. */
	CHECK(tcp_conn_flight(conn) == 0 || tcp_timer_runs(conn, TCP_TIMER_RETRANSMIT));
}

static void check_receive_space(const struct tcp_conn *conn)
{
	CHECK(seq_leq(conn->ack_sent, conn->rxq.rcv_nxt));
	CHECK(seq_leq(conn->rxq.rcv_nxt, conn->rcv_adv + conn->fin_received));
	CHECK(!conn->fin_received || conn->rxq.rcv_nxt == conn->fin_seq + 1);
	CHECK(conn->ack_pending == tcp_timer_runs(conn, TCP_TIMER_ACK));
}

void tcp_conn_check(const struct tcp_conn *conn)
{
	if (!conn->in_table) {
		CHECK(conn->state == TCP_CLOSED || conn->state == TCP_TIME_WAIT);
		CHECK(conn->output_list == TCP_OUTPUT_NONE && !wheel_armed(&conn->timer));
		return;
	}
	CHECK(conn->state != TCP_CLOSED && conn->state != TCP_LISTEN &&
	      conn->state != TCP_TIME_WAIT);
	CHECK(conn->output_list == TCP_OUTPUT_NONE || conn->dst.iface < NET_IFACE_MAX);
	for (unsigned i = 0; i < TCP_TIMER_COUNT; i++)
		CHECK(conn->deadline_ns[i] == 0 ||
		      (wheel_armed(&conn->timer) &&
		       conn->timer.deadline_ns <= conn->deadline_ns[i]));
	if (!tcp_conn_synchronized(conn))
		return;
	CHECK(conn->fin_received == (conn->state == TCP_CLOSE_WAIT || conn->state == TCP_CLOSING ||
				     conn->state == TCP_LAST_ACK));
	CHECK(conn->fin_queued ==
	      (conn->state != TCP_ESTABLISHED && conn->state != TCP_CLOSE_WAIT));
	check_send_space(conn);
	check_receive_space(conn);
}
#endif
