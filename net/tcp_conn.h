/*
 * The control block of one connection (RFC 9293 3.3.1), and how it begins and ends. It lies in the
 * flow table while peers may reach it; a connection that died or went on as a TIME-WAIT entry is
 * out of the table and waits only for its user to let go.
 *
 *      create --> [in the table] --> die, finish or TIME-WAIT --> [detached] --> tcp_close: destroy
 *                        \--- tcp_close: no user (closed) ---> die, finish or TIME-WAIT: destroy
 */
#ifndef NET_TCP_CONN_H
#define NET_TCP_CONN_H

#include "net/dst.h"
#include "net/ip4.h"
#include "net/stack.h"
#include "net/tcp.h"
#include "net/tcp_cc.h"
#include "net/tcp_info.h"
#include "net/tcp_rack.h"
#include "net/tcp_seq.h"
#include "net/tcp_tlp.h"
#include "net/tcp_undo.h"

#include <stddef.h>

enum {
	TCP_HEADER_LEN = 20,
	TCP_MSS_DEFAULT = 536,	    /* RFC 9293 3.7.1, MUST-15 */
	TCP_MSS_MIN = 88,	    /* what a peer may make us send at least (CVE-2019-11479) */
	TCP_WND_MAX = 65535,	    /* of the header's field */
	TCP_DUP_ACKS_OWED_MAX = 8,  /* duplicate ACKs of one connection that wait for output */
	TCP_DUP_ACK_THRESHOLD = 3,  /* RFC 5681 3.2 */
	TCP_QUICK_ACKS = 16,	    /* full segments acknowledged at once at the start */
	TCP_SCARCE_HELD_MAX = 2048, /* true size that waits to be read while memory is scarce */
	TCP_R1_TIMEOUTS = 3,	    /* then IP is told that its way may be wrong (RFC 9293 3.8.3) */
	TCP_SYN_ACK_RETRIES_MAX = 5, /* then a half-open connection is forgotten */
};

/* What a connection may wait for; deadline 0: nothing. */
enum tcp_timer {
	TCP_TIMER_RETRANSMIT,
	TCP_TIMER_REORDER,   /* what is not yet lost, but overdue (RFC 8985) */
	TCP_TIMER_PROBE,     /* the peer's window is shut, or too small to be worth a segment */
	TCP_TIMER_ACK,	     /* delayed ACK */
	TCP_TIMER_KEEPALIVE, /* also: nothing heard for the time that keepalive allows */
	TCP_TIMER_FIN_WAIT_2,
	TCP_TIMER_COUNT,
};

enum tcp_recovery {
	TCP_RECOVERY_NONE,
	TCP_RECOVERY_FAST, /* RFC 6582: until recover is acknowledged */
	TCP_RECOVERY_LOSS, /* after a timeout: everything up to recover is sent again */
};

enum tcp_output_list { TCP_OUTPUT_NONE, TCP_OUTPUT_WAITING, TCP_OUTPUT_UNRESOLVED };

struct tcp_conn {
	struct net_sock sock;
	TAILQ_ENTRY(tcp_conn) all_link, output_link, push_link;
	struct tcp_listener *listener; /* until accepted */
	TAILQ_ENTRY(tcp_conn) listener_link;
	struct net_flow flow;
	struct net_dst dst;

	uint8_t state;	     /* enum tcp_state */
	uint8_t output_list; /* enum tcp_output_list */
	bool in_table;
	bool foreign;	  /* the flow's owner by hash is another shard */
	bool from_listen; /* SYN-RECEIVED came from LISTEN (MUST-11) */
	bool by_cookie;	  /* a SYN cookie opened it */
	bool closed;	  /* the user let go */
	bool shut_rd;
	bool fin_queued;     /* a FIN follows the last byte of txq */
	bool fin_sent;	     /* snd_nxt is after it */
	bool fin_seen;	     /* the peer's FIN has sequence number fin_seq ... */
	bool fin_received;   /* ... and rcv_nxt is after it */
	bool want_room;	     /* tcp_push() said -EAGAIN */
	bool push_waiting;   /* ... for want of a push of the shard's */
	bool ecn, ecn_asked; /* agreed upon; our SYN asked for it */
	bool ecn_echo;	     /* a mark came, and no CWR since */
	bool ecn_seen;	     /* the peer sent something that could be marked */
	bool timestamps, wscale, sack;
	uint8_t snd_wscale, rcv_wscale;
	bool error_told;       /* through SO_ERROR */
	int error, soft_error; /* positive errno */
	struct tcp_options options;

	/*
	 *  snd_una            rtx_nxt    rtx_end      snd_nxt                snd_una + snd_wnd
	 *     | sent once, or again |  to be sent again | sent once | may be sent | not yet
	 */
	uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1;
	uint32_t snd_wnd_max; /* largest window the peer has offered */
	uint32_t snd_small;   /* after the last segment that was not full */
	uint32_t rtx_nxt, rtx_end;
	uint32_t ecn_recover; /* snd_nxt when a mark last reduced the window */
	uint32_t recover;     /* RFC 6582 */
	/* In flight when new data was last sent: how much of cwnd is used. ACKs come in bursts and
	 * empty the flight before output can fill it again. */
	uint32_t flight_used;
	uint16_t snd_mss; /* payload bytes of a full segment, options taken off */
	uint8_t recovery; /* enum tcp_recovery */
	uint8_t dup_acks;
	bool syn_due;	/* SYN or SYN-ACK is to be sent, once more or for the first time */
	bool probe_due; /* an empty segment with an old sequence number, to make the peer answer */
	bool force;	/* send what fits into the window, however little */
	bool probe_unanswered;
	uint8_t syn_count; /* SYNs sent */
	uint8_t probe_count, keepalive_sent;
	struct tcp_txq txq;
	struct tcp_cc cc;
	struct tcp_rtt rtt;
	struct tcp_rack rack; /* where SACK was negotiated */
	struct tcp_tlp tlp;
	struct tcp_undo undo;

