#include "tests/shard/cm.h"

#include "shard/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { LEN = 8, STREAM = 200000, THREADS = 3, EACH = 20000 };

static _Alignas(8) char things[16][8];

static void letters_come_in_order_with_their_kind(void **state)
{
	struct mailbox mailbox;
	struct letter letters[4];

	(void)state;
	assert_int_equal(mailbox_init(&mailbox, LEN), 0);
	assert_int_equal(mailbox_take(&mailbox, letters, 4), 0);
	assert_true(mailbox_post(&mailbox, (struct letter){LETTER_PACKET, things[1]}));
	assert_true(mailbox_post(&mailbox, (struct letter){LETTER_MESSAGE, things[2]}));
	assert_true(mailbox_post(&mailbox, (struct letter){LETTER_FIN, NULL}));
	assert_int_equal(mailbox_take(&mailbox, letters, 4), 3);
	assert_int_equal(letters[0].kind, LETTER_PACKET);
	assert_ptr_equal(letters[0].content, things[1]);
	assert_int_equal(letters[1].kind, LETTER_MESSAGE);
	assert_ptr_equal(letters[1].content, things[2]);
	assert_int_equal(letters[2].kind, LETTER_FIN);
	assert_null(letters[2].content);
	mailbox_fini(&mailbox);
}

static void a_full_mailbox_refuses_and_loses_nothing(void **state)
{
	struct mailbox mailbox;
	struct letter letters[LEN];

	(void)state;
	assert_int_equal(mailbox_init(&mailbox, LEN), 0);
	for (int i = 0; i < LEN - 1; i++)
		assert_true(mailbox_post(&mailbox, (struct letter){LETTER_PACKET, things[i]}));
	assert_false(mailbox_has_room(&mailbox));
	assert_false(mailbox_post(&mailbox, (struct letter){LETTER_PACKET, things[15]}));
	assert_int_equal(mailbox_take(&mailbox, letters, 1), 1);
	assert_true(mailbox_post(&mailbox, (struct letter){LETTER_PACKET, things[14]}));
	assert_int_equal(mailbox_take(&mailbox, letters, LEN), LEN - 1);
	for (int i = 0; i < LEN - 2; i++)
		assert_ptr_equal(letters[i].content, things[i + 1]);
	assert_ptr_equal(letters[LEN - 2].content, things[14]);
	mailbox_fini(&mailbox);
}

static void a_length_that_is_no_power_of_two_is_refused(void **state)
{
	struct mailbox mailbox;

	(void)state;
	assert_int_equal(mailbox_init(&mailbox, 0), -EINVAL);
	assert_int_equal(mailbox_init(&mailbox, 1), -EINVAL);
	assert_int_equal(mailbox_init(&mailbox, 12), -EINVAL);
}

static void *post_stream(void *arg)
{
	for (uintptr_t i = 1; i <= STREAM; i++)
		while (!mailbox_post(arg, (struct letter){LETTER_MESSAGE, (void *)(i * 8)}))
			sched_yield();
	return NULL;
}

static void two_threads_lose_and_reorder_nothing(void **state)
{
	struct mailbox mailbox;
	struct letter letters[LETTER_BURST_MAX];
	pthread_t sender;
	uintptr_t expected = 1;

	(void)state;
	assert_int_equal(mailbox_init(&mailbox, 64), 0);
	assert_int_equal(pthread_create(&sender, NULL, post_stream, &mailbox), 0);
	while (expected <= STREAM) {
		unsigned n = mailbox_take(&mailbox, letters, LETTER_BURST_MAX);

		for (unsigned i = 0; i < n; i++)
			assert_int_equal((uintptr_t)letters[i].content, expected++ * 8);
		if (!n)
			sched_yield();
	}
	pthread_join(sender, NULL);
	mailbox_fini(&mailbox);
}

struct thing {
	struct collected collected;
	unsigned poster, number;
};

struct poster {
	struct collection *collection;
	struct thing things[EACH];
};

static void *post_pairs(void *arg)
{
	struct poster *poster = arg;

	for (unsigned i = 0; i < EACH; i += 2) {
		poster->things[i + 1].collected.next = &poster->things[i].collected;
		collection_post_mt(poster->collection, &poster->things[i + 1].collected,
				   &poster->things[i].collected);
	}
	return NULL;
}

static void a_collection_gives_what_any_thread_posted_once_and_in_its_order(void **state)
{
	struct collection collection = {0};
	struct poster *posters = calloc(THREADS, sizeof(*posters));
	unsigned next[THREADS] = {0}, taken = 0;
	pthread_t threads[THREADS];

	(void)state;
	assert_null(collection_take(&collection));
	for (unsigned i = 0; i < THREADS; i++) {
		posters[i].collection = &collection;
		for (unsigned j = 0; j < EACH; j++)
			posters[i].things[j] = (struct thing){.poster = i, .number = j};
		assert_int_equal(pthread_create(&threads[i], NULL, post_pairs, &posters[i]), 0);
	}
	while (taken < THREADS * EACH) {
		struct collected *c = collection_take(&collection);

		if (!c)
			sched_yield();
		for (; c; c = c->next, taken++) {
			struct thing *thing = (struct thing *)c;

			assert_int_equal(thing->number, next[thing->poster]++);
		}
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_null(collection_take(&collection));
	free(posters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_come_in_order_with_their_kind),
		cmocka_unit_test(a_full_mailbox_refuses_and_loses_nothing),
		cmocka_unit_test(a_length_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(two_threads_lose_and_reorder_nothing),
		cmocka_unit_test(a_collection_gives_what_any_thread_posted_once_and_in_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
