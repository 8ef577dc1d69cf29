/*
 * TCP options as values: parsed once from any bytes at any alignment, written in the order that
 * Linux uses. RFC 9293 3.1 and 3.2, RFC 7323, RFC 2018.
 */
#ifndef NET_TCP_OPT_H
#define NET_TCP_OPT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TCP_OPT_LEN_MAX = 40,
	TCP_OPT_TIMESTAMPS_LEN = 12, /* on every segment but a SYN: NOP NOP timestamps */
	TCP_OPT_WSCALE_MAX = 14,     /* RFC 7323 2.3 */
	TCP_OPT_SACK_MAX = 4,
};

/* Bits of tcp_opts.present. */
enum {
	TCP_OPT_MSS = 1 << 0,
	TCP_OPT_WSCALE = 1 << 1,
	TCP_OPT_SACK_PERMITTED = 1 << 2,
	TCP_OPT_SACK = 1 << 3,
	TCP_OPT_TIMESTAMPS = 1 << 4,
};

/* Bytes [start, end) of sequence space. */
struct tcp_range {
	uint32_t start, end;
};

struct tcp_opts {
	uint8_t present; /* what else in here has a meaning */
	uint8_t wscale;	 /* 0 .. TCP_OPT_WSCALE_MAX */
	uint16_t mss;	 /* as the peer says, 0 among it */
	uint32_t ts_val, ts_ecr;
	uint8_t sack_count;
	struct tcp_range sack[TCP_OPT_SACK_MAX]; /* not validated against what was sent */
};

/*
 * Parses the len bytes after the fixed header. False: an option has no length, or one that is
 * impossible or not that option's (MUST-7, MUST-68): the segment is malformed. Unknown options are
 * skipped (MUST-6), of one that is there twice the last counts; whether an option means something
 * on this segment is the caller's question (MSS, window scale and SACK-permitted only on a SYN).
 */
bool tcp_opt_parse(struct tcp_opts *opts, const uint8_t *bytes, uint32_t len);

/*
 * Writes what is present of MSS, SACK-permitted, timestamps and window scale, for a SYN. Returns
 * the length, a multiple of 4, at most TCP_OPT_LEN_MAX.
 */
uint32_t tcp_opt_write_syn(uint8_t *bytes, const struct tcp_opts *opts);
/* Writes TCP_OPT_TIMESTAMPS_LEN bytes, for any other segment; returns that. */
uint32_t tcp_opt_write_timestamps(uint8_t *bytes, uint32_t ts_val, uint32_t ts_ecr);
/* Writes count >= 1 SACK blocks after it, or alone, for any other segment; returns
 * tcp_opt_sack_len(count). */
uint32_t tcp_opt_write_sack(uint8_t *bytes, const struct tcp_range *ranges, unsigned count);

/* Bytes of so many SACK blocks with their NOP NOP kind length. */
static inline uint32_t tcp_opt_sack_len(unsigned count)
{
	return count ? 4 + 8 * count : 0;
}

#endif