	uint32_t irs, fin_seq;
	uint32_t rcv_adv;  /* right edge of the window that the peer was told; never goes back */
	uint32_t ack_sent; /* Last.ACK.sent of RFC 7323 */
	uint16_t rcv_mss;  /* what the peer's full segments seem to carry */
	bool ack_due;
	bool ack_pending; /* the delayed ACK timer runs */
	bool interactive; /* the program answers what it gets: ACKs ride on its answers */
	uint8_t dup_acks_owed, quick_acks;
	uint8_t text_challenges; /* since text_challenge_ns */
	struct tcp_rxq rxq;
	struct tcp_range dsack; /* bytes that came twice, to be told; empty: none */

	uint32_t ts_offset, ts_recent;
	uint64_t ts_recent_ns;

	uint64_t progress_ns; /* since when the oldest byte not acknowledged waits (R2) */
	uint64_t rx_ns, rx_data_ns, tx_data_ns, challenge_ns; /* when it last happened; 0: never */
	uint64_t text_challenge_ns;
	struct tcp_figures figures;
	uint64_t deadline_ns[TCP_TIMER_COUNT];
	struct wheel_timer timer; /* the earliest of them, or earlier */
};

_Static_assert(sizeof(struct tcp_conn) <= 2048, "at most 2 KiB a connection");
_Static_assert(offsetof(struct tcp_conn, sock) == 0, "a socket's head is its beginning");

/* The flow table's value is a connection, or a TIME-WAIT entry with its lowest bit set. */
static inline bool tcp_flow_is_timewait(const void *value)
{
	return (uintptr_t)value & 1;
}

/*
 * A connection in state CLOSED, in the flow table, its way to the remote looked up, its numbers
 * (iss, ts_offset) chosen. -EHOSTUNREACH, -EINVAL (net_dst_init); -EADDRINUSE: the flow is there;
 * -ENOBUFS: conn_max.
 */
int tcp_conn_create(struct net *net, const struct net_flow *flow, const struct tcp_options *options,
		    struct tcp_conn **out);
/* Gives everything back at once; no word to the peer or the user. */
void tcp_conn_destroy(struct net *net, struct tcp_conn *conn);
/* Ends with an error: pushes complete with it, the user hears of it; destroyed when there is none.
 */
void tcp_conn_die(struct net *net, struct tcp_conn *conn, int error);
/* Ends in order, as CLOSED or (through a compact entry) TIME_WAIT; destroyed when there is no user.
 */
void tcp_conn_finish(struct net *net, struct tcp_conn *conn, enum tcp_state state);
/* RST to the peer, if it knows us, then tcp_conn_die(). */
void tcp_conn_abort(struct net *net, struct tcp_conn *conn, int error);

/* What a window of buf_len bytes has to be shifted by. */
uint8_t tcp_conn_window_scale(uint32_t buf_len);
/* The peer's SYN: receive sequence space and what its options allow. */
void tcp_conn_syn_received(struct net *net, struct tcp_conn *conn, uint32_t irs,
			   const struct tcp_opts *opts);
/* Both SYNs are acknowledged: windows, congestion control and timers begin. */
void tcp_conn_established(struct net *net, struct tcp_conn *conn);

/* An ACK of what was not accepted, within the limits of net/tcp_challenge.h. */
void tcp_conn_challenge(struct net *net, struct tcp_conn *conn);

/* What must hold between input, output and calls; CHECKs in debug builds. */
#ifdef CLOWDER_DEBUG
void tcp_conn_check(const struct tcp_conn *conn);
#else
static inline void tcp_conn_check(const struct tcp_conn *conn)
{
	(void)conn;
}
#endif

/* Bytes, SYN and FIN that are sent and not acknowledged. */
static inline uint32_t tcp_conn_flight(const struct tcp_conn *conn)
{
	return conn->snd_nxt - conn->snd_una;
}

static inline bool tcp_conn_synchronized(const struct tcp_conn *conn)
{
	return conn->state >= TCP_ESTABLISHED;
}

/* Our FIN was sent and acknowledged. */
static inline bool tcp_conn_fin_acked(const struct tcp_conn *conn)
{
	return conn->fin_sent && conn->snd_una == conn->snd_nxt;
}

/* Bytes or a FIN that the peer has not acknowledged, sent or not. */
static inline bool tcp_conn_owes(const struct tcp_conn *conn)
{
	return tcp_txq_len(&conn->txq) > 0 || (conn->fin_queued && !tcp_conn_fin_acked(conn));
}

/* The MSS of a SYN: the largest datagram we take (MUST-67), or less if the program wants so. */
static inline uint16_t tcp_mss_offered(const struct net_dst *dst, const struct tcp_options *options)
{
	uint16_t mss = net_dst_mss(dst);

	return options->mss_max && options->mss_max < mss ? options->mss_max : mss;
}

static inline uint16_t tcp_conn_mss_offered(const struct tcp_conn *conn)
{
	return tcp_mss_offered(&conn->dst, &conn->options);
}

/* The shard's clock for timestamps, in milliseconds, as this flow shows it. */
static inline uint32_t tcp_conn_ts_now(const struct net *net, const struct tcp_conn *conn)
{
	return (uint32_t)(net->now_ns / 1000000) + conn->ts_offset;
}

#endif
