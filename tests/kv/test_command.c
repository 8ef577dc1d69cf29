/* The list of commands: found in any case, and what Redis says of those that are not there. */
#include "kv/command.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_command_is_found_by_its_name_in_any_case(void **state)
{
	const struct command *command;

	(void)state;
	for (unsigned i = 0; (command = command_at_or_null(i)); i++) {
		char upper[64];

		assert_int_equal(command_index(command), i);
		assert_ptr_equal(command_by_name_or_null(slice_of(command->name)), command);
		for (size_t j = 0; j <= strlen(command->name); j++)
			upper[j] = (char)toupper((unsigned char)command->name[j]);
		assert_ptr_equal(command_by_name_or_null(slice_of(upper)), command);
		upper[strlen(upper) - 1]++;
		assert_ptr_not_equal(command_by_name_or_null(slice_of(upper)), command);
	}
	assert_null(command_at_or_null(command_count()));
}

static const struct command *find(const char *first, const char *second)
{
	const struct arg argv[] = {{.text = slice_of(first)},
				   {.text = slice_of(second ? second : "")}};

	return command_find_or_null(second ? 2 : 1, argv);
}

static void names_that_are_none_are_not_found(void **state)
{
	static const char *const names[] = {
		"", "g", "ge", "gett", "get ", "object|encoding", "g\x65T\x7f"};
	char text[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(find(names[i], NULL));
	memset(text, 'g', sizeof(text));
	assert_null(command_by_name_or_null((struct slice){text, sizeof(text)}));
	assert_null(command_by_name_or_null((struct slice){"get\0", 4}));
	assert_string_equal(find("gEt", "x")->name, "get");
}

static void what_is_recalled_is_what_would_be_found(void **state)
{
	static const char *const words[][2] = {
		{"get", "a"},	      {"get", "b"},	    {"GET", "a"},
		{"ge", "a"},	      {"gett", "a"},	    {"set", "a"},
		{"object", "help"},   {"object", "freq"},   {"object", "encoding"},
		{"nosuch", "a"},      {"object|freq", "a"}, {"get", "a"},
		{"pexpiretime", "a"}, {"expire", "a"},	    {"", "a"},
		{"config", "get"},    {"config", "set"},    {"config", "foo"},
		{"get", "a"},
	};
	struct command_memo memo = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int again = 0; again < 2; again++) {
			const struct arg argv[2] = {{slice_of(words[i][0]), NULL},
						    {slice_of(words[i][1]), NULL}};

			assert_ptr_equal(command_recall_or_null(&memo, 2, argv),
					 command_find_or_null(2, argv));
			assert_ptr_equal(command_recall_or_null(&memo, 1, argv),
					 command_find_or_null(1, argv));
		}
	}
}

static void assert_unknown(int argc, const struct arg *argv, const char *expected)
{
	struct out out;
	char text[1024];

	out_init(&out, 2);
	command_unknown(argc, argv, &out);
	text[out_take(&out, text, sizeof(text) - 1)] = 0;
	assert_string_equal(text, expected);
	out_fini(&out);
}

static void what_is_not_there_is_said_as_redis_does(void **state)
{
	const struct arg simple[] = {
		{.text = SLICE("foo")}, {.text = SLICE("a\r\nbc")}, {.text = SLICE("x\0y")}};
	char x[200];
	struct arg ten[11];

	(void)state;
	memset(x, 'x', sizeof(x));
	assert_unknown(1, simple, "-ERR unknown command 'foo', with args beginning with: \r\n");
	assert_unknown(3, simple,
		       "-ERR unknown command 'foo', with args beginning with: 'a  bc' 'x' \r\n");
	ten[0].text = (struct slice){x, 3};
	for (int i = 1; i < 11; i++)
		ten[i].text = (struct slice){x, 20};
	assert_unknown(11, ten,
		       "-ERR unknown command 'xxx', with args beginning with: "
		       "'xxxxxxxxxxxxxxxxxxxx' 'xxxxxxxxxxxxxxxxxxxx' 'xxxxxxxxxxxxxxxxxxxx' "
		       "'xxxxxxxxxxxxxxxxxxxx' 'xxxxxxxxxxxxxxxxxxxx' 'xxxxxxxxxxxxx' \r\n");
}

static void keys_are_where_redis_has_them(void **state)
{
	static const struct command mset = {.first_key = 1, .last_key = -1, .key_step = 2};
	static const struct command memory = {.first_key = 2, .last_key = 2, .key_step = 1};
	static const struct command ping = {0};

	(void)state;
	assert_int_equal(command_key_count(&mset, 7), 3);
	assert_int_equal(command_key_index(&mset, 7, 2), 5);
	assert_int_equal(command_key_count(&memory, 3), 1);
	assert_int_equal(command_key_index(&memory, 3, 0), 2);
	assert_int_equal(command_key_count(&ping, 2), 0);
}

static void a_wrong_number_of_arguments_is_said(void **state)
{
	static const struct command exactly = {.name = "get", .arity = 2};
	static const struct command at_least = {.name = "object|help", .arity = -3};
	struct out out;
	char text[256];

	(void)state;
	out_init(&out, 2);
	assert_false(command_arity_wrong(&exactly, 2, &out));
	assert_false(command_arity_wrong(&at_least, 3, &out));
	assert_false(command_arity_wrong(&at_least, 9, &out));
	assert_int_equal(out.len, 0);
	assert_true(command_arity_wrong(&exactly, 3, &out));
	assert_true(command_arity_wrong(&at_least, 2, &out));
	text[out_take(&out, text, sizeof(text) - 1)] = 0;
	assert_string_equal(text, "-ERR wrong number of arguments for 'get' command\r\n"
				  "-ERR wrong number of arguments for 'object|help' command\r\n");
	out_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_found_by_its_name_in_any_case),
		cmocka_unit_test(names_that_are_none_are_not_found),
		cmocka_unit_test(what_is_recalled_is_what_would_be_found),
		cmocka_unit_test(what_is_not_there_is_said_as_redis_does),
		cmocka_unit_test(keys_are_where_redis_has_them),
		cmocka_unit_test(a_wrong_number_of_arguments_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
