#include "nic/rss.h"

#include "mem/check.h"

#include <string.h>

enum { PORT_BITS = 16, BUCKET_BITS = 7, SHARD_COUNT_MAX = 64 };

_Static_assert(1 << BUCKET_BITS == RSS_BUCKET_COUNT, "a bucket is the low bits of the hash");
_Static_assert(RSS_INPUT_LEN_MAX + sizeof(uint32_t) <= RSS_KEY_LEN, "the last bit has a window");

const uint8_t rss_key_symmetric[RSS_KEY_LEN] = {
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
};

/* The 32 bits of the key that input bit number bit, if set, adds to the hash. */
static uint32_t window(const uint8_t *key, unsigned bit)
{
	const uint8_t *k = key + bit / 8;
	uint64_t bits = (uint64_t)k[0] << 32 | (uint64_t)k[1] << 24 | (uint64_t)k[2] << 16 |
			(uint64_t)k[3] << 8 | (bit % 8 ? k[4] : 0);

	return (uint32_t)(bits >> (8 - bit % 8));
}

static void fill_tables(struct rss *rss)
{
	for (unsigned i = 0; i < RSS_INPUT_LEN_MAX; i++) {
		rss->table[i][0] = 0;
		for (unsigned value = 1; value < 256; value++) {
			unsigned lowest = (unsigned)__builtin_ctz(value);

			/* A byte is a smaller byte and one bit more. */
			rss->table[i][value] = rss->table[i][value & (value - 1)] ^
					       window(rss->key, 8 * i + 7 - lowest);
		}
	}
}

/*
 * The bucket of src:src_port -> dst:port is, over GF(2), a linear function of the port's 16 bits
 * plus a constant. So the ports of one bucket are one of them plus the function's kernel.
 */
static unsigned bucket_change(const struct rss *rss, uint16_t port)
{
	return (rss->table[10][port >> 8] ^ rss->table[11][port & 0xff]) & (RSS_BUCKET_COUNT - 1);
}

/* Gaussian elimination. row[b] is a port whose bucket change has b as its highest bit, or 0. The
 * port bits go in from the lowest, so each kernel vector has another highest bit: echelon form. */
static void eliminate(struct rss *rss, uint16_t row[BUCKET_BITS])
{
	rss->port_kernel_count = 0;
	for (unsigned bit = 0; bit < PORT_BITS; bit++) {
		uint16_t port = (uint16_t)(1u << bit);
		unsigned change = bucket_change(rss, port);

		for (int b = BUCKET_BITS - 1; b >= 0; b--) {
			if (!(change >> b & 1))
				continue;
			if (!row[b]) {
				row[b] = port;
				break;
			}
			port ^= row[b];
			change = bucket_change(rss, port);
		}
		if (!change)
			rss->port_kernel[rss->port_kernel_count++] = port;
	}
}

static void solve_ports(struct rss *rss)
{
	uint16_t row[BUCKET_BITS] = {0};

	eliminate(rss, row);
	rss->port_steps = rss->port_kernel_count == PORT_BITS - BUCKET_BITS;
	if (!rss->port_steps)
		return;
	for (unsigned d = 0; d < RSS_BUCKET_COUNT; d++) {
		uint16_t port = 0;

		for (int b = BUCKET_BITS - 1; b >= 0; b--)
			if ((d ^ bucket_change(rss, port)) >> b & 1)
				port ^= row[b];
		rss->port_step[d] = port;
	}
}

void rss_init(struct rss *rss, const uint8_t key[RSS_KEY_LEN], uint16_t shard_count)
{
	CHECK(shard_count >= 1 && shard_count <= SHARD_COUNT_MAX);
	memset(rss, 0, sizeof(*rss));
	memcpy(rss->key, key, RSS_KEY_LEN);
	for (unsigned i = 0; i < RSS_BUCKET_COUNT; i++)
		rss->reta[i] = (uint16_t)(i % shard_count);
	fill_tables(rss);
	solve_ports(rss);
}

