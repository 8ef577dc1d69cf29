/*
 * The map of what was sent and not acknowledged: ranges that tile [una, nxt), each with the time it
 * was last sent and what became of it. It says what is in flight, and what to send again. Segments
 * of one burst have one time and are one range, so a map without losses is one or a few long.
 *
 *      una                                                   nxt
 *       | sacked? no  | sacked | lost | sacked | in flight    |
 *       | sent 17 ms  | 17 ms  | 17   | 18 ms  | 19 ms        |
 *
 * Nodes come from a slab; the first lies in the map itself. When the slab is dry, or the map
 * has TCP_SENT_RANGES_MAX, neighbours stay or become one: as sent last of all, in flight (not
 * sacked, not lost). That errs to the side of waiting, and the retransmission timeout sees to the
 * rest. Nothing here fails.
 */
#ifndef NET_TCP_SENT_H
#define NET_TCP_SENT_H

#include <stdbool.h>
#include <stdint.h>

struct slab;

enum {
	TCP_SENT_SACKED = 1 << 0, /* the peer has it */
	TCP_SENT_LOST = 1 << 1,	  /* to be sent again; not together with SACKED */
	TCP_SENT_RESENT = 1 << 2, /* was sent more than once */
};

enum {
	/* Of one map, so that no peer's SACK blocks take all nodes, or make walks long; a window of
	 * 512 KiB has that few even if each segment is sent at a time of its own. */
	TCP_SENT_RANGES_MAX = 512,
};

struct tcp_sent_range {
	struct tcp_sent_range *next;
	uint64_t sent_ns;
	uint32_t start, end;
	uint8_t flags;
};

struct tcp_sent {
	struct tcp_sent_range *first, *last;
	uint32_t una, nxt;
	uint32_t sacked_len, lost_len; /* bytes in ranges so flagged */
	uint32_t count;
	bool own_used;
	struct tcp_sent_range own; /* so that the common case needs no slab */
};

/* What an acknowledgment, cumulative or selective, has delivered; begin with zeros. */
struct tcp_sent_delivered {
	uint32_t len;	       /* bytes, each counted once */
	bool any;	       /* newest_ and newest_end have a meaning */
	bool newest_resent;    /* the range last sent was sent more than once */
	bool in_order_any;     /* lowest_start has a meaning */
	uint64_t newest_ns;    /* of all delivered, when the last sent was sent, ... */
	uint32_t newest_end;   /* ... and the highest end of those sent then */
	uint32_t lowest_start; /* of those that were sent once only */
	uint32_t highest_end;
};

void tcp_sent_init(struct tcp_sent *map, uint32_t seq);
/* Forgets all; begins anew at seq. */
void tcp_sent_clear(struct tcp_sent *map, struct slab *nodes, uint32_t seq);

/* [nxt, end) goes out for the first time. */
void tcp_sent_append(struct tcp_sent *map, struct slab *nodes, uint32_t end, uint64_t now_ns);
/* [start, end), which lies in one range, goes out again. */
void tcp_sent_again(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end,
		    uint64_t now_ns);
/* All before una, una <= nxt, was acknowledged. */
void tcp_sent_acked(struct tcp_sent *map, struct slab *nodes, uint32_t una,
		    struct tcp_sent_delivered *delivered);
/* [start, end), una <= start < end <= nxt, was selectively acknowledged. */
void tcp_sent_sacked(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end,
		     struct tcp_sent_delivered *delivered);
/* [start, end) is taken for lost, but what is sacked. */
void tcp_sent_lose(struct tcp_sent *map, struct slab *nodes, uint32_t start, uint32_t end);
/* A range not sacked is taken for lost. */
void tcp_sent_lose_range(struct tcp_sent *map, struct tcp_sent_range *range);
/* What was taken for lost is in flight after all. */
void tcp_sent_unlose(struct tcp_sent *map, struct slab *nodes);
/* The peer may have reneged: nothing counts as sacked (RFC 2018 8). */
void tcp_sent_unsack(struct tcp_sent *map, struct slab *nodes);

/* The first range to be sent again; NULL: none. */
const struct tcp_sent_range *tcp_sent_lost_or_null(const struct tcp_sent *map);

/* Bytes neither acknowledged in any way nor lost. */
static inline uint32_t tcp_sent_flight(const struct tcp_sent *map)
{
	return map->nxt - map->una - map->sacked_len - map->lost_len;
}

/* What must hold between calls; CHECKs. */
void tcp_sent_check(const struct tcp_sent *map);

#endif
