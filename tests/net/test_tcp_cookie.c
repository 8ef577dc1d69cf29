/* SYN cookies as numbers: RFC 4987 3.6. What a host does with them: test_tcp_flood.c. */
#include "net/tcp_cookie.h"
#include "net/tcp_seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct net_flow flow = {
	.local.v4 = RTE_BE32(0x0a000001),
	.remote.v4 = RTE_BE32(0x0a000002),
	.local_port = RTE_BE16(80),
	.remote_port = RTE_BE16(40000),
};

static uint64_t next_random(void *ctx)
{
	uint64_t *seed = ctx;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 16 | *seed << 48;
}

static bool is_valid(const struct tcp_cookie *cookie, const struct net_flow *of, uint32_t irs,
		     uint32_t iss)
{
	uint16_t mss;

	return tcp_cookie_check(cookie, of, irs, iss, &mss) == TCP_COOKIE_VALID;
}

static struct tcp_cookie cookie_at(uint64_t now_ns, uint64_t seed)
{
	struct tcp_cookie cookie = {0};

	tcp_cookie_rotate(&cookie, now_ns, next_random, &seed);
	return cookie;
}

/* RFC 4987 3.6 */
static void a_cookie_tells_the_mss_rounded_down(void **state)
{
	static const struct {
		uint16_t said, kept;
	} cases[] = {{0, 88},	   {88, 88},	 {300, 256},   {536, 536},   {1219, 536},
		     {1400, 1360}, {1459, 1440}, {1460, 1460}, {8959, 1460}, {65535, 8960}};
	struct tcp_cookie cookie = cookie_at(0, 1);
	uint16_t mss;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t iss = tcp_cookie_make(&cookie, &flow, 77, cases[i].said);

		assert_int_equal(tcp_cookie_check(&cookie, &flow, 77, iss, &mss), TCP_COOKIE_VALID);
		assert_int_equal(mss, cases[i].kept);
	}
}

/* RFC 4987 3.6 */
static void a_cookie_is_of_one_flow_one_sequence_number_and_one_key(void **state)
{
	struct tcp_cookie cookie = cookie_at(0, 1), other = cookie_at(0, 2);
	uint32_t iss = tcp_cookie_make(&cookie, &flow, 77, 1460);
	struct net_flow changed = flow;

	(void)state;
	assert_false(is_valid(&cookie, &flow, 78, iss));
	assert_false(is_valid(&other, &flow, 77, iss));
	changed.remote_port++;
	assert_false(is_valid(&cookie, &changed, 77, iss));
	for (unsigned bit = 0; bit < 32; bit++)
		assert_false(is_valid(&cookie, &flow, 77, iss ^ 1u << bit));
}

/* RFC 4987 3.6 */
static void text_that_follows_a_lost_beginning_is_known_and_opens_nothing(void **state)
{
	struct tcp_cookie cookie = cookie_at(0, 1);
	uint32_t iss = tcp_cookie_make(&cookie, &flow, 77, 1460);
	unsigned echoed = 0;
	uint16_t mss;

	(void)state;
	for (uint32_t text = 1; text <= UINT16_MAX; text++) {
		assert_int_equal(tcp_cookie_check(&cookie, &flow, 77 + text, iss, &mss),
				 TCP_COOKIE_AHEAD);
		/* As much of ours was acknowledged: such a segment is of a connection. */
		assert_false(is_valid(&cookie, &flow, 77 + text, iss + text));
		echoed += tcp_cookie_check(&cookie, &flow, 77 + text, iss + text, &mss) !=
			  TCP_COOKIE_NONE;
	}
	assert_in_range(echoed, 0, 64); /* one in 2^12 */
	assert_int_equal(tcp_cookie_check(&cookie, &flow, 77 + UINT16_MAX + 1, iss, &mss),
			 TCP_COOKIE_NONE);
	assert_int_equal(tcp_cookie_check(&cookie, &flow, 76, iss, &mss), TCP_COOKIE_NONE);
}

