#include "net/tcp_window.h"

#include <rte_common.h>

/* Receiver's silly window avoidance. */
static uint32_t step_worth_telling(const struct tcp_conn *conn)
{
	return RTE_MIN(conn->rxq.buf_len / 2, (uint32_t)conn->rcv_mss);
}

/* How far the right edge could move on, of what the header can tell. */
static uint32_t growth_possible(const struct net *net, const struct tcp_conn *conn)
{
	const uint32_t wnd_max = (uint32_t)TCP_WND_MAX << conn->rcv_wscale;
	const uint32_t wnd = RTE_MIN(tcp_rxq_window(&conn->rxq), wnd_max);
	int32_t growth = seq_diff(conn->rxq.rcv_nxt + wnd, conn->rcv_adv);

	return net->mem->level == MEM_SCARCE || growth < 0 ? 0 : (uint32_t)growth;
}

bool tcp_window_grew(const struct net *net, const struct tcp_conn *conn)
{
	uint32_t offered = conn->rcv_adv - conn->rxq.rcv_nxt, growth;

	if (offered > conn->rxq.buf_len / 2) /* half of the buffer is more than there is left */
		return false;
	growth = growth_possible(net, conn);
	return !conn->fin_received && growth >= step_worth_telling(conn) && growth >= offered;
}

/*
 * While half of the buffer is open no silly window can arise, and the edge follows what was popped:
 * so the header's field stays the same from request to request, which is what the peer's fast path
 * hopes for (Linux compares the field, not the edge).
 */
static bool may_move(const struct tcp_conn *conn, uint32_t growth)
{
	return growth >= step_worth_telling(conn) ||
	       conn->rcv_adv - conn->rxq.rcv_nxt >= conn->rxq.buf_len / 2;
}

uint16_t tcp_window_offer(const struct net *net, struct tcp_conn *conn, bool syn)
{
	uint32_t growth = growth_possible(net, conn);

	if (syn)
		return (uint16_t)RTE_MIN(tcp_rxq_window(&conn->rxq), (uint32_t)TCP_WND_MAX);
	/* After a FIN nothing comes any more, but the right edge does not move back (SHLD-14). */
	if (!conn->fin_received && may_move(conn, growth))
		conn->rcv_adv += growth;
	return (uint16_t)((conn->rcv_adv - conn->rxq.rcv_nxt) >> conn->rcv_wscale);
}
