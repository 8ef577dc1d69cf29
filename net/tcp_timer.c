#include "net/tcp_timer.h"

#include "mem/slab.h"
#include "net/tcp_recovery.h"
#include "net/tcp_timewait.h"
#include "net/tcp_turn.h"

#include <errno.h>
#include <rte_common.h>

enum { WAKES_MAX = 256 }; /* of those that wait for pushes, in one turn */

void tcp_timer_start(struct net *net, struct tcp_conn *conn, enum tcp_timer timer,
		     uint64_t delay_ns)
{
	uint64_t at_ns = net->now_ns + delay_ns;

	conn->deadline_ns[timer] = at_ns;
	if (!wheel_armed(&conn->timer) || at_ns < conn->timer.deadline_ns)
		wheel_arm(&net->tcp.wheel, &conn->timer, at_ns);
}

/* --- what happened --- */

/* RFC 8985 7.2: a probe comes first, at the latest when the timeout would. */
static void arm_retransmit(struct net *net, struct tcp_conn *conn)
{
	uint64_t probe_ns = tcp_tlp_delay_ns(conn);
	uint64_t timeout_ns = conn->tlp.armed_ns + conn->rtt.rto_ns;
	uint64_t left_ns = timeout_ns > net->now_ns ? timeout_ns - net->now_ns : 0;

	conn->tlp.armed = probe_ns > 0;
	tcp_timer_start(net, conn, TCP_TIMER_RETRANSMIT,
			probe_ns > 0 ? RTE_MIN(probe_ns, left_ns) : left_ns);
}

static void start_retransmit(struct net *net, struct tcp_conn *conn)
{
	conn->tlp.armed_ns = net->now_ns;
	arm_retransmit(net, conn);
}

void tcp_timer_data_sent(struct net *net, struct tcp_conn *conn)
{
	tcp_timer_stop(conn, TCP_TIMER_PROBE);
	if (!tcp_timer_runs(conn, TCP_TIMER_RETRANSMIT)) {
		conn->progress_ns = net->now_ns;
		start_retransmit(net, conn);
	} else if (conn->tlp.armed) {
		/* Two round trips from now on, while the timeout stays where it is (RFC 6298 5.1).
		 */
		arm_retransmit(net, conn);
	}
}

void tcp_timer_resent(struct net *net, struct tcp_conn *conn)
{
	conn->tlp.armed = false;
	tcp_timer_start(net, conn, TCP_TIMER_RETRANSMIT, conn->rtt.rto_ns);
}

void tcp_timer_data_acked(struct net *net, struct tcp_conn *conn)
{
	conn->progress_ns = net->now_ns;
	conn->probe_count = 0;
	if (tcp_conn_flight(conn) == 0)
		tcp_timer_stop(conn, TCP_TIMER_RETRANSMIT);
	else
		start_retransmit(net, conn);
}

static uint64_t probe_delay_ns(const struct net *net, const struct tcp_conn *conn)
{
	uint64_t max_ns = net->tcp.rtt_limits.rto_ns_max;
	uint64_t delay_ns = conn->rtt.rto_ns;

	for (unsigned i = 0; i < conn->probe_count && delay_ns < max_ns; i++)
		delay_ns *= 2;
	return RTE_MIN(delay_ns, max_ns);
}

void tcp_timer_window_shut(struct net *net, struct tcp_conn *conn)
{
	if (tcp_timer_runs(conn, TCP_TIMER_PROBE) || tcp_conn_flight(conn) > 0)
		return;
	tcp_timer_stop(conn, TCP_TIMER_RETRANSMIT);
	if (conn->probe_count == 0)
		conn->progress_ns = net->now_ns;
	tcp_timer_start(net, conn, TCP_TIMER_PROBE, probe_delay_ns(net, conn));
}

void tcp_timer_keepalive_changed(struct net *net, struct tcp_conn *conn)
{
	conn->keepalive_sent = 0;
	if (conn->options.keepalive && tcp_conn_synchronized(conn) && conn->in_table)
		tcp_timer_start(net, conn, TCP_TIMER_KEEPALIVE, conn->options.keepalive_idle_ns);
	else
		tcp_timer_stop(conn, TCP_TIMER_KEEPALIVE);
}

