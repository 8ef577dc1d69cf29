/*
 * A segment on its way through the steps of RFC 9293 3.10.7, and what they found out. Steps change
 * the connection's numbers and queues; what reaches beyond them (answers, the end of the
 * connection, news for the user) is collected and carried out once, last.
 */
#ifndef NET_TCP_IN_H
#define NET_TCP_IN_H

#include "net/tcp_conn.h"
#include "net/tcp_opt.h"

enum tcp_effect {
	TCP_EFFECT_OUTPUT = 1 << 0, /* there may be something to send */
	TCP_EFFECT_ACK = 1 << 1,
	TCP_EFFECT_DUP_ACK = 1 << 2, /* one for this very segment, so that the peer can count */
	TCP_EFFECT_CHALLENGE = 1 << 3,
	TCP_EFFECT_RST = 1 << 4,   /* in answer to this segment */
	TCP_EFFECT_READY = 1 << 5, /* the user has something to look at */
	TCP_EFFECT_TIME_WAIT = 1 << 6,
	TCP_EFFECT_FINISH = 1 << 7, /* ended in order */
	TCP_EFFECT_DIE = 1 << 8,    /* with in.error */
	TCP_EFFECT_DROP = 1 << 9,   /* the segment, for in.reason */
};

struct tcp_in {
	struct net *net;
	struct tcp_conn *conn;
	struct rte_mbuf *m; /* NULL once it was kept */
	uint32_t seq, ack, len;
	uint32_t wnd; /* scaled */
	uint16_t payload_off;
	uint8_t flags, tos;
	struct tcp_opts opts;

	uint32_t effects;
	enum drop_reason reason;
	int error;
};

static inline void tcp_in_drop(struct tcp_in *in, enum drop_reason reason)
{
	in->effects |= TCP_EFFECT_DROP;
	in->reason = reason;
}

static inline void tcp_in_die(struct tcp_in *in, int error)
{
	in->effects |= TCP_EFFECT_DIE;
	in->error = error;
}

/* RFC 7323 4.3, once the ACK was believed, too: a number that somebody made up would make PAWS drop
 * all that the peer says. It is older than the last one only after 24 days (5.5). */
static inline void tcp_in_take_timestamp(struct tcp_in *in)
{
	struct tcp_conn *conn = in->conn;

	if (!conn->timestamps || !(in->opts.present & TCP_OPT_TIMESTAMPS) ||
	    seq_gt(in->seq, conn->ack_sent))
		return;
	conn->ts_recent = in->opts.ts_val;
	conn->ts_recent_ns = in->net->now_ns;
}

/* An ACK of bytes or a FIN that bring nothing new, unless there were many of late. */
static inline void tcp_in_answer_text(struct tcp_in *in)
{
	if (tcp_challenge_text_due(in->net, in->conn))
		in->effects |= TCP_EFFECT_ACK;
}

/* Step five in the synchronized states (net/tcp_ack.c). False: the segment goes no further. */
bool tcp_ack_step(struct tcp_in *in);
/* Steps seven and eight (net/tcp_data.c): process the text, false as above; check the FIN bit. */
bool tcp_data_text_step(struct tcp_in *in);
void tcp_data_fin_step(struct tcp_in *in);

#endif