uint32_t rss_hash_bytes(const struct rss *rss, const uint8_t *input, unsigned len)
{
	uint32_t hash = 0;

	CHECK(len <= RSS_INPUT_LEN_MAX);
	for (unsigned i = 0; i < len; i++)
		hash ^= rss->table[i][input[i]];
	return hash;
}

static bool has_bit(uint16_t port, int bit)
{
	return port >> bit & 1;
}

/*
 * The ports of one bucket in ascending order are the leaves of a binary tree over their bits, from
 * the highest: where a kernel vector begins there are both branches, elsewhere one. Below a branch
 * with n vectors left hang 2^n ports. rank() says how many ports are below limit (0 .. 65,536),
 * nth() which one is number n.
 */
static uint32_t rank(const struct rss *rss, uint16_t port, uint32_t limit)
{
	int left = rss->port_kernel_count;
	uint32_t below = 0;

	if (limit >> PORT_BITS)
		return 1u << left;
	for (int bit = PORT_BITS - 1; bit >= 0; bit--) {
		bool limit_bit = has_bit((uint16_t)limit, bit);

		if (left && has_bit(rss->port_kernel[left - 1], bit)) {
			left--;
			if (limit_bit)
				below += 1u << left;
			if (has_bit(port, bit) != limit_bit)
				port ^= rss->port_kernel[left];
		} else if (has_bit(port, bit) != limit_bit) {
			return limit_bit ? below + (1u << left) : below;
		}
	}
	return below;
}

static uint16_t nth(const struct rss *rss, uint16_t port, uint32_t n)
{
	int left = rss->port_kernel_count;

	for (int bit = PORT_BITS - 1; bit >= 0; bit--) {
		if (!left || !has_bit(rss->port_kernel[left - 1], bit))
			continue;
		left--;
		if (has_bit(port, bit) != (n >> left & 1))
			port ^= rss->port_kernel[left];
	}
	return port;
}

/* The shard's ports in [low, high], bucket by bucket; the one start + attempt places on. */
static uint16_t choose_by_steps(const struct rss *rss, uint32_t hash, uint16_t low, uint16_t high,
				uint16_t shard, uint16_t start, uint32_t attempt)
{
	uint32_t first[RSS_BUCKET_COUNT], count[RSS_BUCKET_COUNT], total = 0, n;

	for (unsigned b = 0; b < RSS_BUCKET_COUNT; b++) {
		uint16_t port = rss->port_step[(hash ^ b) & (RSS_BUCKET_COUNT - 1)];

		count[b] = 0;
		if (rss->reta[b] != shard)
			continue;
		first[b] = rank(rss, port, low);
		count[b] = rank(rss, port, (uint32_t)high + 1) - first[b];
		total += count[b];
	}
	if (attempt >= total)
		return 0;
	n = (start + attempt) % total;
	for (unsigned b = 0; b < RSS_BUCKET_COUNT; b++) {
		if (n < count[b])
			return nth(rss, rss->port_step[(hash ^ b) & (RSS_BUCKET_COUNT - 1)],
				   first[b] + n);
		n -= count[b];
	}
	return 0;
}

static uint16_t choose_by_search(const struct rss *rss, uint32_t hash, uint16_t low, uint16_t high,
				 uint16_t shard, uint16_t start, uint32_t attempt)
{
	uint32_t count = (uint32_t)high - low + 1;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t port = (uint16_t)(low + (start + i) % count);

		if (rss_owner(rss, hash ^ bucket_change(rss, port)) == shard && attempt-- == 0)
			return port;
	}
	return 0;
}

uint16_t rss_port_choose(const struct rss *rss, rte_be32_t src, rte_be32_t dst, rte_be16_t src_port,
			 uint16_t low, uint16_t high, uint16_t shard, uint16_t start,
			 uint32_t attempt)
{
	uint32_t hash = rss_hash4(rss, src, dst, src_port, 0);

	if (low == 0)
		low = 1; /* 0 is no port */
	if (low > high)
		return 0;
	if (rss->port_steps)
		return choose_by_steps(rss, hash, low, high, shard, start, attempt);
	return choose_by_search(rss, hash, low, high, shard, start, attempt);
}
