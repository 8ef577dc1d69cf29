#include "net/tcp_undo.h"

#include "net/tcp_in.h"

#include <rte_common.h>

void tcp_undo_begin(struct tcp_conn *conn)
{
	conn->undo = (struct tcp_undo){.una = conn->snd_una};
}

void tcp_undo_resent(const struct net *net, struct tcp_conn *conn, uint32_t start, uint32_t end)
{
	struct tcp_undo *undo = &conn->undo;

	if (conn->recovery == TCP_RECOVERY_NONE)
		return;
	if (!undo->possible) {
		undo->ts = tcp_conn_ts_now(net, conn);
		undo->end = end;
		undo->by_echo = start == conn->snd_una;
	}
	undo->possible = true;
	undo->left += end - start;
}

void tcp_undo_dsack(struct tcp_conn *conn, const struct tcp_range *twice)
{
	if (seq_geq(twice->start, conn->undo.una))
		conn->undo.left -= RTE_MIN(conn->undo.left, twice->end - twice->start);
}

bool tcp_undo_answers_before(const struct tcp_in *in, uint32_t ts)
{
	return in->conn->timestamps && (in->opts.present & TCP_OPT_TIMESTAMPS) &&
	       seq_lt(in->opts.ts_ecr, ts);
}

/* RFC 3522 3: the ACK that first covers what was first sent again tells by its echo whether the
 * original had arrived. Other ACKs do not, as they may answer what an earlier recovery has sent. */
static bool original_arrived(const struct tcp_in *in)
{
	struct tcp_undo *undo = &in->conn->undo;

	if (!undo->by_echo || seq_lt(in->ack, undo->end))
		return false;
	undo->by_echo = false;
	return in->conn->recovery != TCP_RECOVERY_NONE && tcp_undo_answers_before(in, undo->ts);
}

bool tcp_undo_is_due(const struct tcp_in *in)
{
	return in->conn->undo.possible && (original_arrived(in) || in->conn->undo.left == 0);
}

void tcp_undo_carry_out(struct net *net, struct tcp_conn *conn)
{
	counter_add(&net->counters->tcp_undos, 1);
	tcp_cc_on_undo(&conn->cc);
	conn->recovery = TCP_RECOVERY_NONE;
	conn->undo.possible = false;
}
