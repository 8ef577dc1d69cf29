/* The small ones: checks, the log, counters, strides. */
#include "mem/check.h"
#include "mem/counters.h"
#include "mem/log.h"
#include "mem/stride.h"
#include "tests/mem/cmocka_all.h"
#include "tests/mem/dies.h"

#include <ctype.h>
#include <string.h>

static void check_that(void *arg)
{
	CHECK(*(const bool *)arg);
}

static void a_failed_check_aborts_and_a_true_one_does_not(void **state)
{
	bool no = false, yes = true;

	(void)state;
	assert_true(dies(check_that, &no));
	assert_false(dies(check_that, &yes));
}

/* What fn writes to stderr. */
static void capture(void (*fn)(void), char *text, size_t len)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t got;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	fn();
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	got = fread(text, 1, len - 1, file);
	text[got] = '\0';
	fclose(file);
}

static void log_at_all_levels(void)
{
	log_error("one %d", 1);
	log_warning("two %s", "2");
	log_info("three");
	log_debug("four");
}

static void the_log_writes_a_line_with_its_level_down_to_the_level_set(void **state)
{
	char text[512];

	(void)state;
	log_level_set(LOG_LEVEL_INFO);
	capture(log_at_all_levels, text, sizeof(text));
	assert_string_equal(
		text, "clowder: error: one 1\nclowder: warning: two 2\nclowder: info: three\n");
	log_level_set(LOG_LEVEL_ERROR);
	capture(log_at_all_levels, text, sizeof(text));
	assert_string_equal(text, "clowder: error: one 1\n");
}

static void log_too_much(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
}

static void an_overlong_line_is_cut_and_still_ends(void **state)
{
	char text[8000];

	(void)state;
	capture(log_too_much, text, sizeof(text));
	assert_in_range(strlen(text), 100, 1100);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void every_drop_reason_has_a_name_and_a_sentence_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < DROP_COUNT; i++) {
		assert_non_null(drop_name[i]);
		assert_true(strlen(drop_text[i]) > strlen("x"));
		for (const char *c = drop_name[i]; *c; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
				    *c == '_');
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(drop_name[i], drop_name[j]);
			assert_string_not_equal(drop_text[i], drop_text[j]);
		}
	}
	assert_string_equal(drop_name[DROP_eth_short], "eth_short");
	assert_string_equal(drop_name[DROP_steer_loop], "steer_loop");
}

static void counters_add_up(void **state)
{
	struct counters counters = {0};

	(void)state;
	counter_add(&counters.rx_packets, 3);
	counter_add(&counters.rx_packets, 4);
	counter_add(&counters.drop[DROP_ip_bad], 1);
	assert_int_equal(counter_get_mt(&counters.rx_packets), 7);
	assert_int_equal(counter_get_mt(&counters.drop[DROP_ip_bad]), 1);
	assert_int_equal(counter_get_mt(&counters.rx_bytes), 0);
}

static void strides_agree_with_division(void **state)
{
	const uint64_t lens[] = {2, 3, 24, 64, 448, 2432, 2496, 65792, 65856, 4096, 1000003};

	(void)state;
	for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
		struct stride stride = stride_make(lens[l]);
		uint64_t random = 7, index;

		for (int i = 0; i < 20000; i++) {
			uint64_t offset;

			random = random * 6364136223846793005u + 1442695040888963407u;
			offset = random >> 24; /* 2^40: a terabyte of buffers */
			assert_int_equal(stride_index(&stride, offset, &index),
					 offset % lens[l] == 0);
			assert_int_equal(index, offset / lens[l]);
			offset -= offset % lens[l];
			assert_true(stride_index(&stride, offset, &index));
			assert_int_equal(index, offset / lens[l]);
			assert_false(stride_index(&stride, offset + lens[l] - 1, &index));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_check_aborts_and_a_true_one_does_not),
		cmocka_unit_test(the_log_writes_a_line_with_its_level_down_to_the_level_set),
		cmocka_unit_test(an_overlong_line_is_cut_and_still_ends),
		cmocka_unit_test(every_drop_reason_has_a_name_and_a_sentence_of_its_own),
		cmocka_unit_test(counters_add_up),
		cmocka_unit_test(strides_agree_with_division),
	};

	return cmocka_run_group_tests_name("mem_basics", tests, NULL, NULL);
}
