/*
 * A scripted peer for one host: it builds segments, and checks those that come out. Sequence
 * numbers are relative: seq of what the peer sends counts from its own ISS, ack from the host's,
 * and what is expected of the host the other way round; so a handshake begins at 0.
 */
#ifndef TESTS_NET_TCP_PEER_H
#define TESTS_NET_TCP_PEER_H

#include "tcp_host.h"

#include <rte_tcp.h>

enum {
	FIN = RTE_TCP_FIN_FLAG,
	SYN = RTE_TCP_SYN_FLAG,
	RST = RTE_TCP_RST_FLAG,
	PSH = RTE_TCP_PSH_FLAG,
	ACK = RTE_TCP_ACK_FLAG,
	URG = RTE_TCP_URG_FLAG,
	ECE = RTE_TCP_ECE_FLAG,
	CWR = RTE_TCP_CWR_FLAG,

	PEER_PORT = 5000,
	HOST_PORT = 7,
	PEER_ISS = 1000000,
	PEER_WND = 60000,
	MSS = 1460,
};

struct peer {
	struct host *h;
	struct tcp_listener *listener;
	struct tcp_conn *conn; /* the host's */
	uint16_t port, host_port;
	uint32_t iss, irs;	 /* irs: the host's ISS */
	uint16_t wnd;		 /* of what it sends */
	bool ts;		 /* it sends timestamps */
	uint32_t ts_val, ts_ecr; /* ts_ecr: the last that it heard */
	bool multicast;		 /* it writes to everyone */
	uint64_t total;		 /* bytes of its stream so far, for the pattern */
};

/* A segment; of payload len bytes that the pattern gives for its place in the stream. */
struct seg {
	uint8_t flags;
	uint32_t seq, ack, len;
	uint16_t wnd, urgent;
	uint8_t tos;
	const uint8_t *opts;
	unsigned opts_len;
	/* of what the host sent: */
	struct tcp_opts parsed;
	bool pattern_ok;
};

/* A host that listens on HOST_PORT, and a peer that has not said anything yet. */
struct peer peer_begin(const struct tcp_config *config);
void peer_end(struct peer *p);
/* ... with the handshake done; p.conn accepted, or connected to p.port. mss: the peer's, 0: no
 * option. */
struct peer peer_established(const struct tcp_config *config);
void peer_handshake(struct peer *p, const uint8_t *opts, unsigned opts_len);
struct peer peer_connected(const struct tcp_config *config);

void peer_send_seg(struct peer *p, const struct seg *seg);
/* flags, seq, ack, len; the window as p->wnd. */
void peer_send(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);
/* The next segment of the host to this peer; false: none. */
bool peer_take(struct peer *p, struct seg *seg);
/* The next one has to be this. Returns it. */
struct seg peer_expect_at(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len,
			  const char *file, int line);
void peer_expect_nothing_at(struct peer *p, const char *file, int line);
#define peer_expect(p, flags, seq, ack, len)                                                       \
	peer_expect_at(p, flags, seq, ack, len, __FILE__, __LINE__)
#define peer_expect_nothing(p) peer_expect_nothing_at(p, __FILE__, __LINE__)
/* Takes all that the host sends to this peer now; returns how many segments. */
unsigned peer_drain(struct peer *p);
/* Time passes; nothing is taken out meanwhile. */
void peer_after(struct peer *p, uint64_t ns);

/* The host's program pushes len bytes of its stream, or pops all there is. */
void peer_push(struct peer *p, uint32_t len);
uint64_t peer_pop(struct peer *p);
/* The pushes that ended, and their common error; all of them must have the same. */
unsigned peer_done(struct peer *p, int *error);
uint64_t peer_drops(const struct peer *p, enum drop_reason reason);
struct tcp_use peer_use(const struct peer *p);
/* The host closes first, the peer closes, both are acknowledged. */
void peer_close_actively(struct peer *p);
/* The socket comes out of the ready list now; everything else on it is taken off. */
bool peer_ready(struct peer *p, const struct net_sock *sock);

#endif
