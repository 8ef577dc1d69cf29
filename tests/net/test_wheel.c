#include "net/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICK WHEEL_TICK_NS
#define SPAN (TICK << (WHEEL_SLOT_SHIFT * WHEEL_LEVELS))

enum { MANY = 2000 };

static struct wheel wheel;

struct object {
	struct wheel_timer timer;
	unsigned fired;
	uint64_t fired_at_ns;
};

struct log {
	uint64_t now_ns;
	struct object *partner; /* a callback's victim */
	uint64_t again_ns;	/* a callback arms itself for this time */
};

static void note(void *ctx, struct wheel_timer *t)
{
	struct object *object = (struct object *)t;

	assert_false(wheel_armed(t));
	object->fired++;
	object->fired_at_ns = ((struct log *)ctx)->now_ns;
}

static unsigned advance(uint64_t now_ns)
{
	struct log log = {.now_ns = now_ns};

	return wheel_advance(&wheel, now_ns, note, &log);
}

static uint64_t random_below(uint64_t *seed, uint64_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % n;
}

static void a_timer_fires_at_its_deadline_and_not_before(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 5 * TICK);
	wheel_arm(&wheel, &object.timer, 8 * TICK);
	assert_true(wheel_armed(&object.timer));
	assert_int_equal(advance(8 * TICK - 1), 0);
	assert_int_equal(advance(8 * TICK), 1);
	assert_int_equal(object.fired, 1);
	assert_false(wheel_armed(&object.timer));
	assert_int_equal(wheel_count(&wheel), 0);
}

static void a_deadline_inside_a_tick_fires_when_the_tick_is_over(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &object.timer, 3 * TICK + 1);
	assert_int_equal(advance(3 * TICK + 1), 0);
	assert_int_equal(advance(4 * TICK), 1);
}

static void a_passed_deadline_fires_at_the_next_advance(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 100 * TICK);
	wheel_arm(&wheel, &object.timer, 7 * TICK);
	assert_int_equal(wheel_next_deadline(&wheel), 0);
	assert_int_equal(advance(100 * TICK), 1);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &object.timer, TICK);
	wheel_cancel(&wheel, &object.timer);
	wheel_cancel(&wheel, &object.timer);
	assert_int_equal(wheel_next_deadline(&wheel), UINT64_MAX);
	assert_int_equal(advance(10 * TICK), 0);
}

static void arming_again_moves_the_timer(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &object.timer, 10 * TICK);
	wheel_arm(&wheel, &object.timer, 9 * TICK + 1); /* the same slot */
	wheel_arm(&wheel, &object.timer, 5000 * TICK);
	wheel_arm(&wheel, &object.timer, 20 * TICK);
	assert_int_equal(wheel_count(&wheel), 1);
	assert_int_equal(advance(20 * TICK - 1), 0);
	assert_int_equal(advance(20 * TICK), 1);
	assert_int_equal(advance(6000 * TICK), 0);
}

static void time_that_goes_backwards_does_nothing(void **state)
{
	struct object object = {0};

	(void)state;
	wheel_init(&wheel, 100 * TICK);
	wheel_arm(&wheel, &object.timer, 101 * TICK);
	assert_int_equal(advance(50 * TICK), 0);
	assert_int_equal(advance(101 * TICK), 1);
}

/* Drives the wheel as a shard does, from one next deadline to the other. */
static void every_timer_fires_once_and_less_than_a_tick_late(void **state)
{
	static struct object objects[MANY];
	uint64_t seed = 88172645463325252ull, now = 12345678901ull, last = 0;
	unsigned fired = 0;

	(void)state;
	memset(objects, 0, sizeof(objects));
	wheel_init(&wheel, now);
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t scale = TICK << random_below(&seed, 27); /* beyond the span too */
		uint64_t deadline = now + random_below(&seed, 4 * scale);

		if (deadline > last)
			last = deadline;
		wheel_arm(&wheel, &objects[i].timer, deadline);
	}
	while (wheel_count(&wheel) > 0) {
		uint64_t next = wheel_next_deadline(&wheel);

		assert_true(next <= last + TICK);
		now = next > now ? next : now;
		fired += advance(now);
	}
	assert_int_equal(fired, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(objects[i].fired, 1);
		assert_true(objects[i].fired_at_ns >= objects[i].timer.deadline_ns ||
			    objects[i].timer.deadline_ns <= 12345678901ull);
		assert_true(objects[i].fired_at_ns < objects[i].timer.deadline_ns + TICK);
	}
}

static void a_random_life_agrees_with_a_plain_list(void **state)
{
	static struct object objects[64];
	uint64_t due[64], seed = 42, now = 77 * TICK + 5;

	(void)state;
	memset(objects, 0, sizeof(objects));
	memset(due, 0xff, sizeof(due));
	wheel_init(&wheel, now);
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = (unsigned)random_below(&seed, 64), armed = 0;

		if (random_below(&seed, 4) == 0) {
			wheel_cancel(&wheel, &objects[i].timer);
			due[i] = UINT64_MAX;
		} else {
			due[i] = now + random_below(&seed, TICK << random_below(&seed, 26));
			wheel_arm(&wheel, &objects[i].timer, due[i]);
		}
		now += random_below(&seed, TICK << random_below(&seed, 22));
		advance(now);
		for (i = 0; i < 64; i++) {
			bool is_due =
				due[i] != UINT64_MAX && (due[i] + TICK - 1) / TICK <= now / TICK;

			assert_int_equal(objects[i].fired, is_due);
			objects[i].fired = 0;
			if (is_due)
				due[i] = UINT64_MAX;
			armed += due[i] != UINT64_MAX;
		}
		assert_int_equal(wheel_count(&wheel), armed);
	}
}

