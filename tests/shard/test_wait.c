#include "shard/loop.h"
#include "tests/shard/cm.h"
#include "tests/shard/crew.h"
#include "tests/shard/fake_nic.h"
#include "tests/shard/solo.h"

#include <errno.h>
#include <string.h>

enum { MANY = 8 };

static struct tcp_conn *conn;
static int32_t qd;
static uint64_t tokens[2 * MANY];
static struct shard_result result;
static int offset;

static int begin(void **state)
{
	int rc = solo_begin(state);

	if (!rc)
		qd = solo_connected(&conn);
	return rc;
}

static int any_of(const uint64_t *array, int count)
{
	int rc = shard_wait_any(solo, array, count, 0, &result, &offset);

	if (!rc && result.opcode == SHARD_OP_POP && result.pop.handle)
		solo_free(result.pop.handle);
	return rc;
}

static int any(int count)
{
	return any_of(tokens, count);
}

/* Pops on qd complete in order: tokens[first] before all later ones. */
static void open_pops(int first, int count)
{
	for (int i = first; i < first + count; i++)
		tokens[i] = solo_pop(qd);
}

static void arrive(int count)
{
	while (count--)
		fake_receive(solo->net, conn, "x");
}

static void the_oldest_result_comes_first_with_its_offset(void **state)
{
	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	arrive(2);
	assert_int_equal(any(MANY), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(result.token, tokens[0]);
}

static void a_program_that_replaces_the_returned_entry_gets_all_results(void **state)
{
	(void)state;
	open_pops(0, MANY);
	for (int i = 0; i < 5 * MANY; i++) {
		arrive(1);
		assert_int_equal(any(MANY), 0);
		assert_int_equal(offset, i % MANY);
		assert_int_equal(result.token, tokens[offset]);
		tokens[offset] = solo_pop(qd);
	}
}

static void a_program_that_moves_the_last_entry_into_the_hole_gets_all_results(void **state)
{
	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	arrive(MANY);
	for (int count = MANY; count; count--) {
		assert_int_equal(any(count), 0);
		assert_int_equal(result.token, tokens[offset]);
		tokens[offset] = tokens[count - 1];
	}
}

static void a_program_that_closes_the_gap_gets_all_results(void **state)
{
	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	for (int count = MANY; count; count--) {
		arrive(1);
		assert_int_equal(any(count), 0);
		assert_int_equal(result.token, tokens[offset]);
		memmove(tokens + offset, tokens + offset + 1,
			(size_t)(count - offset - 1) * sizeof(tokens[0]));
	}
}

static void entries_that_were_added_at_the_end_are_found(void **state)
{
	(void)state;
	open_pops(0, 2);
	assert_int_equal(any(2), -ETIMEDOUT);
	open_pops(2, 2);
	arrive(4);
	for (int i = 0; i < 4; i++) {
		uint64_t expected = tokens[i];

		assert_int_equal(any(4), 0);
		assert_int_equal(offset, i);
		assert_int_equal(result.token, expected);
		tokens[i] = solo_pop(qd);
	}
}

static void an_array_that_was_turned_around_in_place_still_gives_all_results(void **state)
{
	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	for (int i = 0; i < MANY / 2; i++) {
		uint64_t other = tokens[i];

		tokens[i] = tokens[MANY - 1 - i];
		tokens[MANY - 1 - i] = other;
	}
	arrive(1);
	assert_int_equal(any(MANY), 0);
	assert_int_equal(offset, MANY - 1);
	assert_int_equal(result.token, tokens[MANY - 1]);
}

/* Other traffic may keep the shard busy for ever: no turn finds nothing to do. */
static void a_result_that_moved_is_found_however_busy_the_shard_is(void **state)
{
	uint64_t other, turns;

	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	other = tokens[0];
	tokens[0] = tokens[1];
	tokens[1] = other;
	arrive(1);
	fake_output(solo->net, 1000000);
	turns = solo->counters.turns;
	assert_int_equal(shard_wait_any(solo, tokens, MANY, SHARD_FOREVER, &result, &offset), 0);
	assert_true(solo->counters.turns - turns < 200);
	assert_int_equal(offset, 1);
	assert_int_equal(result.token, other);
	solo_free(result.pop.handle);
}

static void another_array_is_read_from_the_start(void **state)
{
	uint64_t other[2];

	(void)state;
	open_pops(0, 3);
	assert_int_equal(any(3), -ETIMEDOUT);
	other[0] = tokens[2];
	other[1] = tokens[1];
	arrive(3);
	assert_int_equal(any_of(other, 2), 0);
	assert_int_equal(offset, 1);
	other[1] = tokens[0];
	assert_int_equal(any_of(other, 2), 0);
	assert_int_equal(any_of(other, 1), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(result.token, tokens[2]);
}

static void unknown_and_consumed_tokens_are_refused_at_once(void **state)
{
	(void)state;
	open_pops(0, 3);
	assert_int_equal(any(-1), -EINVAL);
	arrive(1);
	assert_int_equal(any(3), 0);
	assert_int_equal(shard_wait_any(solo, tokens, 3, SHARD_FOREVER, &result, &offset), -EINVAL);
	tokens[0] = 12345;
	assert_int_equal(shard_wait_any(solo, tokens, 3, SHARD_FOREVER, &result, &offset), -EINVAL);
	assert_int_equal(shard_wait(solo, 12345, SHARD_FOREVER, &result), -EINVAL);
	assert_int_equal(shard_wait(solo, result.token, SHARD_FOREVER, &result), -EINVAL);
}

static void a_bad_token_where_nobody_looks_is_found_before_the_shard_sleeps(void **state)
{
	(void)state;
	open_pops(0, MANY);
	assert_int_equal(any(MANY), -ETIMEDOUT);
	tokens[3] = 12345;
	assert_int_equal(shard_wait_any(solo, tokens, MANY, SHARD_FOREVER, &result, &offset),
			 -EINVAL);
}

static void a_result_that_nobody_waited_for_is_kept(void **state)
{
	uint64_t first, second;

	(void)state;
	first = solo_pop(qd);
	second = solo_pop(qd);
	arrive(2);
	assert_int_equal(any_of(&second, 1), 0);
	assert_int_equal(any_of(&second, 1), -EINVAL);
	solo_assert_popped(first, "x");
}

static void a_result_put_aside_by_one_wait_is_seen_by_another_on_the_same_array(void **state)
{
	(void)state;
	open_pops(0, 4);
	assert_int_equal(any(4), -ETIMEDOUT);
	arrive(2);
	solo_assert_popped(tokens[1], "x");
	tokens[1] = solo_pop(qd);
	assert_int_equal(any(4), 0);
	assert_int_equal(offset, 0);
}

static void wait_next_n_gives_results_in_the_order_of_completion(void **state)
{
	struct shard_result results[4];
	int done = -1;

	(void)state;
	open_pops(0, 4);
	arrive(3);
	assert_int_equal(shard_wait_next_n(solo, 2, 0, results, &done), 0);
	assert_int_equal(done, 2);
	assert_int_equal(results[0].token, tokens[0]);
	assert_int_equal(results[1].token, tokens[1]);
	assert_int_equal(shard_wait_next_n(solo, 4, 0, results + 2, &done), -ETIMEDOUT);
	assert_int_equal(done, 1);
	assert_int_equal(results[2].token, tokens[2]);
	for (int i = 0; i < 3; i++)
		solo_free(results[i].pop.handle);
	assert_int_equal(shard_wait_next_n(solo, -1, 0, results, &done), -EINVAL);
}

static void wait_next_n_also_gives_what_wait_any_left_aside(void **state)
{
	struct shard_result kept;
	uint64_t other;
	int done;

	(void)state;
	open_pops(0, 1);
	other = solo_pop(qd);
	arrive(2);
	assert_int_equal(any_of(&other, 1), 0);
	assert_int_equal(shard_wait_next_n(solo, 1, 0, &kept, &done), 0);
	assert_int_equal(kept.token, tokens[0]);
	solo_free(kept.pop.handle);
}

static void after_a_stop_every_wait_is_cancelled(void **state)
{
	int done;

	(void)state;
	open_pops(0, 1);
	arrive(1);
	runtime_stop_mt(solo->runtime);
	assert_int_equal(shard_wait(solo, tokens[0], SHARD_FOREVER, &result), -ECANCELED);
	assert_int_equal(shard_wait_any(solo, tokens, 1, SHARD_FOREVER, &result, &offset),
			 -ECANCELED);
	assert_int_equal(shard_wait_next_n(solo, 1, SHARD_FOREVER, &result, &done), -ECANCELED);
}

static void the_nic_is_polled_between_results_when_its_time_has_come(void **state)
{
	struct shard_result results[MANY];
	uint64_t turns;
	int done;

	(void)state;
	solo->runtime->config.rx_budget_ns = 0; /* always */
	open_pops(0, 4);
	arrive(4);
	solo_turn();
	turns = solo->counters.turns;
	for (int i = 0; i < 3; i++)
		assert_int_equal(shard_wait_next_n(solo, 1, 0, &results[i], &done), 0);
	assert_int_equal(solo->counters.turns, turns + 3);
	solo->runtime->config.rx_budget_ns = UINT64_MAX; /* never */
	assert_int_equal(shard_wait_next_n(solo, 1, 0, &results[3], &done), 0);
	assert_int_equal(solo->counters.turns, turns + 3);
	for (int i = 0; i < 4; i++)
		solo_free(results[i].pop.handle);
}

/* Whether one was due anyhow or not, and with fewer results than there is room for. */
static void a_wait_that_shall_not_last_turns_once(void **state)
{
	const uint64_t budgets[] = {0, UINT64_MAX};
	struct shard_result results[2];
	uint64_t turns;
	int done;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		solo->runtime->config.rx_budget_ns = budgets[i];
		open_pops(0, 1);
		arrive(1);
		turns = solo->counters.turns;
		assert_int_equal(shard_wait_next_n(solo, 2, 0, results, &done), -ETIMEDOUT);
		assert_int_equal(done, 1);
		assert_int_equal(solo->counters.turns, turns + 1);
		solo_free(results[0].pop.handle);
	}
}

static int begin_adaptive(void **state)
{
	struct runtime_config config;
	int rc;

	(void)state;
	crew_config(&config, 1);
	config.idle = SHARD_IDLE_ADAPTIVE;
	config.spin_ns = 0;
	rc = solo_begin_with(&config);
	if (!rc)
		qd = solo_connected(&conn);
	return rc;
}

static void a_shard_with_nothing_to_do_sleeps_until_its_timeout(void **state)
{
	(void)state;
	open_pops(0, 1);
	assert_int_equal(shard_wait(solo, tokens[0], 5000000, &result), -ETIMEDOUT);
	assert_true(solo->counters.sleeps > 0);
}

/* A turn without work, then what the shard does about it; twice, as it arms itself first. */
static void pass(uint64_t now_ns, uint64_t deadline_ns)
{
	for (int i = 0; i < 2; i++) {
		assert_false(shard_turn(solo, now_ns));
		idle_pass(solo, now_ns, deadline_ns);
	}
}

static void a_shard_that_lacks_buffers_naps_between_its_attempts(void **state)
{
	const uint64_t now_ns = 1000000;

	(void)state;
	fake_due(solo->net, now_ns); /* and it stays due: nothing could be done */
	for (unsigned n = 1; n <= 10; n++) {
		pass(now_ns, UINT64_MAX);
		assert_int_equal(solo->counters.sleeps, n);
	}
}

static void what_came_due_since_the_turn_is_not_slept_over(void **state)
{
	const uint64_t now_ns = 1000000;

	(void)state;
	fake_due(solo->net, now_ns + 1);
	assert_false(shard_turn(solo, now_ns));
	idle_pass(solo, now_ns, UINT64_MAX);
	assert_false(shard_turn(solo, now_ns));
	idle_pass(solo, now_ns + 2, UINT64_MAX);
	assert_int_equal(solo->counters.sleeps, 0);
}

static void random_programs_get_every_result_exactly_once(void **state)
{
	enum { STEPS = 3000 };
	struct random dice;
	int count = 0, got = 0, opened = 0;

	(void)state;
	random_init(&dice, 4711, 0);
	for (int step = 0; step < STEPS; step++) {
		uint64_t draw = random_next(&dice);
		int i, j;

		if (draw % 4 == 0 && count < 2 * MANY) {
			tokens[count++] = solo_pop(qd);
			opened++;
		}
		if (draw % 4 == 1 && got < opened && solo->tokens.pending_count)
			arrive(1);
		if (count > 1 && draw % 4 == 2) { /* some entries change places */
			i = (int)(draw >> 8) % count;
			j = (int)(draw >> 16 & 0xffff) % count;
			i = i < 0 ? -i : i;
			draw = tokens[i];
			tokens[i] = tokens[j];
			tokens[j] = draw;
		}
		if (!count || any(count))
			continue;
		assert_int_equal(result.token, tokens[offset]);
		tokens[offset] = tokens[--count];
		got++;
	}
	arrive((int)solo->tokens.pending_count);
	while (count) {
		assert_int_equal(any(count), 0);
		tokens[offset] = tokens[--count];
		got++;
	}
	assert_int_equal(got, opened);
	assert_true(got > STEPS / 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, solo_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_oldest_result_comes_first_with_its_offset),
		TEST(a_program_that_replaces_the_returned_entry_gets_all_results),
		TEST(a_program_that_moves_the_last_entry_into_the_hole_gets_all_results),
		TEST(a_program_that_closes_the_gap_gets_all_results),
		TEST(entries_that_were_added_at_the_end_are_found),
		TEST(an_array_that_was_turned_around_in_place_still_gives_all_results),
		TEST(a_result_that_moved_is_found_however_busy_the_shard_is),
		TEST(another_array_is_read_from_the_start),
		TEST(unknown_and_consumed_tokens_are_refused_at_once),
		TEST(a_bad_token_where_nobody_looks_is_found_before_the_shard_sleeps),
		TEST(a_result_that_nobody_waited_for_is_kept),
		TEST(a_result_put_aside_by_one_wait_is_seen_by_another_on_the_same_array),
		TEST(wait_next_n_gives_results_in_the_order_of_completion),
		TEST(wait_next_n_also_gives_what_wait_any_left_aside),
		TEST(after_a_stop_every_wait_is_cancelled),
		TEST(the_nic_is_polled_between_results_when_its_time_has_come),
		TEST(a_wait_that_shall_not_last_turns_once),
		cmocka_unit_test_setup_teardown(a_shard_with_nothing_to_do_sleeps_until_its_timeout,
						begin_adaptive, solo_end),
		cmocka_unit_test_setup_teardown(
			a_shard_that_lacks_buffers_naps_between_its_attempts, begin_adaptive,
			solo_end),
		cmocka_unit_test_setup_teardown(what_came_due_since_the_turn_is_not_slept_over,
						begin_adaptive, solo_end),
		TEST(random_programs_get_every_result_exactly_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
