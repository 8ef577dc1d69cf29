/* The Toeplitz hash against Microsoft's published vectors and against DPDK's, and the choice of
 * local ports. */
#include "nic/rss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <rte_thash.h>

/* Microsoft, "Verifying the RSS hash calculation". */
static const uint8_t microsoft_key[RSS_KEY_LEN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct vector {
	const char *src, *dst;
	uint16_t src_port, dst_port;
	uint32_t with_ports, without;
};

static const struct vector vectors4[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178, 0x323e8fc2},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea, 0xd718262a},
	{"24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a, 0xd2d0a5de},
	{"38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f, 0x82989176},
	{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2, 0x5d1809c5},
};

static const struct vector vectors6[] = {
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d, 0x2cc18cd5},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf, 0x0f0c461c},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
	 0x02d1feef, 0x4b61e985},
};

static uint64_t random_state = 1;

/* SplitMix64, so that every run tries the same tuples. */
static uint64_t random64(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void random_key(uint8_t key[RSS_KEY_LEN])
{
	for (unsigned i = 0; i < RSS_KEY_LEN; i++)
		key[i] = (uint8_t)random64();
}

static void the_published_ipv4_vectors_hash_as_published(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, microsoft_key, 1);
	for (size_t i = 0; i < sizeof(vectors4) / sizeof(vectors4[0]); i++) {
		const struct vector *v = &vectors4[i];
		uint8_t input[8];
		rte_be32_t src, dst;

		assert_int_equal(inet_pton(AF_INET, v->src, &src), 1);
		assert_int_equal(inet_pton(AF_INET, v->dst, &dst), 1);
		assert_int_equal(rss_hash4(&rss, src, dst, htons(v->src_port), htons(v->dst_port)),
				 v->with_ports);
		memcpy(input, &src, 4);
		memcpy(input + 4, &dst, 4);
		assert_int_equal(rss_hash_bytes(&rss, input, 8), v->without);
	}
}

static void the_published_ipv6_vectors_hash_as_published(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, microsoft_key, 1);
	for (size_t i = 0; i < sizeof(vectors6) / sizeof(vectors6[0]); i++) {
		const struct vector *v = &vectors6[i];
		uint8_t input[36];
		rte_be16_t ports[2] = {htons(v->src_port), htons(v->dst_port)};

		assert_int_equal(inet_pton(AF_INET6, v->src, input), 1);
		assert_int_equal(inet_pton(AF_INET6, v->dst, input + 16), 1);
		memcpy(input + 32, ports, 4);
		assert_int_equal(rss_hash_bytes(&rss, input, 36), v->with_ports);
		assert_int_equal(rss_hash_bytes(&rss, input, 32), v->without);
	}
}

static void random_keys_and_tuples_hash_as_dpdk_hashes_them(void **state)
{
	uint8_t key[RSS_KEY_LEN];
	struct rss rss;

	(void)state;
	for (int round = 0; round < 20; round++) {
		random_key(key);
		rss_init(&rss, key, 1);
		for (int i = 0; i < 500; i++) {
			uint32_t host[9], length = 1 + (uint32_t)(random64() % 9);
			uint8_t wire[36];

			for (unsigned w = 0; w < 9; w++) {
				rte_be32_t be;

				host[w] = (uint32_t)random64();
				be = htonl(host[w]);
				memcpy(wire + 4 * w, &be, 4);
			}
			assert_int_equal(rss_hash_bytes(&rss, wire, 4 * length),
					 rte_softrss(host, length, key));
			assert_int_equal(rss_hash4(&rss, htonl(host[0]), htonl(host[1]),
						   htons((uint16_t)(host[2] >> 16)),
						   htons((uint16_t)host[2])),
					 rte_softrss(host, 3, key));
		}
	}
}

static void both_directions_of_a_flow_hash_alike_with_the_symmetric_key(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, rss_key_symmetric, 4);
	for (int i = 0; i < 10000; i++) {
		rte_be32_t a = (rte_be32_t)random64(), b = (rte_be32_t)random64();
		rte_be16_t p = (rte_be16_t)random64(), q = (rte_be16_t)random64();

		assert_int_equal(rss_hash4(&rss, a, b, p, q), rss_hash4(&rss, b, a, q, p));
	}
}

static void another_key_tells_the_directions_of_a_flow_apart(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, microsoft_key, 4);
	assert_int_not_equal(rss_hash4(&rss, 1, 2, 3, 4), rss_hash4(&rss, 2, 1, 4, 3));
}

static void buckets_are_dealt_to_the_shards_evenly(void **state)
{
	struct rss rss;

	(void)state;
	for (uint16_t shards = 1; shards <= 64; shards++) {
		unsigned owned[64] = {0};

		rss_init(&rss, rss_key_symmetric, shards);
		for (uint32_t bucket = 0; bucket < RSS_BUCKET_COUNT; bucket++) {
			assert_true(rss_owner(&rss, bucket | 0xabcdef80u) < shards);
			owned[rss_owner(&rss, bucket | 0xabcdef80u)]++;
		}
		for (uint16_t shard = 0; shard < shards; shard++)
			assert_in_range(owned[shard], RSS_BUCKET_COUNT / shards,
					RSS_BUCKET_COUNT / shards + 1);
	}
}

