#include "net/tcp_opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses a copy at the end of a heap block, so that ASan sees a byte read too far. */
static bool parse(struct tcp_opts *opts, const uint8_t *bytes, uint32_t len, uint32_t shift)
{
	uint8_t *block = calloc(1, len + shift + 1);
	bool ok;

	memcpy(block + 1 + shift, bytes, len);
	memset(opts, 0xee, sizeof(*opts));
	ok = tcp_opt_parse(opts, block + 1 + shift, len);
	free(block);
	return ok;
}

#define PARSE(opts, ...)                                                                           \
	parse(opts, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), 0)

static void no_options_are_legal(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(parse(&opts, (const uint8_t *)"", 0, 0));
	assert_int_equal(opts.present, 0);
}

/* MUST-4: EOL, NOP and MSS; what comes after EOL is padding. */
static void must_4_eol_nop_and_mss_are_understood(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(PARSE(&opts, 1, 1, 2, 4, 0x05, 0xb4, 0, 99));
	assert_int_equal(opts.present, TCP_OPT_MSS);
	assert_int_equal(opts.mss, 1460);
	assert_true(PARSE(&opts, 0, 2, 4, 5, 0xb4));
	assert_int_equal(opts.present, 0);
}

/* MUST-6 */
static void must_6_unknown_options_are_skipped(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(PARSE(&opts, 254, 5, 1, 2, 3, 30, 2, 3, 3, 7, 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			  0, 0, 0, 0, 0, 0, 0));
	assert_int_equal(opts.present, TCP_OPT_WSCALE);
	assert_int_equal(opts.wscale, 7);
}

/* MUST-7, MUST-68 */
static void must_7_illegal_lengths_are_refused(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_false(PARSE(&opts, 2));				  /* no length */
	assert_false(PARSE(&opts, 1, 1, 1, 8));			  /* no length, behind others */
	assert_false(PARSE(&opts, 254, 0, 0, 0));		  /* zero would loop for ever */
	assert_false(PARSE(&opts, 254, 1, 0, 0));		  /* shorter than itself */
	assert_false(PARSE(&opts, 254, 5, 0, 0));		  /* beyond the header */
	assert_false(PARSE(&opts, 2, 4, 5));			  /* MSS cut off */
	assert_false(PARSE(&opts, 2, 3, 5, 0));			  /* MSS of a wrong length */
	assert_false(PARSE(&opts, 3, 4, 5, 0));			  /* window scale */
	assert_false(PARSE(&opts, 4, 3, 5, 0));			  /* SACK-permitted */
	assert_false(PARSE(&opts, 8, 8, 0, 0, 0, 0, 0, 0));	  /* timestamps */
	assert_false(PARSE(&opts, 5, 2, 0, 0));			  /* SACK without a block */
	assert_false(PARSE(&opts, 5, 9, 0, 0, 0, 0, 0, 0, 0, 0)); /* SACK of less than a block */
	assert_false(PARSE(&opts, 5, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)); /* and of a bit more */
}

/* MUST-64 */
static void must_64_options_are_read_at_any_alignment(void **state)
{
	static const uint8_t bytes[] = {2, 4, 0x12, 0x34, 8, 10, 1, 2, 3,
					4, 5, 6,    7,	  8, 1,	 3, 3, 9};
	struct tcp_opts opts;

	(void)state;
	for (uint32_t shift = 0; shift < 8; shift++) {
		assert_true(parse(&opts, bytes, sizeof(bytes), shift));
		assert_int_equal(opts.present, TCP_OPT_MSS | TCP_OPT_TIMESTAMPS | TCP_OPT_WSCALE);
		assert_int_equal(opts.mss, 0x1234);
		assert_int_equal(opts.ts_val, 0x01020304);
		assert_int_equal(opts.ts_ecr, 0x05060708);
		assert_int_equal(opts.wscale, 9);
	}
}

static void the_usual_timestamps_are_read_the_short_way(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(PARSE(&opts, 1, 1, 8, 10, 0xff, 2, 3, 4, 5, 6, 7, 0xfe));
	assert_int_equal(opts.present, TCP_OPT_TIMESTAMPS);
	assert_int_equal(opts.ts_val, 0xff020304);
	assert_int_equal(opts.ts_ecr, 0x050607fe);
	assert_int_equal(opts.sack_count, 0);
}

static void a_window_scale_above_14_is_14(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(PARSE(&opts, 3, 3, 14, 0));
	assert_int_equal(opts.wscale, 14);
	assert_true(PARSE(&opts, 3, 3, 15, 0));
	assert_int_equal(opts.wscale, 14);
	assert_true(PARSE(&opts, 3, 3, 255, 0));
	assert_int_equal(opts.wscale, 14);
}

static void sack_blocks_come_in_their_order(void **state)
{
	struct tcp_opts opts;

	(void)state;
	assert_true(PARSE(&opts, 1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 0, 12, 0xff, 0xff, 0xff, 0xff, 0, 0,
			  0, 1, 4, 2));
	assert_int_equal(opts.present, TCP_OPT_SACK | TCP_OPT_SACK_PERMITTED);
	assert_int_equal(opts.sack_count, 2);
	assert_int_equal(opts.sack[0].start, 9);
	assert_int_equal(opts.sack[0].end, 12);
	assert_int_equal(opts.sack[1].start, 0xffffffff);
	assert_int_equal(opts.sack[1].end, 1);
}

