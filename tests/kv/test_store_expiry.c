/* The wheel by itself against a plain list, and expiry in a store, with a clock that is handed in.
 */
#include "kv/dice.h"
#include "kv/expiry.h"
#include "kv/store.h"
#include "store_test.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct store_config config = {.policy = STORE_NOEVICTION, .samples = 5};

/* --- the wheel --- */

enum { LINKS = 2000 };

struct wheel {
	struct expiry expiry;
	struct expiry_link links[LINKS];
	struct dice dice;
};

static struct wheel *wheel_new(uint64_t seed)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	expiry_init(&wheel->expiry);
	wheel->dice.state = seed;
	return wheel;
}

/* Of any magnitude from now on, now and then in the past. */
static uint64_t some_time(struct wheel *wheel, uint64_t now_ms)
{
	uint64_t by = dice_roll(&wheel->dice) >> (1 + dice_below(&wheel->dice, 63));

	if (dice_below(&wheel->dice, 10) == 0)
		return by < now_ms ? now_ms - by : 1;
	return by < UINT64_MAX - now_ms ? now_ms + by : UINT64_MAX;
}

/* All that is due at now_ms - late_ms, and nothing not yet due, is taken; the work is bounded. */
static void take_late(struct wheel *wheel, uint64_t now_ms, uint64_t late_ms)
{
	struct expiry_link *link;
	uint64_t armed = 0;
	unsigned work;

	for (unsigned rounds = 0;; rounds++) {
		work = 100;
		while ((link = expiry_take_or_null(&wheel->expiry, now_ms, &work))) {
			assert_true(link->when_ms <= now_ms);
			expiry_cancel(&wheel->expiry, link);
		}
		if (work)
			break;
		assert_true(rounds < LINKS);
	}
	for (unsigned i = 0; i < LINKS; i++) {
		assert_false(wheel->links[i].when_ms &&
			     wheel->links[i].when_ms + late_ms <= now_ms);
		armed += wheel->links[i].when_ms != 0;
		/* Never asleep when something is due. */
		if (wheel->links[i].when_ms)
			assert_true(wheel->expiry.wake_ms <= wheel->links[i].when_ms + late_ms);
	}
	assert_int_equal(wheel->expiry.count, armed);
}

static void take_all(struct wheel *wheel, uint64_t now_ms)
{
	take_late(wheel, now_ms, 0);
}

static void what_is_due_is_taken_and_nothing_else(void **state)
{
	struct wheel *wheel = wheel_new(7);
	uint64_t now_ms = NOW;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned n = 0; n < 100; n++) {
			struct expiry_link *link = &wheel->links[dice_below(&wheel->dice, LINKS)];

			if (dice_below(&wheel->dice, 4))
				expiry_arm(&wheel->expiry, link, some_time(wheel, now_ms));
			else
				expiry_cancel(&wheel->expiry, link);
		}
		now_ms += dice_roll(&wheel->dice) >> (20 + dice_below(&wheel->dice, 44));
		take_all(wheel, now_ms);
	}
	free(wheel);
}

static void times_up_to_the_last_are_kept_apart(void **state)
{
	struct wheel *wheel = wheel_new(1);

	(void)state;
	expiry_arm(&wheel->expiry, &wheel->links[0], UINT64_MAX);
	expiry_arm(&wheel->expiry, &wheel->links[1], UINT64_MAX - 1);
	expiry_arm(&wheel->expiry, &wheel->links[2], UINT64_C(1) << 63);
	expiry_arm(&wheel->expiry, &wheel->links[3], 1);
	take_all(wheel, 1);
	take_all(wheel, UINT64_C(1) << 63);
	take_all(wheel, UINT64_MAX - 1);
	assert_int_equal(wheel->expiry.count, 1);
	take_all(wheel, UINT64_MAX);
	assert_int_equal(wheel->expiry.count, 0);
	free(wheel);
}