/* Tries attempts until the answer is 0 and compares what came with what brute force finds. */
static void choose_all(const struct rss *rss, uint16_t low, uint16_t high, uint16_t shard)
{
	static bool chosen[65536];
	rte_be32_t src = (rte_be32_t)random64(), dst = (rte_be32_t)random64();
	rte_be16_t src_port = (rte_be16_t)random64();
	uint16_t start = (uint16_t)random64(), port;
	uint32_t attempt = 0;

	memset(chosen, 0, sizeof(chosen));
	while ((port = rss_port_choose(rss, src, dst, src_port, low, high, shard, start,
				       attempt))) {
		uint32_t hash = rss_hash4(rss, src, dst, src_port, htons(port));

		assert_in_range(port, low, high);
		assert_int_equal(rss_owner(rss, hash), shard);
		assert_false(chosen[port]);
		chosen[port] = true;
		attempt++;
	}
	for (uint32_t p = low ? low : 1; p <= high; p++) {
		uint32_t hash = rss_hash4(rss, src, dst, src_port, htons((uint16_t)p));

		assert_int_equal(chosen[p], rss_owner(rss, hash) == shard);
	}
	assert_int_equal(
		rss_port_choose(rss, src, dst, src_port, low, high, shard, start, attempt + 1000),
		0);
}

static void chosen_ports_come_home_differ_and_exhaust_the_range(void **state)
{
	struct rss rss;

	(void)state;
	for (uint16_t shards = 1; shards <= 64; shards = (uint16_t)(shards * 2 + shards % 2)) {
		rss_init(&rss, rss_key_symmetric, shards);
		assert_true(rss.port_steps);
		choose_all(&rss, 49152, 51199, (uint16_t)(shards - 1));
		rss_init(&rss, microsoft_key, shards);
		assert_true(rss.port_steps);
		choose_all(&rss, 32768, 34000, shards / 2);
	}
}

static void the_whole_port_range_can_be_chosen_from(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, microsoft_key, 8);
	choose_all(&rss, 0, 65535, 3);
}

static void small_ranges_at_any_place_are_exhausted(void **state)
{
	uint8_t key[RSS_KEY_LEN];
	struct rss rss;

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint16_t low = (uint16_t)(random64() % 65000);
		uint16_t high = (uint16_t)(low + random64() % 200);
		uint16_t shards = (uint16_t)(1 + random64() % 64);

		random_key(key);
		rss_init(&rss, key, shards);
		choose_all(&rss, low, high, (uint16_t)(random64() % shards));
	}
	choose_all(&rss, 65535, 65535, 0);
	choose_all(&rss, 0, 1, 0);
}

static void an_empty_range_has_no_port(void **state)
{
	struct rss rss;

	(void)state;
	rss_init(&rss, rss_key_symmetric, 1);
	assert_int_equal(rss_port_choose(&rss, 1, 2, 3, 10, 9, 0, 0, 0), 0);
	assert_int_equal(rss_port_choose(&rss, 1, 2, 3, 0, 0, 0, 0, 0), 0);
}

static void a_key_without_full_rank_is_searched(void **state)
{
	uint8_t key[RSS_KEY_LEN];
	struct rss rss;

	(void)state;
	memcpy(key, microsoft_key, sizeof(key));
	memset(key + 10, 0, 6); /* every window of the destination port: no port changes anything */
	rss_init(&rss, key, 4);
	assert_false(rss.port_steps);
	for (uint16_t shard = 0; shard < 4; shard++)
		choose_all(&rss, 40000, 40100, shard);
	key[15] = 0x02; /* the last bit of the port moves one bit of the bucket */
	rss_init(&rss, key, 4);
	assert_false(rss.port_steps);
	for (uint16_t shard = 0; shard < 4; shard++)
		choose_all(&rss, 40000, 40100, shard);
}

static void the_kernel_and_the_steps_are_what_the_header_says(void **state)
{
	struct rss rss;
	unsigned mask = RSS_BUCKET_COUNT - 1;

	(void)state;
	rss_init(&rss, rss_key_symmetric, 2);
	assert_int_equal(rss.port_kernel_count, 9);
	for (unsigned i = 0; i < rss.port_kernel_count; i++) {
		assert_int_not_equal(rss.port_kernel[i], 0);
		assert_int_equal(rss_hash4(&rss, 0, 0, 0, htons(rss.port_kernel[i])) & mask, 0);
	}
	for (unsigned d = 0; d < RSS_BUCKET_COUNT; d++)
		assert_int_equal(rss_hash4(&rss, 0, 0, 0, htons(rss.port_step[d])) & mask, d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_ipv4_vectors_hash_as_published),
		cmocka_unit_test(the_published_ipv6_vectors_hash_as_published),
		cmocka_unit_test(random_keys_and_tuples_hash_as_dpdk_hashes_them),
		cmocka_unit_test(both_directions_of_a_flow_hash_alike_with_the_symmetric_key),
		cmocka_unit_test(another_key_tells_the_directions_of_a_flow_apart),
		cmocka_unit_test(buckets_are_dealt_to_the_shards_evenly),
		cmocka_unit_test(chosen_ports_come_home_differ_and_exhaust_the_range),
		cmocka_unit_test(the_whole_port_range_can_be_chosen_from),
		cmocka_unit_test(small_ranges_at_any_place_are_exhausted),
		cmocka_unit_test(an_empty_range_has_no_port),
		cmocka_unit_test(a_key_without_full_rank_is_searched),
		cmocka_unit_test(the_kernel_and_the_steps_are_what_the_header_says),
	};

	return cmocka_run_group_tests_name("rss", tests, NULL, NULL);
}