/* More than four blocks cannot come in 40 bytes, but the parser does not rely on that. */
static void of_many_sack_blocks_the_first_four_count(void **state)
{
	uint8_t bytes[2 + 6 * 8] = {5, 2 + 6 * 8};
	struct tcp_opts opts;

	(void)state;
	assert_true(parse(&opts, bytes, sizeof(bytes), 0));
	assert_int_equal(opts.sack_count, 4);
}

static void any_bytes_are_parsed_or_refused(void **state)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 254};
	struct tcp_opts opts;
	uint8_t bytes[TCP_OPT_LEN_MAX];

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 200000; round++) {
		uint32_t len = (uint32_t)rand() % (TCP_OPT_LEN_MAX + 1);

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = rand() % 2 ? kinds[rand() % 8] : (uint8_t)(rand() % 12);
		if (!parse(&opts, bytes, len, 0))
			continue;
		assert_true(opts.sack_count <= TCP_OPT_SACK_MAX);
		if (opts.present & TCP_OPT_WSCALE)
			assert_true(opts.wscale <= TCP_OPT_WSCALE_MAX);
	}
}

static void a_syn_has_its_options_in_the_order_of_linux(void **state)
{
	static const uint8_t with_sack[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0,
					    0, 5, 0,	0,    0, 0, 1, 3,  3, 7};
	static const uint8_t without[] = {2, 4, 0x05, 0xb4, 1, 1, 8, 10, 0, 0,
					  0, 5, 0,    0,    0, 0, 1, 3,	 3, 7};
	struct tcp_opts opts = {
		.present =
			TCP_OPT_MSS | TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS | TCP_OPT_WSCALE,
		.mss = 1460,
		.ts_val = 5,
		.wscale = 7,
	};
	uint8_t bytes[TCP_OPT_LEN_MAX];

	(void)state;
	assert_int_equal(tcp_opt_write_syn(bytes, &opts), sizeof(with_sack));
	assert_memory_equal(bytes, with_sack, sizeof(with_sack));
	opts.present &= ~TCP_OPT_SACK_PERMITTED;
	assert_int_equal(tcp_opt_write_syn(bytes, &opts), sizeof(without));
	assert_memory_equal(bytes, without, sizeof(without));
}

/* MUST-69: the header ends on a word, whatever is in it; and what is written is read back. */
static void must_69_every_set_of_options_fills_whole_words(void **state)
{
	uint8_t all = TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS;

	(void)state;
	for (unsigned present = 0; present <= all; present++) {
		struct tcp_opts out = {.present = (uint8_t)present,
				       .mss = 536,
				       .wscale = 3,
				       .ts_val = 0xaabbccdd,
				       .ts_ecr = 0x11223344};
		struct tcp_opts in;
		uint8_t bytes[TCP_OPT_LEN_MAX];
		uint32_t len;

		if (present & ~all)
			continue;
		len = tcp_opt_write_syn(bytes, &out);
		assert_int_equal(len % 4, 0);
		assert_true(len <= TCP_OPT_LEN_MAX);
		assert_true(parse(&in, bytes, len, 0));
		assert_int_equal(in.present, present);
		if (present & TCP_OPT_MSS)
			assert_int_equal(in.mss, 536);
		if (present & TCP_OPT_WSCALE)
			assert_int_equal(in.wscale, 3);
		if (present & TCP_OPT_TIMESTAMPS)
			assert_true(in.ts_val == 0xaabbccdd && in.ts_ecr == 0x11223344);
	}
}

/* MUST-65 */
static void must_65_a_segment_carries_timestamps_and_no_mss(void **state)
{
	uint8_t bytes[TCP_OPT_LEN_MAX];
	struct tcp_opts opts;

	(void)state;
	assert_int_equal(tcp_opt_write_timestamps(bytes, 7, 0xfffffff0), TCP_OPT_TIMESTAMPS_LEN);
	assert_true(parse(&opts, bytes, TCP_OPT_TIMESTAMPS_LEN, 0));
	assert_int_equal(opts.present, TCP_OPT_TIMESTAMPS);
	assert_int_equal(opts.ts_val, 7);
	assert_int_equal(opts.ts_ecr, 0xfffffff0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_options_are_legal),
		cmocka_unit_test(must_4_eol_nop_and_mss_are_understood),
		cmocka_unit_test(must_6_unknown_options_are_skipped),
		cmocka_unit_test(must_7_illegal_lengths_are_refused),
		cmocka_unit_test(must_64_options_are_read_at_any_alignment),
		cmocka_unit_test(the_usual_timestamps_are_read_the_short_way),
		cmocka_unit_test(a_window_scale_above_14_is_14),
		cmocka_unit_test(sack_blocks_come_in_their_order),
		cmocka_unit_test(of_many_sack_blocks_the_first_four_count),
		cmocka_unit_test(any_bytes_are_parsed_or_refused),
		cmocka_unit_test(a_syn_has_its_options_in_the_order_of_linux),
		cmocka_unit_test(must_69_every_set_of_options_fills_whole_words),
		cmocka_unit_test(must_65_a_segment_carries_timestamps_and_no_mss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