uint64_t tcp_timer_patience_ns(const struct net *net, const struct tcp_conn *conn)
{
	if (conn->options.user_timeout_ns)
		return conn->options.user_timeout_ns;
	return tcp_conn_synchronized(conn) ? net->tcp.config.user_timeout_ns
					   : net->tcp.config.syn_timeout_ns;
}

/* --- what is due; each returns false when the connection came to its end --- */

/* A handshake that a peer began ends in silence: the peer may be trying still and would take an RST
 * for a refusal, or somebody else sent the SYN in its name. */
static bool give_up(struct net *net, struct tcp_conn *conn)
{
	counter_add(&net->counters->conn_timeout, 1);
	if (conn->state == TCP_SYN_RECEIVED && conn->from_listen)
		tcp_conn_die(net, conn, ETIMEDOUT);
	else
		tcp_conn_abort(net, conn, conn->soft_error ? conn->soft_error : ETIMEDOUT);
	return false;
}

static bool out_of_patience(const struct net *net, const struct tcp_conn *conn)
{
	if (conn->state == TCP_SYN_RECEIVED && conn->from_listen &&
	    conn->syn_count > TCP_SYN_ACK_RETRIES_MAX)
		return true;
	return net->now_ns - conn->progress_ns >= tcp_timer_patience_ns(net, conn);
}

/* The next timeout is the last one when patience ends before it. */
static void restart_retransmit(struct net *net, struct tcp_conn *conn)
{
	uint64_t left_ns = conn->progress_ns + tcp_timer_patience_ns(net, conn) - net->now_ns;

	tcp_timer_start(net, conn, TCP_TIMER_RETRANSMIT, RTE_MIN(conn->rtt.rto_ns, left_ns));
}

/* The timer was armed for the probe. True: it is no timeout yet, also if a recovery that began
 * meanwhile needs no probe. */
static bool probe_is_due(struct net *net, struct tcp_conn *conn)
{
	uint64_t timeout_ns = conn->tlp.armed_ns + conn->rtt.rto_ns;

	conn->tlp.armed = false;
	if (tcp_tlp_delay_ns(conn) > 0) {
		conn->tlp.due = true;
		restart_retransmit(net, conn);
		tcp_turn_want(net, conn);
		return true;
	}
	if (timeout_ns <= net->now_ns)
		return false;
	tcp_timer_start(net, conn, TCP_TIMER_RETRANSMIT, timeout_ns - net->now_ns);
	return true;
}

static bool retransmit_due(struct net *net, struct tcp_conn *conn)
{
	struct tcp_rtt_limits *limits = &net->tcp.rtt_limits;

	if (out_of_patience(net, conn))
		return give_up(net, conn);
	if (conn->tlp.armed && probe_is_due(net, conn))
		return true;
	counter_add(&net->counters->tcp_timeouts, 1);
	if (!tcp_conn_synchronized(conn)) {
		conn->syn_due = true;
		tcp_rtt_syn_timed_out(&conn->rtt, limits);
	} else if (tcp_conn_flight(conn) > 0) {
		tcp_recovery_timeout(net, conn);
		tcp_rtt_timed_out(&conn->rtt, limits);
	}
	if (conn->rtt.backoff_count == TCP_R1_TIMEOUTS)
		net_dst_doubt(net, &conn->dst);
	restart_retransmit(net, conn);
	tcp_turn_want(net, conn);
	return true;
}

static bool reorder_due(struct net *net, struct tcp_conn *conn)
{
	tcp_rack_reorder_due(net, conn);
	return true;
}

/* A peer that answers probes is alive however long its window is shut (MUST-37), unless nobody here
 * waits for it any more. */
static bool probe_due(struct net *net, struct tcp_conn *conn)
{
	/* Probes may be further apart than patience lasts: only silence counts. */
	if ((conn->probe_unanswered || conn->closed) && out_of_patience(net, conn))
		return give_up(net, conn);
	if (conn->probe_count < UINT8_MAX)
		conn->probe_count++;
	conn->probe_unanswered = true;
	conn->force = true;
	if (conn->snd_wnd == 0) {
		conn->probe_due = true;
		counter_add(&net->counters->tcp_zero_window_probes, 1);
	}
	tcp_turn_want(net, conn);
	tcp_timer_start(net, conn, TCP_TIMER_PROBE, probe_delay_ns(net, conn));
	return true;
}

