#include "net/tcp_turn.h"

#include "net/tcp_out.h"
#include "net/tcp_timer.h"

#include <errno.h>
#include <rte_common.h>

/* A next hop that does not answer makes no news: who waits for it asks again. */
#define UNRESOLVED_NS 500000000ull

enum {
	VISIT_SEGMENTS_MAX = 16, /* of one connection before it is the next one's turn */
	STARVED_MAX = 16, /* connections that found no buffer before output gives up this turn */
};

/* --- wanting --- */

void tcp_turn_want(struct net *net, struct tcp_conn *conn)
{
	if (conn->output_list != TCP_OUTPUT_NONE || !conn->in_table)
		return;
	conn->output_list = TCP_OUTPUT_WAITING;
	TAILQ_INSERT_TAIL(&net->tcp.output[conn->dst.iface], conn, output_link);
}

void tcp_turn_leave(struct net *net, struct tcp_conn *conn)
{
	if (conn->output_list == TCP_OUTPUT_WAITING)
		TAILQ_REMOVE(&net->tcp.output[conn->dst.iface], conn, output_link);
	else if (conn->output_list == TCP_OUTPUT_UNRESOLVED)
		TAILQ_REMOVE(&net->tcp.unresolved, conn, output_link);
	conn->output_list = TCP_OUTPUT_NONE;
}

/* --- waiting for the next hop's address --- */

/* No way to the next hop, for now; what timers guard goes on, so that patience has an end. */
static void wait_for_neighbour(struct net *net, struct tcp_conn *conn, int err)
{
	tcp_turn_leave(net, conn);
	if (err == -EHOSTUNREACH) {
		conn->soft_error = EHOSTUNREACH;
		if (conn->state == TCP_SYN_SENT) {
			tcp_conn_die(net, conn, EHOSTUNREACH);
			return;
		}
	} else {
		if (TAILQ_EMPTY(&net->tcp.unresolved))
			net->tcp.unresolved_ns = net->now_ns + UNRESOLVED_NS;
		conn->output_list = TCP_OUTPUT_UNRESOLVED;
		TAILQ_INSERT_TAIL(&net->tcp.unresolved, conn, output_link);
	}
	if (!tcp_conn_synchronized(conn) || tcp_conn_owes(conn))
		tcp_timer_data_sent(net, conn);
}

void tcp_neigh_changed(struct net *net)
{
	struct tcp_conn *conn;

	while ((conn = TAILQ_FIRST(&net->tcp.unresolved))) {
		tcp_turn_leave(net, conn);
		tcp_turn_want(net, conn);
	}
}

/* --- turns --- */

/* Up to n >= 1 frames of one connection; *starved: it wanted to send more and found no buffer. */
static unsigned visit(struct net *net, struct tcp_conn *conn, struct rte_mbuf **pkts, unsigned n,
		      bool *starved)
{
	unsigned done = 0;

	do {
		struct rte_mbuf *m = tcp_out_next_or_null(net, conn, starved);

		if (!m)
			break;
		pkts[done++] = m;
	} while (done < n && tcp_out_wants(conn));
	DEBUG_CHECK(tcp_out_wants(conn) || !tcp_out_next_or_null(net, conn, starved));
	tcp_conn_check(conn);
	return done;
}

unsigned tcp_output(struct net *net, uint16_t iface, struct rte_mbuf **pkts, unsigned n)
{
	struct tcp_conn_list *list = &net->tcp.output[iface];
	unsigned done = 0, starved_count = 0;
	struct tcp_conn *conn;

	while (done < n && starved_count < STARVED_MAX && (conn = TAILQ_FIRST(list))) {
		int err = net_dst_resolve(net, &conn->dst);
		unsigned room = RTE_MIN(n - done, (unsigned)VISIT_SEGMENTS_MAX), sent;
		bool starved;

		if (err) {
			wait_for_neighbour(net, conn, err);
			continue;
		}
		sent = visit(net, conn, pkts + done, room, &starved);
		done += sent;
		starved_count += starved;
		TAILQ_REMOVE(list, conn, output_link);
		if (sent == room || starved)
			TAILQ_INSERT_TAIL(list, conn, output_link);
		else
			conn->output_list = TCP_OUTPUT_NONE;
	}
	return done;
}
