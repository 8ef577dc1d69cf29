/*
 * Who saw on the wire what became of each segment of one bulk transfer, and what the sender was
 * told; so it can say of each retransmission timeout whether anything else could have repaired what
 * it repairs. It knows nothing of how the sender recovers.
 */
#ifndef TESTS_NET_WITNESS_H
#define TESTS_NET_WITNESS_H

#include "tcp_link.h"

enum timeout_cause {
	/* The sender had been told, for longer than RACK waits, of the arrival of something that it
	 * sent later: SACK could have repaired the loss. Must not be. */
	TIMEOUT_REPAIRABLE,
	TIMEOUT_AGAIN, /* what was sent again is lost again, and nothing sent later was heard of */
	TIMEOUT_TAIL,  /* lost once, likewise: the end of a flight, and the probe for it */
	TIMEOUT_NEEDLESS, /* the segment had arrived, its ACKs were lost */
	TIMEOUT_CAUSES,
};

struct witness {
	uint32_t seg_len, seg_count;
	uint32_t first_seq; /* of the data; 0: not seen yet */
	struct witness_seg *segs;
	uint64_t last_number;	/* data frames sent; each is known by its number */
	uint64_t newest_number; /* of those that arrived */
	uint64_t told_number;	/* of those whose arrival an ACK that arrived told of */
	/* Of the segment at snd_una, and its last sending: since when is it known to be overtaken?
	 */
	uint32_t una;
	uint64_t una_number, overtaken_ns;
};

/* A transfer of len bytes in segments of seg_len. */
void witness_begin(struct witness *w, uint32_t len, uint32_t seg_len);
void witness_end(struct witness *w);

/* The sender sent a frame, which will be lost or not. Returns its tag for link_send(). */
uint64_t witness_sends(struct witness *w, const struct host_frame *f);
void witness_lost(struct witness *w, const struct host_frame *f);
/* The receiver gets a data frame with this tag. Its own frames bear newest_number as their tag. */
void witness_arrives(struct witness *w, const struct host_frame *f, uint64_t tag);
/* The sender has got and processed an ACK with this tag. */
void witness_told(struct witness *w, const struct tcp_conn *conn, uint64_t tag, uint64_t now_ns);
/* The sender's retransmission timer ran out. */
enum timeout_cause witness_timeout(const struct witness *w, const struct tcp_conn *conn,
				   uint64_t now_ns);

#endif
