/* Counting, in integers and in fractions; replies are those of Redis 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "talk.h"

#define NOT_INTEGER "-ERR value is not an integer or out of range\r\n"
#define OVERFLOWS   "-ERR increment or decrement would overflow\r\n"
#define NOT_FLOAT   "-ERR value is not a valid float\r\n"

static void integers_are_counted_up_and_down(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "INCR k", ":1\r\n");
	assert_says(talk, "DECR k", ":0\r\n");
	assert_says(talk, "DECRBY k 5", ":-5\r\n");
	assert_says(talk, "INCRBY k 15", ":10\r\n");
	assert_says(talk, "GET k", "$2\r\n10\r\n");
	assert_string_equal(talk_log(talk), "INCR k|DECR k|DECRBY k 5|INCRBY k 15|");
}

static void what_is_no_integer_or_would_be_too_large_stays(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "MSET k 9223372036854775807 l -9223372036854775808 m abc n \" 1\" o 01");
	talk_log(talk);
	assert_says(talk, "INCR k", OVERFLOWS);
	assert_says(talk, "DECR l", OVERFLOWS);
	assert_says(talk, "INCRBY l -1", OVERFLOWS);
	assert_says(talk, "INCR m", NOT_INTEGER);
	assert_says(talk, "INCR n", NOT_INTEGER);
	assert_says(talk, "INCR o", NOT_INTEGER);
	assert_says(talk, "INCRBY k 1.5", NOT_INTEGER);
	assert_says(talk, "INCRBY k 9223372036854775808", NOT_INTEGER);
	assert_says(talk, "DECRBY k -9223372036854775808", "-ERR decrement would overflow\r\n");
	assert_string_equal(talk_log(talk), "");
	assert_says(talk, "INCRBY l 9223372036854775807", ":-1\r\n");
}

static void a_counter_keeps_when_it_expires(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET k 1 PX 100");
	talk_say(talk, "SET f 1 PX 100");
	assert_says(talk, "INCR k", ":2\r\n");
	assert_says(talk, "INCRBYFLOAT f 1", "$1\r\n2\r\n");
	talk->engine.now_ms += 101;
	assert_says(talk, "INCR k", ":1\r\n");
	assert_says(talk, "INCRBYFLOAT f 1", "$1\r\n1\r\n");
}

static void fractions_are_added_and_the_sum_is_logged(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "INCRBYFLOAT k 10.5", "$4\r\n10.5\r\n");
	assert_says(talk, "INCRBYFLOAT k 0.1", "$4\r\n10.6\r\n");
	assert_says(talk, "INCRBYFLOAT k -5.0e-1", "$4\r\n10.1\r\n");
	assert_string_equal(talk_log(talk), "SET k 10.5 KEEPTTL|SET k 10.6 KEEPTTL|"
					    "SET k 10.1 KEEPTTL|");
	assert_says(talk, "INCRBYFLOAT k abc", NOT_FLOAT);
	assert_says(talk, "INCRBYFLOAT k \" 1\"", NOT_FLOAT);
	assert_says(talk, "INCRBYFLOAT k nan", NOT_FLOAT);
	assert_says(talk, "INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity\r\n");
	talk_say(talk, "SET s abc");
	assert_says(talk, "INCRBYFLOAT s 1", NOT_FLOAT);
	talk_say(talk, "SET s 3.0e3");
	assert_says(talk, "INCRBYFLOAT s 200", "$4\r\n3200\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(integers_are_counted_up_and_down),
		TALK_TEST(what_is_no_integer_or_would_be_too_large_stays),
		TALK_TEST(a_counter_keeps_when_it_expires),
		TALK_TEST(fractions_are_added_and_the_sum_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