static void the_next_deadline_is_reached_in_a_few_steps(void **state)
{
	struct object object = {0};
	uint64_t now = 3 * TICK;
	unsigned steps = 0;

	(void)state;
	wheel_init(&wheel, now);
	wheel_arm(&wheel, &object.timer, now + SPAN - 12345);
	while (!object.fired) {
		now = wheel_next_deadline(&wheel);
		advance(now);
		steps++;
	}
	assert_true(steps <= WHEEL_LEVELS);
}

static void a_jump_of_centuries_fires_all_that_is_due(void **state)
{
	static struct object objects[MANY];
	struct object never = {0};
	uint64_t century = 100ull * 365 * 86400 * 1000000000;

	(void)state;
	memset(objects, 0, sizeof(objects));
	wheel_init(&wheel, 0);
	for (unsigned i = 0; i < MANY; i++)
		wheel_arm(&wheel, &objects[i].timer, (uint64_t)i * i * TICK * 1000);
	wheel_arm(&wheel, &never.timer, UINT64_MAX);
	assert_int_equal(advance(3 * century), MANY);
	assert_int_equal(advance(5 * century), 0);
	assert_true(wheel_armed(&never.timer));
	wheel_cancel(&wheel, &never.timer);
}

static void arm_again_at(void *ctx, struct wheel_timer *t)
{
	struct log *log = ctx;

	((struct object *)t)->fired++;
	wheel_arm(&wheel, t, log->again_ns);
}

static void a_callback_may_arm_its_own_timer_again(void **state)
{
	struct object object = {0};
	struct log log = {.again_ns = 9 * TICK};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &object.timer, 2 * TICK);
	assert_int_equal(wheel_advance(&wheel, 2 * TICK, arm_again_at, &log), 1);
	assert_true(wheel_armed(&object.timer));
	assert_int_equal(advance(8 * TICK), 0);
	assert_int_equal(advance(9 * TICK), 1);
}

static void a_callback_that_arms_for_now_waits_for_the_next_call(void **state)
{
	struct object object = {0};
	struct log log = {.again_ns = TICK};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &object.timer, TICK);
	assert_int_equal(wheel_advance(&wheel, 2 * TICK, arm_again_at, &log), 1);
	assert_int_equal(wheel_advance(&wheel, 2 * TICK, arm_again_at, &log), 1);
	assert_int_equal(object.fired, 2);
	wheel_cancel(&wheel, &object.timer);
	assert_int_equal(wheel_next_deadline(&wheel), UINT64_MAX);
}

static void move_partner(void *ctx, struct wheel_timer *t)
{
	struct log *log = ctx;
	struct object *object = (struct object *)t;

	object->fired++;
	wheel_arm(&wheel, &log->partner[object == &log->partner[0]].timer, log->again_ns);
}

/* By a whole turn of level 0, so that the slot is the same one. */
static void a_callback_may_move_a_timer_that_is_due_too(void **state)
{
	struct object objects[2] = {0};
	struct log log = {.partner = objects, .again_ns = (2 + WHEEL_SLOTS) * TICK};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &objects[0].timer, 2 * TICK);
	wheel_arm(&wheel, &objects[1].timer, 2 * TICK);
	assert_int_equal(wheel_advance(&wheel, 3 * TICK, move_partner, &log), 1);
	assert_int_equal(wheel_count(&wheel), 1);
	assert_int_equal(advance((1 + WHEEL_SLOTS) * TICK), 0);
	assert_int_equal(advance((2 + WHEEL_SLOTS) * TICK), 1);
}

static void cancel_partner(void *ctx, struct wheel_timer *t)
{
	struct log *log = ctx;

	((struct object *)t)->fired++;
	wheel_cancel(&wheel, &log->partner[0].timer);
	wheel_cancel(&wheel, &log->partner[1].timer);
}

static void a_callback_may_cancel_timers_that_are_due_too(void **state)
{
	struct object objects[2] = {0};
	struct log log = {.partner = objects};

	(void)state;
	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &objects[0].timer, 2 * TICK);
	wheel_arm(&wheel, &objects[1].timer, 2 * TICK);
	assert_int_equal(wheel_advance(&wheel, 3 * TICK, cancel_partner, &log), 1);
	assert_int_equal(objects[0].fired + objects[1].fired, 1);
	assert_int_equal(wheel_count(&wheel), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_at_its_deadline_and_not_before),
		cmocka_unit_test(a_deadline_inside_a_tick_fires_when_the_tick_is_over),
		cmocka_unit_test(a_passed_deadline_fires_at_the_next_advance),
		cmocka_unit_test(a_cancelled_timer_does_not_fire),
		cmocka_unit_test(arming_again_moves_the_timer),
		cmocka_unit_test(time_that_goes_backwards_does_nothing),
		cmocka_unit_test(every_timer_fires_once_and_less_than_a_tick_late),
		cmocka_unit_test(a_random_life_agrees_with_a_plain_list),
		cmocka_unit_test(the_next_deadline_is_reached_in_a_few_steps),
		cmocka_unit_test(a_jump_of_centuries_fires_all_that_is_due),
		cmocka_unit_test(a_callback_may_arm_its_own_timer_again),
		cmocka_unit_test(a_callback_that_arms_for_now_waits_for_the_next_call),
		cmocka_unit_test(a_callback_may_move_a_timer_that_is_due_too),
		cmocka_unit_test(a_callback_may_cancel_timers_that_are_due_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