static bool ack_is_due(struct net *net, struct tcp_conn *conn)
{
	conn->ack_pending = false;
	conn->interactive = false;
	conn->ack_due = true;
	tcp_turn_want(net, conn);
	return true;
}

static bool keepalive_due(struct net *net, struct tcp_conn *conn)
{
	const struct tcp_options *o = &conn->options;
	uint64_t idle_ns = net->now_ns - conn->rx_ns;

	if (idle_ns < o->keepalive_idle_ns) {
		tcp_timer_start(net, conn, TCP_TIMER_KEEPALIVE, o->keepalive_idle_ns - idle_ns);
		return true;
	}
	if (conn->keepalive_sent >= o->keepalive_count)
		return give_up(net, conn);
	/* Only an idle connection is probed (MUST-26): else retransmission asks already. */
	if (tcp_conn_flight(conn) == 0) {
		conn->keepalive_sent++;
		conn->probe_due = true;
		tcp_turn_want(net, conn);
	}
	tcp_timer_start(net, conn, TCP_TIMER_KEEPALIVE, o->keepalive_interval_ns);
	return true;
}

static bool fin_wait_2_due(struct net *net, struct tcp_conn *conn)
{
	counter_add(&net->counters->conn_timeout, 1);
	tcp_conn_die(net, conn, ETIMEDOUT);
	return false;
}

static bool (*const due[TCP_TIMER_COUNT])(struct net *net, struct tcp_conn *conn) = {
	[TCP_TIMER_RETRANSMIT] = retransmit_due, [TCP_TIMER_REORDER] = reorder_due,
	[TCP_TIMER_PROBE] = probe_due,		 [TCP_TIMER_ACK] = ack_is_due,
	[TCP_TIMER_KEEPALIVE] = keepalive_due,	 [TCP_TIMER_FIN_WAIT_2] = fin_wait_2_due,
};

static void fire(void *ctx, struct wheel_timer *t)
{
	struct net *net = ctx;
	struct tcp_conn *conn = RTE_PTR_SUB(t, offsetof(struct tcp_conn, timer));
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; i < TCP_TIMER_COUNT; i++) {
		if (conn->deadline_ns[i] == 0 || conn->deadline_ns[i] > net->now_ns)
			continue;
		conn->deadline_ns[i] = 0;
		if (!due[i](net, conn))
			return;
	}
	for (unsigned i = 0; i < TCP_TIMER_COUNT; i++)
		if (conn->deadline_ns[i] != 0)
			next_ns = RTE_MIN(next_ns, conn->deadline_ns[i]);
	if (next_ns != UINT64_MAX)
		wheel_arm(&net->tcp.wheel, &conn->timer, next_ns);
	tcp_conn_check(conn);
}

/* As many as there are pushes for; each tries again, in vain perhaps, and the others in later
 * turns. */
static void wake_push_waiting(struct net *net)
{
	const struct slab *pushes = net->tcp.pushes.pushes;
	uint32_t room = RTE_MIN(slab_count(pushes) - slab_used(pushes), (uint32_t)WAKES_MAX);
	struct tcp_conn *conn;

	while (room-- > 0 && (conn = TAILQ_FIRST(&net->tcp.push_waiting))) {
		TAILQ_REMOVE(&net->tcp.push_waiting, conn, push_link);
		conn->push_waiting = conn->want_room = false;
		net_sock_ready(net, &conn->sock);
	}
}

void tcp_poll(struct net *net)
{
	wheel_advance(&net->tcp.wheel, net->now_ns, fire, net);
	tcp_timewait_expire(net);
	if (!TAILQ_EMPTY(&net->tcp.unresolved) && net->now_ns >= net->tcp.unresolved_ns)
		tcp_neigh_changed(net);
	if (!TAILQ_EMPTY(&net->tcp.push_waiting))
		wake_push_waiting(net);
}

uint64_t tcp_deadline(const struct net *net)
{
	uint64_t at_ns = RTE_MIN(wheel_next_deadline(&net->tcp.wheel), tcp_timewait_deadline(net));

	/* Who found no buffer tries again next turn. */
	for (uint16_t i = 0; i < net->iface_count; i++)
		if (!TAILQ_EMPTY(&net->tcp.output[i]))
			return net->now_ns;
	return TAILQ_EMPTY(&net->tcp.unresolved) ? at_ns : RTE_MIN(at_ns, net->tcp.unresolved_ns);
}
