/* Who is told what is published, without a network: sessions are no more than what they are owed.
 */
#include "kv/pubsub.h"
#include "kv/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLIENT_COUNT = 3, TOLD_MAX = 8192 };

static struct pubsub pubsub;
static struct session clients[CLIENT_COUNT];

/* pubsub.c calls it for each message. */
void session_told(struct session *session)
{
	session->active_ns++;
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENT_COUNT; i++) {
		clients[i] = (struct session){0};
		out_init(&clients[i].out, i == 2 ? 3 : 2);
	}
	return 0;
}

/* Nobody is left: then nothing is. */
static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < CLIENT_COUNT; i++) {
		pubsub_leave(&pubsub, &clients[i]);
		out_fini(&clients[i].out);
	}
	for (int kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
		assert_int_equal(pubsub.counts[kind], 0);
		assert_null(pubsub.roots[kind]);
	}
	pubsub_fini(&pubsub);
	return 0;
}

static void subscribe(int client, enum topic_kind kind, const char *name)
{
	assert_int_equal(pubsub_subscribe(&pubsub, kind, &clients[client], slice_of(name)), 0);
}

static uint64_t publish(enum topic_kind kind, const char *channel, struct slice message)
{
	const struct arg to = {.text = slice_of(channel)}, what = {.text = message};

	return pubsub_publish(&pubsub, kind, &to, &what);
}

static void assert_told(int client, const char *expected)
{
	static char text[TOLD_MAX];
	const size_t len = out_take(&clients[client].out, text, sizeof(text) - 1);

	text[len] = 0;
	assert_string_equal(text, expected);
}

static void a_message_goes_once_for_each_subscription_that_fits(void **state)
{
	(void)state;
	subscribe(0, TOPIC_CHANNEL, "news");
	subscribe(0, TOPIC_CHANNEL, "news");
	subscribe(1, TOPIC_CHANNEL, "other");
	subscribe(1, TOPIC_PATTERN, "n*");
	subscribe(2, TOPIC_PATTERN, "n[a-e]ws");
	subscribe(2, TOPIC_CHANNEL, "news");
	assert_int_equal(publish(TOPIC_CHANNEL, "news", SLICE("x")), 4);
	assert_told(0, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n");
	assert_told(1, "*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$1\r\nx\r\n");
	assert_told(2, ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"
		       ">4\r\n$8\r\npmessage\r\n$8\r\nn[a-e]ws\r\n$4\r\nnews\r\n$1\r\nx\r\n");
	assert_int_equal(clients[2].active_ns, 2);
	assert_int_equal(publish(TOPIC_CHANNEL, "new", SLICE("y")), 1);
	assert_told(1, "*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$3\r\nnew\r\n$1\r\ny\r\n");
}

static void shard_channels_are_others_than_channels(void **state)
{
	(void)state;
	subscribe(0, TOPIC_SHARD_CHANNEL, "a");
	subscribe(1, TOPIC_CHANNEL, "a");
	subscribe(1, TOPIC_PATTERN, "*");
	assert_int_equal(publish(TOPIC_SHARD_CHANNEL, "a", SLICE("s")), 1);
	assert_told(0, "*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\ns\r\n");
	assert_told(1, "");
	assert_int_equal(pubsub_count(&pubsub, TOPIC_SHARD_CHANNEL, SLICE("a")), 1);
	assert_int_equal(pubsub_count(&pubsub, TOPIC_SHARD_CHANNEL, SLICE("b")), 0);
}

static void who_has_left_is_told_nothing(void **state)
{
	struct slice name;

	(void)state;
	subscribe(0, TOPIC_CHANNEL, "a");
	subscribe(0, TOPIC_CHANNEL, "");
	subscribe(1, TOPIC_CHANNEL, "a");
	assert_int_equal(clients[0].subscriber.count, 2);
	pubsub_unsubscribe(&pubsub, TOPIC_CHANNEL, &clients[0], SLICE("a"));
	pubsub_unsubscribe(&pubsub, TOPIC_CHANNEL, &clients[0], SLICE("never"));
	assert_int_equal(publish(TOPIC_CHANNEL, "a", SLICE("x")), 1);
	assert_told(0, "");
	assert_true(pubsub_any(&clients[0], TOPIC_CHANNEL, &name));
	assert_int_equal(name.len, 0);
	pubsub_leave(&pubsub, &clients[0]);
	pubsub_leave(&pubsub, &clients[1]);
	assert_false(pubsub_any(&clients[0], TOPIC_CHANNEL, &name));
	assert_int_equal(publish(TOPIC_CHANNEL, "a", SLICE("y")), 0);
}

/* By reference: each client's own part of it is a few words. */
static void a_long_message_is_kept_once_for_all(void **state)
{
	static char text[64 * 1024];

	(void)state;
	for (int i = 0; i < CLIENT_COUNT; i++)
		subscribe(i, TOPIC_CHANNEL, "long");
	assert_int_equal(publish(TOPIC_CHANNEL, "long", (struct slice){text, sizeof(text)}),
			 CLIENT_COUNT);
	for (int i = 0; i < CLIENT_COUNT; i++) {
		assert_true(clients[i].out.len > sizeof(text));
		assert_true(clients[i].out.room < sizeof(text) / 8);
	}
}

static void count_name(struct slice name, void *arg)
{
	assert_true(name.len > 0);
	++*(int *)arg;
}

static void thousands_of_channels_are_found_and_forgotten(void **state)
{
	enum { COUNT = 3000 };
	int seen = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i * 7919 % COUNT);
		subscribe(i % CLIENT_COUNT, TOPIC_CHANNEL, name);
	}
	pubsub_each(&pubsub, TOPIC_CHANNEL, count_name, &seen);
	assert_int_equal(seen, COUNT);
	assert_int_equal(publish(TOPIC_CHANNEL, "c1234", SLICE("x")), 1);
}

#define PUBSUB_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PUBSUB_TEST(a_message_goes_once_for_each_subscription_that_fits),
		PUBSUB_TEST(shard_channels_are_others_than_channels),
		PUBSUB_TEST(who_has_left_is_told_nothing),
		PUBSUB_TEST(a_long_message_is_kept_once_for_all),
		PUBSUB_TEST(thousands_of_channels_are_found_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