static void the_wheel_says_when_to_look_again(void **state)
{
	struct wheel *wheel = wheel_new(1);
	unsigned looks = 0;
	uint64_t now_ms = NOW;

	(void)state;
	take_all(wheel, now_ms);
	assert_int_equal(wheel->expiry.wake_ms, UINT64_MAX);
	expiry_arm(&wheel->expiry, &wheel->links[0], NOW + 1000000);
	for (; wheel->expiry.count; looks++) {
		now_ms = wheel->expiry.wake_ms;
		assert_true(now_ms <= NOW + 1000000);
		take_all(wheel, now_ms);
	}
	assert_int_equal(now_ms, NOW + 1000000);
	assert_true(looks <= EXPIRY_LEVELS);
	free(wheel);
}

static void a_clock_that_goes_back_expires_nothing_early_and_all_in_time(void **state)
{
	enum { LATE_MS = 1001 }; /* a clock that went back by so little is waited for */
	static const uint64_t backs[] = {1, 500, 1000, 1001, 100000, UINT64_C(1) << 40};
	struct wheel *wheel = wheel_new(3);

	(void)state;
	for (unsigned n = 0; n < 6; n++) {
		uint64_t now_ms = UINT64_C(1) << 42;

		for (unsigned i = 0; i < LINKS; i++)
			expiry_arm(&wheel->expiry, &wheel->links[i],
				   now_ms + 1 + dice_below(&wheel->dice, 1 << 20));
		take_all(wheel, now_ms);
		now_ms -= backs[n];
		take_late(wheel, now_ms, LATE_MS);
		for (unsigned i = 0; i < 100; i++)
			expiry_arm(&wheel->expiry, &wheel->links[i], now_ms + 1 + i);
		for (unsigned i = 0; i < 100; i++)
			take_late(wheel, now_ms += 50, LATE_MS);
		now_ms = (UINT64_C(1) << 42) + (1 << 20);
		take_all(wheel, now_ms);
		assert_int_equal(wheel->expiry.count, 0);
	}
	free(wheel);
}

static void the_first_to_expire_is_found_at_once(void **state)
{
	struct wheel *wheel = wheel_new(9);
	struct expiry_link *first;

	(void)state;
	assert_null(expiry_first_or_null(&wheel->expiry, 5));
	take_all(wheel, NOW);
	for (unsigned i = 0; i < LINKS; i++)
		expiry_arm(&wheel->expiry, &wheel->links[i],
			   NOW + 1000 + (i * 7919) % LINKS * 1000);
	for (unsigned n = 0; n < LINKS; n++) {
		first = expiry_first_or_null(&wheel->expiry, LINKS);
		assert_int_equal(first->when_ms, NOW + 1000 + n * 1000);
		expiry_cancel(&wheel->expiry, first);
	}
	free(wheel);
}

/* --- in a store --- */

struct losses {
	unsigned count;
	char last[16];
	struct store *store;
};

static void on_loss(void *arg, int db, struct slice key, enum store_loss loss)
{
	struct losses *losses = arg;

	assert_int_equal(db, 0);
	assert_int_equal(loss, STORE_EXPIRED);
	losses->count++;
	memcpy(losses->last, key.data, key.len);
	losses->last[key.len] = 0;
}

static void who_looks_finds_no_expired_key(void **state)
{
	struct losses losses = {0};
	struct store_events events = {.lost = on_loss, .arg = &losses};
	struct store *store = store_new(&config, &events);

	(void)state;
	store_set_or_null(store, 0, SLICE("k"), SLICE("v"), NOW + 100, NOW);
	assert_non_null(store_peek_or_null(store, 0, SLICE("k"), NOW + 99));
	assert_int_equal(store_size(store, 0), 1);
	assert_null(store_peek_or_null(store, 0, SLICE("k"), NOW + 100));
	assert_int_equal(store_size(store, 0), 0);
	assert_int_equal(losses.count, 1);
	assert_string_equal(losses.last, "k");
	assert_int_equal(figures_of(store).expired, 1);
	store_destroy(store);
}

