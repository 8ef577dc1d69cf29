/* Settings: what is taken, what is printed, and what is said of what is not taken. */
#include "kv/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct settings settings;
static char error[SETTINGS_ERROR_LEN];

static int defaults(void **state)
{
	(void)state;
	settings_init(&settings);
	error[0] = 0;
	return 0;
}

static bool set(const char *name, const char *value)
{
	return settings_set(&settings, slice_of(name), slice_of(value), SETTINGS_RUNNING, error);
}

static void prints(const char *name, const char *value)
{
	char text[SETTINGS_VALUE_LEN];
	int i = settings_index(slice_of(name));
	struct slice printed;

	assert_true(i >= 0);
	printed = settings_value(&settings, (unsigned)i, text);
	if (!slice_equal(printed, slice_of(value)))
		fail_msg("%s is %.*s, not %s", name, (int)printed.len, printed.data, value);
}

static void refused(const char *name, const char *value, const char *why)
{
	assert_false(set(name, value));
	assert_string_equal(error, why);
}

static void each_default_is_what_its_line_says(void **state)
{
	(void)state;
	prints("port", "6379");
	prints("cluster-enabled", "no");
	prints("requirepass", "");
	prints("maxclients", "10000");
	prints("proto-max-bulk-len", "536870912");
	prints("client-query-buffer-limit", "1073741824");
	prints("client-output-buffer-limit",
	       "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
	prints("maxmemory", "0");
	prints("maxmemory-policy", "noeviction");
	prints("slowlog-log-slower-than", "10000");
	prints("appendfsync", "everysec");
	prints("aof-load-truncated", "yes");
	prints("auto-aof-rewrite-min-size", "67108864");
	prints("databases", "16");
	prints("save", "");
	assert_int_equal(settings.limits.bulk_len_max, 512 << 20);
	assert_int_equal(settings.out_limits[SETTINGS_PUBSUB].soft_s, 60);
	assert_int_equal(settings.mode, KV_FORWARD);
	assert_int_equal(settings.store.samples, 5);
}

static void every_default_is_taken_again_as_it_was_printed(void **state)
{
	const char *name;

	(void)state;
	for (unsigned i = 0; (name = settings_name_or_null(i)) != NULL; i++) {
		char text[SETTINGS_VALUE_LEN], again[SETTINGS_VALUE_LEN];
		struct slice value = settings_value(&settings, i, text);

		if (!settings_set(&settings, slice_of(name), value, SETTINGS_START, error))
			fail_msg("%s: %s", name, error);
		assert_true(slice_equal(value, settings_value(&settings, i, again)));
		assert_int_equal(settings_index(slice_of(name)), i);
	}
	assert_true(settings_index(SLICE("no-such-thing")) < 0);
}

static void memory_has_units(void **state)
{
	static const struct {
		const char *text, *bytes;
	} lines[] = {
		{"100", "100"},
		{"1b", "1"},
		{"1k", "1000"},
		{"10Kb", "10240"},
		{"2m", "2000000"},
		{"2MB", "2097152"},
		{"1g", "1000000000"},
		{"1gb", "1073741824"},
		{"18446744073709551615", "18446744073709551615"},
	};
	static const char *const bad[] = {
		"", "x", "-5", "1.5g", "1gbb", "+1", " 1", "18446744073709551616", "99999999999gb"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(set("maxmemory", lines[i].text));
		prints("maxmemory", lines[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused("maxmemory", bad[i], "argument must be a memory value");
	refused("proto-max-bulk-len", "10",
		"argument must be between 1048576 and 9223372036854775807 inclusive");
}

static void numbers_are_exact_and_have_a_range(void **state)
{
	(void)state;
	assert_true(set("TIMEOUT", "5"));
	prints("timeout", "5");
	refused("timeout", "-1", "argument must be between 0 and 2147483647 inclusive");
	refused("timeout", "2147483648", "argument must be between 0 and 2147483647 inclusive");
	refused("timeout", "05", "argument couldn't be parsed into an integer");
	refused("timeout", "5 ", "argument couldn't be parsed into an integer");
	refused("timeout", "", "argument couldn't be parsed into an integer");
	refused("timeout", "99999999999999999999", "argument couldn't be parsed into an integer");
	assert_true(set("slowlog-log-slower-than", "-1"));
	prints("slowlog-log-slower-than", "-1");
	refused("maxclients", "0", "argument must be between 1 and 4294967295 inclusive");
	prints("timeout", "5");
}

static void choices_are_listed_when_none_is_met(void **state)
{
	(void)state;
	assert_true(set("maxmemory-policy", "ALLKEYS-lru"));
	prints("maxmemory-policy", "allkeys-lru");
	assert_int_equal(settings.store.policy, STORE_ALLKEYS_LRU);
	refused("appendfsync", "x",
		"argument(s) must be one of the following: everysec, always, no");
	refused("aof-load-truncated", "no", "can't set immutable config");
}

static void some_are_for_the_start_only(void **state)
{
	(void)state;
	refused("port", "1", "can't set immutable config");
	refused("dir", "/", "can't set protected config");
	refused("databases", "4", "can't set immutable config");
	assert_true(settings_set(&settings, SLICE("port"), SLICE("7000"), SETTINGS_START, error));
	assert_int_equal(settings.port, 7000);
	assert_true(settings_set(&settings, SLICE("cluster-enabled"), SLICE("yes"), SETTINGS_START,
				 error));
	assert_int_equal(settings.mode, KV_CLUSTER);
	assert_false(settings_set(&settings, SLICE("appendonly"), SLICE("maybe"), SETTINGS_START,
				  error));
	assert_string_equal(error, "argument must be 'yes' or 'no'");
	assert_false(settings_set(&settings, SLICE("nosuch"), SLICE("1"), SETTINGS_START, error));
	assert_string_equal(error, "unknown setting 'nosuch'");
}

static void what_has_one_value_takes_that_one(void **state)
{
	(void)state;
	assert_true(set("save", ""));
	refused("save", "60 1", "this server knows '' only");
	refused("notify-keyspace-events", "KEA", "this server knows '' only");
}

static void text_is_bounded(void **state)
{
	char longest[513];

	(void)state;
	memset(longest, 'p', sizeof(longest));
	longest[511] = 0;
	assert_true(set("requirepass", longest));
	prints("requirepass", longest);
	longest[511] = 'p';
	longest[512] = 0;
	refused("requirepass", longest, "argument must be at most 511 bytes, none of them zero");
	assert_false(settings_set(&settings, SLICE("requirepass"), SLICE("a\0b"), SETTINGS_RUNNING,
				  error));
	assert_int_equal(strlen(settings.requirepass), 511);
}

static void output_limits_are_set_a_class_at_a_time(void **state)
{
	(void)state;
	assert_true(set("client-output-buffer-limit", "pubsub 1mb 512kb 1"));
	prints("client-output-buffer-limit",
	       "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 1");
	refused("client-output-buffer-limit", "pubsub",
		"Wrong number of arguments in buffer limit configuration.");
	refused("client-output-buffer-limit", "normal 1 1 1 foo 1 1 1",
		"Invalid client class specified in buffer limit configuration.");
	refused("client-output-buffer-limit", "normal 1 1 x",
		"Error in hard, soft or soft_seconds setting in buffer limit configuration.");
	assert_int_equal(settings.out_limits[SETTINGS_NORMAL].hard, 0);
	assert_true(set("client-output-buffer-limit", "normal 1 2 3 replica 4 5 6"));
	prints("client-output-buffer-limit", "normal 1 2 3 slave 4 5 6 pubsub 1048576 524288 1");
}

static void shards_have_their_part_of_maxmemory_and_never_none(void **state)
{
	(void)state;
	assert_true(set("maxmemory", "100mb"));
	settings_share(&settings, 2);
	assert_int_equal(settings.store.maxmemory, 50 << 20);
	assert_true(set("maxmemory", "1"));
	settings_share(&settings, 2);
	assert_int_equal(settings.store.maxmemory, 1);
	assert_true(set("maxmemory", "0"));
	settings_share(&settings, 2);
	assert_int_equal(settings.store.maxmemory, 0);
}

static bool read_text(const char *text)
{
	char path[] = "/tmp/kv_settings_XXXXXX";
	int fd = mkstemp(path);
	bool good;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	good = settings_read_file(&settings, path, error);
	unlink(path);
	return good;
}

static void files_have_comments_quotes_and_several_words(void **state)
{
	(void)state;
	assert_true(read_text("# a comment\n\n  port 7001\nmaxmemory   1gb\r\n"
			      "requirepass \"a b\\x41\\n\\\"\"\nsave ''\n"
			      "client-output-buffer-limit normal  1 \"2\" 3\ndir 'it\\'s'"));
	prints("port", "7001");
	prints("maxmemory", "1073741824");
	prints("requirepass", "a bA\n\"");
	prints("dir", "it's");
	assert_int_equal(settings.out_limits[SETTINGS_NORMAL].soft, 2);
}

static void a_file_in_error_is_named_with_its_line(void **state)
{
	(void)state;
	assert_false(read_text("port 1\nport x\n"));
	assert_non_null(strstr(error, ":2: argument couldn't be parsed into an integer"));
	assert_false(read_text("port \"1"));
	assert_non_null(strstr(error, ":1: unbalanced quotes"));
	assert_false(read_text("port '1'2"));
	assert_non_null(strstr(error, ":1: unbalanced quotes"));
	assert_false(read_text("port"));
	assert_non_null(strstr(error, ":1: wrong number of arguments"));
	assert_false(settings_read_file(&settings, "/no/such/file", error));
	assert_string_equal(error, "/no/such/file: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_default_is_what_its_line_says, defaults),
		cmocka_unit_test_setup(every_default_is_taken_again_as_it_was_printed, defaults),
		cmocka_unit_test_setup(memory_has_units, defaults),
		cmocka_unit_test_setup(numbers_are_exact_and_have_a_range, defaults),
		cmocka_unit_test_setup(choices_are_listed_when_none_is_met, defaults),
		cmocka_unit_test_setup(some_are_for_the_start_only, defaults),
		cmocka_unit_test_setup(what_has_one_value_takes_that_one, defaults),
		cmocka_unit_test_setup(text_is_bounded, defaults),
		cmocka_unit_test_setup(output_limits_are_set_a_class_at_a_time, defaults),
		cmocka_unit_test_setup(shards_have_their_part_of_maxmemory_and_never_none,
				       defaults),
		cmocka_unit_test_setup(files_have_comments_quotes_and_several_words, defaults),
		cmocka_unit_test_setup(a_file_in_error_is_named_with_its_line, defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
