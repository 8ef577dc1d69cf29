/*
 * The software twin of the NIC's receive side scaling: Toeplitz hash (tables of 256 words per input
 * byte), 128 buckets of a redirection table (RETA), and the computed choice of a local port.
 * Verified on Microsoft's published vectors (Windows drivers, "Verifying the RSS hash
 * calculation").
 */
#ifndef NIC_RSS_H
#define NIC_RSS_H

#include <rte_byteorder.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	RSS_KEY_LEN = 40,
	RSS_BUCKET_COUNT = 128,
	RSS_INPUT_LEN_MAX = 36, /* IPv6 addresses and ports */
};

/* 0x6d5a repeated: both directions of a flow hash alike (Woo & Park, "Scalable TCP session
 * monitoring with symmetric receive-side scaling"). The hash then has 16 bits of entropy: enough
 * for buckets, not for a hash table. */
extern const uint8_t rss_key_symmetric[RSS_KEY_LEN];

/* Made once, read by all shards. */
struct rss {
	uint8_t key[RSS_KEY_LEN];
	uint16_t reta[RSS_BUCKET_COUNT]; /* bucket -> shard */
	uint32_t table[RSS_INPUT_LEN_MAX][256];
	/* Local port choice: XOR port_step[d] onto a destination port and the bucket changes by XOR
	 * d; and the ports that change no bucket. Valid if port_steps; else ports are searched. */
	bool port_steps;
	uint16_t port_step[RSS_BUCKET_COUNT];
	uint16_t port_kernel[16], port_kernel_count;
};

/* Buckets are dealt to shards round robin. shard_count 1 .. 64. */
void rss_init(struct rss *rss, const uint8_t key[RSS_KEY_LEN], uint16_t shard_count);

/* Hash of src, dst (network order), then ports. */
static inline uint32_t rss_hash4(const struct rss *rss, rte_be32_t src, rte_be32_t dst,
				 rte_be16_t src_port, rte_be16_t dst_port)
{
	const uint8_t *s = (const uint8_t *)&src, *d = (const uint8_t *)&dst;
	const uint8_t *sp = (const uint8_t *)&src_port, *dp = (const uint8_t *)&dst_port;

	return rss->table[0][s[0]] ^ rss->table[1][s[1]] ^ rss->table[2][s[2]] ^
	       rss->table[3][s[3]] ^ rss->table[4][d[0]] ^ rss->table[5][d[1]] ^
	       rss->table[6][d[2]] ^ rss->table[7][d[3]] ^ rss->table[8][sp[0]] ^
	       rss->table[9][sp[1]] ^ rss->table[10][dp[0]] ^ rss->table[11][dp[1]];
}

/* Hash of len <= RSS_INPUT_LEN_MAX bytes, e.g. IPv6 addresses and ports, or addresses alone. */
uint32_t rss_hash_bytes(const struct rss *rss, const uint8_t *input, unsigned len);

static inline uint16_t rss_owner(const struct rss *rss, uint32_t hash)
{
	return rss->reta[hash & (RSS_BUCKET_COUNT - 1)];
}

/*
 * A destination port (host order) in [low, high] so that a packet src:src_port -> dst:port belongs
 * to shard; start is random, attempt counts up; different attempts give different ports until all
 * were tried: then 0.
 */
uint16_t rss_port_choose(const struct rss *rss, rte_be32_t src, rte_be32_t dst, rte_be16_t src_port,
			 uint16_t low, uint16_t high, uint16_t shard, uint16_t start,
			 uint32_t attempt);

#endif
