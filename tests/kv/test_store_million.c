/*
 * A million keys that all expire within a minute of a clock that is handed in, turn by turn as a
 * server does it: no turn does more than it is told, none expires early, and hardly any late.
 */
#include "kv/dice.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	KEYS = 1000000,
	LIFE_MS = 60000,
	WORK = 64,	   /* of a turn, as in the server */
	TURNS_PER_MS = 50, /* at most; a server that polls has more */
	LATE_MS = 1000,	   /* a slot with all of them has to be sorted into finer ones first */
};

struct losses {
	uint64_t now_ms, count, late_max;
	uint64_t *expire_ms;
};

static void on_loss(void *arg, int db, struct slice key, enum store_loss loss)
{
	struct losses *losses = arg;
	uint64_t expire_ms = losses->expire_ms[number_of(key)];

	(void)db;
	assert_int_equal(loss, STORE_EXPIRED);
	assert_true(expire_ms <= losses->now_ms);
	if (losses->now_ms - expire_ms > losses->late_max)
		losses->late_max = losses->now_ms - expire_ms;
	losses->count++;
}

static void fill(struct store *store, struct losses *losses)
{
	struct dice dice = {.state = 1};
	struct name name;

	for (unsigned i = 0; i < KEYS; i++) {
		losses->expire_ms[i] = NOW + 1 + dice_below(&dice, LIFE_MS);
		assert_non_null(store_set_or_null(store, 0, name_of(i, &name), SLICE("value"),
						  losses->expire_ms[i], NOW));
	}
}

static void a_million_keys_expire_in_time(void **state)
{
	static const struct store_config config = {.policy = STORE_NOEVICTION, .samples = 5};
	struct losses losses = {.expire_ms = calloc(KEYS, sizeof(uint64_t))};
	struct store_events events = {.lost = on_loss, .arg = &losses};
	struct store *store = store_new(&config, &events);
	uint64_t empty = figures_of(store).used_bytes, wake_ms = NOW;

	(void)state;
	store_turn(store, NOW, WORK);
	fill(store, &losses);
	assert_int_equal(store_volatile_size(store, 0), KEYS);
	for (losses.now_ms = NOW; losses.now_ms <= NOW + LIFE_MS + LATE_MS; losses.now_ms++) {
		for (unsigned turn = 0; turn < TURNS_PER_MS; turn++) {
			uint64_t before = losses.count;

			wake_ms = store_turn(store, losses.now_ms, WORK);
			assert_true(losses.count - before <= WORK);
			if (wake_ms > losses.now_ms)
				break;
		}
	}
	assert_int_equal(losses.count, KEYS);
	assert_true(losses.late_max <= LATE_MS);
	assert_int_equal(wake_ms, UINT64_MAX);
	assert_true(figures_of(store).used_bytes < empty + 200000);
	print_message("the latest: %llu ms\n", (unsigned long long)losses.late_max);
	store_destroy(store);
	free(losses.expire_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_keys_expire_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