static void a_turn_removes_what_nobody_looks_for(void **state)
{
	struct losses losses = {0};
	struct store_events events = {.lost = on_loss, .arg = &losses};
	struct store *store = store_new(&config, &events);
	struct name name;
	uint64_t wake_ms;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"),
				  i % 2 ? NOW + 10 + i : STORE_NEVER, NOW);
	assert_int_equal(store_volatile_size(store, 0), 500);
	wake_ms = store_turn(store, NOW, 1000);
	assert_true(wake_ms > NOW && wake_ms <= NOW + 11);
	for (uint64_t ms = NOW; ms < NOW + 1010; ms++) {
		store_turn(store, ms, 1000);
		assert_int_equal(losses.count, ms < NOW + 10 ? 0 : (ms - NOW - 10 + 1) / 2);
	}
	assert_int_equal(store_size(store, 0), 500);
	assert_int_equal(store_turn(store, NOW + 1010, 1000), UINT64_MAX);
	store_destroy(store);
}

static void a_turn_does_no_more_than_it_is_told(void **state)
{
	struct losses losses = {0};
	struct store_events events = {.lost = on_loss, .arg = &losses};
	struct store *store = store_new(&config, &events);
	struct name name;

	(void)state;
	store_turn(store, NOW, 1);
	for (unsigned i = 0; i < 1000; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"), NOW + 5000, NOW);
	store_turn(store, NOW, 1); /* what was just set gives more to it */
	for (unsigned turns = 0; store_size(store, 0); turns++) {
		unsigned before = losses.count;

		assert_true(store_turn(store, NOW + 6000, 10) <= NOW + 6000 ||
			    store_size(store, 0) == 0);
		assert_true(losses.count <= before + 10);
		assert_true(turns <= 1000);
	}
	store_destroy(store);
}

/* Many more in a turn than it is told to remove. */
static void who_sets_expiries_is_not_faster_than_their_removal(void **state)
{
	enum { SETS = 1000, LIFE_MS = 50, END_MS = 300 };
	struct store *store = store_new(&config, NULL);
	struct name name;

	(void)state;
	for (unsigned ms = 0; ms < END_MS; ms++) {
		for (unsigned i = 0; i < SETS; i++)
			store_set_or_null(store, 0, name_of(ms * SETS + i, &name), SLICE("v"),
					  NOW + ms + LIFE_MS, NOW + ms);
		store_turn(store, NOW + ms, 64);
		assert_in_range(store_size(store, 0), 0, 3 * LIFE_MS * SETS / 2);
	}
	store_destroy(store);
}

static void each_database_gets_its_turn(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		for (int db = 0; db < 2; db++)
			store_set_or_null(store, db, name_of(i, &name), SLICE("v"), NOW + 1, NOW);
	store_set_or_null(store, 9, SLICE("k"), SLICE("v"), NOW + 1, NOW);
	for (unsigned turn = 0; turn < 500; turn++)
		store_turn(store, NOW + 2, 10);
	for (int db = 0; db < STORE_DB_COUNT; db++)
		assert_int_equal(store_size(store, db), 0);
	store_destroy(store);
}

static void an_expiry_may_be_set_changed_and_taken_away(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct entry *entry = set(store, "k", "v");

	(void)state;
	assert_int_equal(entry_expire_ms(entry), STORE_NEVER);
	assert_true(store_expire(store, 0, entry, STORE_NEVER));
	assert_true(store_expire(store, 0, peek(store, "k"), NOW + 100));
	assert_int_equal(entry_expire_ms(peek(store, "k")), NOW + 100);
	assert_true(store_expire(store, 0, peek(store, "k"), NOW + 5));
	assert_int_equal(store_volatile_size(store, 0), 1);
	assert_true(store_expire(store, 0, peek(store, "k"), STORE_NEVER));
	assert_int_equal(store_volatile_size(store, 0), 0);
	store_turn(store, NOW + 1000, 100);
	assert_non_null(peek(store, "k"));
	assert_true(store_expire(store, 0, peek(store, "k"), NOW + 2000));
	assert_true(store_expire(store, 0, peek(store, "k"), NOW - 1));
	assert_null(peek(store, "k"));
	store_destroy(store);
}

static void setting_keeps_or_drops_the_expiry_as_told(void **state)
{
	struct store *store = store_new(&config, NULL);
	struct entry *entry;

	(void)state;
	entry = store_set_or_null(store, 0, SLICE("k"), SLICE("v"), STORE_KEEP_EXPIRY, NOW);
	assert_int_equal(entry_expire_ms(entry), STORE_NEVER);
	store_set_or_null(store, 0, SLICE("k"), SLICE("v"), NOW + 100, NOW);
	entry = store_set_or_null(store, 0, SLICE("k"), SLICE("17"), STORE_KEEP_EXPIRY, NOW);
	assert_int_equal(entry_expire_ms(entry), NOW + 100);
	entry = store_set_or_null(store, 0, SLICE("k"), SLICE("v"), STORE_NEVER, NOW);
	assert_int_equal(entry_expire_ms(entry), STORE_NEVER);
	/* What has expired is not kept from. */
	store_set_or_null(store, 0, SLICE("k"), SLICE("v"), NOW + 100, NOW);
	entry = store_set_or_null(store, 0, SLICE("k"), SLICE("v"), STORE_KEEP_EXPIRY, NOW + 200);
	assert_int_equal(entry_expire_ms(entry), STORE_NEVER);
	assert_int_equal(figures_of(store).expired, 1);
	store_destroy(store);
}

static void a_clock_that_jumps_far_ahead_and_back_breaks_nothing(void **state)
{
	struct store *store = store_new(&config, NULL);
	uint64_t year_ms = UINT64_C(365) * 24 * 3600 * 1000;
	struct name name;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"),
				  i < 1000 ? NOW + 1 + i : NOW + 2 * year_ms + i, NOW);
	for (unsigned i = 0; i < 100; i++)
		store_turn(store, NOW + year_ms, 100);
	assert_int_equal(store_size(store, 0), 2000);
	for (unsigned i = 0; i < 1000; i++)
		store_set_or_null(store, 0, name_of(i, &name), SLICE("v"), NOW + 1 + i, NOW);
	for (uint64_t ms = 0; ms < 1001; ms += 7)
		store_turn(store, NOW + ms, 100);
	store_turn(store, NOW + 1001, 100);
	assert_int_equal(store_size(store, 0), 2000);
	for (unsigned i = 0; i < 100; i++)
		store_turn(store, NOW + 3 * year_ms, 100);
	assert_int_equal(store_size(store, 0), 0);
	store_destroy(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_due_is_taken_and_nothing_else),
		cmocka_unit_test(times_up_to_the_last_are_kept_apart),
		cmocka_unit_test(the_wheel_says_when_to_look_again),
		cmocka_unit_test(a_clock_that_goes_back_expires_nothing_early_and_all_in_time),
		cmocka_unit_test(the_first_to_expire_is_found_at_once),
		cmocka_unit_test(who_looks_finds_no_expired_key),
		cmocka_unit_test(a_turn_removes_what_nobody_looks_for),
		cmocka_unit_test(a_turn_does_no_more_than_it_is_told),
		cmocka_unit_test(who_sets_expiries_is_not_faster_than_their_removal),
		cmocka_unit_test(each_database_gets_its_turn),
		cmocka_unit_test(an_expiry_may_be_set_changed_and_taken_away),
		cmocka_unit_test(setting_keeps_or_drops_the_expiry_as_told),
		cmocka_unit_test(a_clock_that_jumps_far_ahead_and_back_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