/* RFC 4987 3.6 */
static void text_of_other_flows_is_not_known(void **state)
{
	struct tcp_cookie cookie = cookie_at(0, 1);
	struct net_flow changed = flow;
	unsigned known = 0;
	uint16_t mss;

	(void)state;
	for (uint32_t irs = 0; irs < 10000; irs++) {
		uint32_t iss = tcp_cookie_make(&cookie, &flow, irs, 1460);

		changed.remote_port = (rte_be16_t)irs;
		known += tcp_cookie_check(&cookie, &changed, irs, iss, &mss) != TCP_COOKIE_NONE;
	}
	assert_in_range(known, 0, 12); /* one in 2^12 */
}

/* RFC 4987 3.6 */
static void a_cookie_lives_through_one_change_of_keys_and_no_second(void **state)
{
	uint64_t seed = 1;
	struct tcp_cookie cookie = cookie_at(0, 1);
	uint32_t iss = tcp_cookie_make(&cookie, &flow, 77, 1460);

	(void)state;
	tcp_cookie_rotate(&cookie, TCP_COOKIE_LIFE_NS - 1, next_random, &seed);
	assert_true(is_valid(&cookie, &flow, 77, iss));
	tcp_cookie_rotate(&cookie, TCP_COOKIE_LIFE_NS, next_random, &seed);
	assert_false(is_valid(&cookie, &flow, 77, iss));
}

static void after_a_pause_no_key_from_before_it_is_left(void **state)
{
	uint64_t seed = 9;
	struct tcp_cookie cookie = cookie_at(0, 1);
	uint32_t iss = tcp_cookie_make(&cookie, &flow, 77, 1460);

	(void)state;
	tcp_cookie_rotate(&cookie, 3 * TCP_COOKIE_PERIOD_NS, next_random, &seed);
	assert_false(is_valid(&cookie, &flow, 77, iss));
	cookie = (struct tcp_cookie){0};
	assert_false(is_valid(&cookie, &flow, 77, iss));
}

/* RFC 4987 3.6 */
static void of_a_million_guesses_next_to_none_is_right(void **state)
{
	uint64_t seed = 3;
	struct tcp_cookie cookie = cookie_at(0, 1);
	unsigned kinds[TCP_COOKIE_VALID + 1] = {0};
	uint16_t mss;

	(void)state;
	tcp_cookie_rotate(&cookie, TCP_COOKIE_PERIOD_NS, next_random, &seed);
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t guess = next_random(&seed);

		kinds[tcp_cookie_check(&cookie, &flow, (uint32_t)guess, (uint32_t)(guess >> 32),
				       &mss)]++;
	}
	assert_in_range(kinds[TCP_COOKIE_VALID], 0, 1);	    /* 0.004 are to be expected */
	assert_in_range(kinds[TCP_COOKIE_AHEAD], 150, 350); /* 244 */
}

/* RFC 4987 3.6, RFC 7323 */
static void a_timestamp_keeps_options_and_never_runs_ahead(void **state)
{
	(void)state;
	for (uint32_t now = UINT32_MAX - 200; now != 200; now++)
		for (unsigned bits = 0; bits < 64; bits++) {
			const struct tcp_opts opts = {.present = (bits & 15) == 15 ? 0
										   : TCP_OPT_WSCALE,
						      .wscale = bits & 15};
			struct tcp_opts with = opts, got = {.present = TCP_OPT_TIMESTAMPS};
			uint32_t ts;

			if (bits & 16)
				with.present |= TCP_OPT_SACK_PERMITTED;
			ts = tcp_cookie_ts_make(now, &with, bits & 32);
			assert_true(seq_leq(ts, now) && now - ts < 64);
			assert_int_equal(tcp_cookie_ts_read(ts, &got), !!(bits & 32));
			assert_int_equal(got.present, with.present | TCP_OPT_TIMESTAMPS);
			if (with.present & TCP_OPT_WSCALE)
				assert_int_equal(got.wscale, with.wscale);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_tells_the_mss_rounded_down),
		cmocka_unit_test(a_cookie_is_of_one_flow_one_sequence_number_and_one_key),
		cmocka_unit_test(text_that_follows_a_lost_beginning_is_known_and_opens_nothing),
		cmocka_unit_test(text_of_other_flows_is_not_known),
		cmocka_unit_test(a_cookie_lives_through_one_change_of_keys_and_no_second),
		cmocka_unit_test(after_a_pause_no_key_from_before_it_is_left),
		cmocka_unit_test(of_a_million_guesses_next_to_none_is_right),
		cmocka_unit_test(a_timestamp_keeps_options_and_never_runs_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
