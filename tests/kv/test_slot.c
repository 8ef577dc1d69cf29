/* Slots and who owns them. */
#include "kv/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void keys_are_in_the_slots_that_redis_gives_them(void **state)
{
	(void)state;
	assert_int_equal(slot_of(SLICE("123456789")), 0x31c3);
	assert_int_equal(slot_of(SLICE("foo")), 12182);
	assert_int_equal(slot_of(SLICE("bar")), 5061);
	assert_int_equal(slot_of(SLICE("somekey")), 11058);
	assert_int_equal(slot_of(SLICE("")), 0);
	assert_int_equal(slot_of(SLICE("a\0b\xff\xfe")), 2984);
}

static void what_is_in_braces_decides_alone(void **state)
{
	const unsigned user = slot_of(SLICE("user1000"));

	(void)state;
	assert_int_equal(user, 3443);
	assert_int_equal(slot_of(SLICE("{user1000}.following")), user);
	assert_int_equal(slot_of(SLICE("{user1000}.followers")), user);
	assert_int_equal(slot_of(SLICE("foo{bar}{zap}")), slot_of(SLICE("bar")));
	assert_int_equal(slot_of(SLICE("foo{{bar}}zap")), slot_of(SLICE("{bar")));
}

static void braces_with_nothing_inside_or_without_an_end_mean_nothing(void **state)
{
	(void)state;
	assert_int_equal(slot_of(SLICE("foo{}{bar}")), 8363);
	assert_int_equal(slot_of(SLICE("{")), 4092);
	assert_int_equal(slot_of(SLICE("{}")), 15257);
	assert_int_equal(slot_of(SLICE("}a{")), 11710);
}

/* Bit by bit, as the polynomial says. */
static unsigned slot_by_hand(struct slice key)
{
	unsigned crc = 0;

	for (size_t i = 0; i < key.len; i++) {
		crc ^= (unsigned)(uint8_t)key.data[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
		crc &= 0xffff;
	}
	return crc % SLOT_COUNT;
}

static void every_byte_at_every_place_counts(void **state)
{
	char key[9] = {0};

	(void)state;
	for (size_t len = 1; len <= sizeof(key); len++)
		for (size_t at = 0; at < len; at++)
			for (int byte = 0; byte < 256; byte++) {
				memset(key, 'x', sizeof(key));
				key[at] = (char)byte;
				assert_int_equal(slot_of((struct slice){key, len}),
						 slot_by_hand((struct slice){key, len}));
			}
}

static void each_slot_has_one_owner_and_owners_have_runs_of_like_length(void **state)
{
	(void)state;
	for (int count = 1; count <= 64; count++) {
		assert_int_equal(slot_first(0, count), 0);
		assert_int_equal(slot_first(count, count), SLOT_COUNT);
		for (int shard = 0; shard < count; shard++) {
			const unsigned first = slot_first(shard, count);
			const unsigned end = slot_first(shard + 1, count);

			assert_int_equal(slot_owner(first, count), shard);
			assert_int_equal(slot_owner(end - 1, count), shard);
			assert_in_range(end - first, SLOT_COUNT / (unsigned)count,
					SLOT_COUNT / (unsigned)count + 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_in_the_slots_that_redis_gives_them),
		cmocka_unit_test(what_is_in_braces_decides_alone),
		cmocka_unit_test(every_byte_at_every_place_counts),
		cmocka_unit_test(braces_with_nothing_inside_or_without_an_end_mean_nothing),
		cmocka_unit_test(each_slot_has_one_owner_and_owners_have_runs_of_like_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
