/*
 * The store against a model of it that is as simple as can be: an array of keys with their values.
 * Seeded streams of all operations, with a clock that goes forth, and back now and then. Before
 * each change the event shows the entry as the model has it; what the store removes by itself the
 * model loses when told.
 *   test_kv_store_model [seed [seed after the last]]      other streams, one after the other
 */
#include "kv/dice.h"
#include "kv/heap.h"
#include "kv/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DBS = 3, KEYS = 2500, LEN_MAX = 9000, OPERATIONS = 150000 };

struct model_entry {
	bool present, mark, edited;
	uint64_t expire_ms;
	struct slice value; /* a copy */
};

struct world {
	struct store *store;
	struct dice dice;
	uint64_t now_ms;
	struct slice keys[KEYS];
	struct model_entry model[DBS][KEYS];
	uint64_t told, lost;
	uint8_t seen[KEYS];
	char text[LEN_MAX];
};

static uint64_t roll(struct world *world, uint64_t limit)
{
	return dice_below(&world->dice, limit);
}

/* A key's number is its first eight characters; some are long, a few too long for 16 bits. */
static void make_keys(struct world *world)
{
	for (unsigned i = 0; i < KEYS; i++) {
		size_t len = i % 500 == 499 ? 65534 + i / 500 : 9 + i % 90;
		char *key = malloc(len + 1);

		memset(key, 'k', len);
		key[snprintf(key, len, "%08u", i)] = 'k';
		world->keys[i] = (struct slice){key, len};
	}
}

static unsigned number_of(struct slice key)
{
	char digits[9] = {0};

	memcpy(digits, key.data, 8);
	return (unsigned)strtoul(digits, NULL, 10);
}

static bool alive(const struct world *world, const struct model_entry *model)
{
	return model->present && (!model->expire_ms || model->expire_ms > world->now_ms);
}

static bool is_integer(struct slice text)
{
	char copy[32], again[32];

	if (text.len > 20)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	snprintf(again, sizeof(again), "%lld", strtoll(copy, NULL, 10));
	return strcmp(copy, again) == 0;
}

static enum value_encoding encoding_of(const struct model_entry *model)
{
	if (model->edited)
		return VALUE_RAW;
	if (is_integer(model->value))
		return VALUE_INT;
	return model->value.len <= 44 ? VALUE_EMBSTR : VALUE_RAW;
}

static void compare(const struct world *world, const struct model_entry *model, unsigned key,
		    const struct entry *entry)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct slice value = entry_string(entry, scratch);
	struct bytes *outside = entry_bytes_or_null(entry);

	assert_true(model->present);
	assert_true(slice_equal(entry_key(entry), world->keys[key]));
	assert_int_equal(value.len, model->value.len);
	assert_true(slice_equal(value, model->value));
	assert_int_equal(entry_expire_ms(entry), model->expire_ms);
	assert_int_equal(entry_mark(entry), model->mark);
	assert_int_equal(entry_type(entry), VALUE_STRING);
	assert_int_equal(entry_encoding(entry), encoding_of(model));
	assert_int_equal(outside != NULL, value.len >= BYTES_LEN_MIN);
	assert_true(entry_size(entry) >= entry_key(entry).len + (value.len > 20 ? value.len : 0));
}

static void forget(struct model_entry *model)
{
	free((char *)(uintptr_t)model->value.data);
	*model = (struct model_entry){0};
}

static void on_change(void *arg, int db, struct entry *entry)
{
	struct world *world = arg;
	unsigned key = number_of(entry_key(entry));

	world->told++;
	compare(world, &world->model[db][key], key, entry);
}

static void on_loss(void *arg, int db, struct slice key, enum store_loss loss)
{
	struct world *world = arg;
	struct model_entry *model = &world->model[db][number_of(key)];

	assert_int_equal(loss, STORE_EXPIRED);
	assert_true(model->present);
	assert_false(alive(world, model));
	forget(model);
	world->lost++;
}

static struct slice some_text(struct world *world)
{
	static const size_t limits[] = {8, 50, 50, 200, 200, 200, 4200, LEN_MAX};
	size_t len = roll(world, limits[roll(world, 8)]);

	if (roll(world, 4) == 0)
		return (struct slice){world->text,
				      (size_t)snprintf(world->text, LEN_MAX, "%lld",
						       (long long)roll(world, 1000) - 500)};
	for (size_t i = 0; i < len; i++)
		world->text[i] = (char)('0' + (len * 7 + i) % 75);
	return (struct slice){world->text, len};
}

static uint64_t some_time(struct world *world)
{
	static const uint64_t spans[] = {3, 300, 10000, 1000000};
	uint64_t span = spans[roll(world, 4)];

	return world->now_ms - span / 10 + roll(world, span) + 1;
}

static void learn(struct model_entry *model, struct slice value, uint64_t expire_ms)
{
	char *copy = malloc(value.len + 1);

	memcpy(copy, value.data, value.len);
	free((char *)(uintptr_t)model->value.data);
	if (expire_ms != STORE_KEEP_EXPIRY)
		model->expire_ms = expire_ms;
	model->value = (struct slice){copy, value.len};
	model->present = true;
	model->edited = false;
}

/* --- operations --- */

static void set(struct world *world, int db, unsigned key)
{
	static const uint64_t kinds[] = {STORE_NEVER, STORE_NEVER, STORE_KEEP_EXPIRY};
	struct slice value = some_text(world);
	uint64_t kind = roll(world, 4), expire_ms = kind < 3 ? kinds[kind] : some_time(world);
	uint64_t told = world->told, how = roll(world, 3), now_ms = world->now_ms;
	struct model_entry *model = &world->model[db][key];
	bool there = model->present;
	struct bytes *bytes;
	struct entry *entry;

	if (how == 0 && is_integer(value)) {
		char text[32] = {0};

		memcpy(text, value.data, value.len);
		entry = store_set_integer_or_null(world->store, db, world->keys[key],
						  strtoll(text, NULL, 10), expire_ms, now_ms);
	} else if (how == 1) {
		bytes = bytes_create_or_null(value.len, value.len);
		memcpy(bytes->data, value.data, value.len);
		entry = store_set_bytes_or_null(world->store, db, world->keys[key], bytes,
						expire_ms, now_ms);
	} else {
		entry = store_set_or_null(world->store, db, world->keys[key], value, expire_ms,
					  now_ms);
	}
	assert_int_equal(world->told, told + there);
	learn(model, value, expire_ms);
	compare(world, model, key, entry);
}

static struct entry *find(struct world *world, int db, unsigned key)
{
	struct model_entry *model = &world->model[db][key];
	bool expected = alive(world, model);
	struct entry *entry =
		roll(world, 2)
			? store_find_or_null(world->store, db, world->keys[key], world->now_ms)
			: store_peek_or_null(world->store, db, world->keys[key], world->now_ms);

	assert_int_equal(entry != NULL, expected);
	if (entry)
		compare(world, model, key, entry);
	return entry;
}

/* A reply may hold the bytes meanwhile: they stay as they are. */
static void edit(struct world *world, int db, unsigned key)
{
	struct model_entry *model = &world->model[db][key];
	struct entry *entry = find(world, db, key);
	size_t len = model->value.len + roll(world, roll(world, 4) ? 60 : 6000);
	struct bytes *held = NULL;
	uint64_t told = world->told;
	char *data;

	if (!entry || len > 30000)
		return;
	if (entry_bytes_or_null(entry) && roll(world, 2))
		held = bytes_get(entry_bytes_or_null(entry));
	if (roll(world, 4) == 0)
		len = roll(world, len + 1);
	data = store_edit_or_null(world->store, db, &entry, len);
	assert_non_null(data);
	assert_int_equal(world->told, told + 1);
	for (size_t i = model->value.len; i < len; i++)
		assert_int_equal(data[i], 0);
	if (len)
		data[roll(world, len)] ^= 1;
	if (held)
		assert_true(slice_equal((struct slice){held->data, held->len}, model->value));
	bytes_put(held);
	learn(model, (struct slice){data, len}, STORE_KEEP_EXPIRY);
	model->edited = true;
	compare(world, model, key, entry);
}

static void change_expiry(struct world *world, int db, unsigned key)
{
	struct entry *entry = find(world, db, key);
	uint64_t expire_ms = roll(world, 4) ? some_time(world) : STORE_NEVER, told = world->told;

	if (!entry)
		return;
	assert_true(store_expire(world->store, db, entry, expire_ms));
	assert_int_equal(world->told, told + 1);
	world->model[db][key].expire_ms = expire_ms;
	find(world, db, key);
}

static void delete (struct world *world, int db, unsigned key)
{
	struct entry *entry = find(world, db, key);
	uint64_t told = world->told;

	if (!entry)
		return;
	store_remove(world->store, db, entry);
	assert_int_equal(world->told, told + 1);
	forget(&world->model[db][key]);
	assert_null(find(world, db, key));
}

static void move(struct world *world, int db, unsigned key)
{
	int to_db = (int)roll(world, DBS);
	unsigned to = roll(world, 2) ? key : (unsigned)roll(world, KEYS);
	struct model_entry *from = &world->model[db][key], *target = &world->model[to_db][to];
	struct entry *entry = find(world, db, key);
	uint64_t told = world->told, expected = from == target ? 0 : 1 + target->present;

	if (!entry)
		return;
	assert_true(store_move(world->store, db, entry, to_db, world->keys[to], world->now_ms));
	assert_int_equal(world->told, told + expected);
	if (from != target) {
		forget(target);
		*target = *from;
		*from = (struct model_entry){0};
	}
	find(world, to_db, to);
	find(world, db, key);
}

static void mark(struct world *world, int db, unsigned key)
{
	struct entry *entry = find(world, db, key);

	if (!entry)
		return;
	world->model[db][key].mark ^= 1;
	entry_set_mark(entry, world->model[db][key].mark);
	entry_touch(world->store, entry, world->now_ms);
}

static void visit(void *arg, struct entry *entry)
{
	struct world *world = arg;

	world->seen[number_of(entry_key(entry))]++;
}

static void check_all(struct world *world)
{
	struct store_figures figures;
	uint64_t keys = 0, told = world->told;

	for (int db = 0; db < DBS; db++) {
		uint64_t present = 0, armed = 0, cursor = 0;

		memset(world->seen, 0, sizeof(world->seen));
		do
			cursor = store_scan(world->store, db, cursor, visit, world);
		while (cursor);
		for (unsigned key = 0; key < KEYS; key++) {
			const struct model_entry *model = &world->model[db][key];

			assert_int_equal(world->seen[key], model->present);
			present += model->present;
			armed += model->present && model->expire_ms;
		}
		assert_int_equal(store_size(world->store, db), present);
		assert_int_equal(store_volatile_size(world->store, db), armed);
		keys += present;
		for (unsigned key = 0; key < KEYS; key += 3)
			find(world, db, key);
	}
	if (world->told == told) {
		store_figures(world->store, &figures);
		assert_int_equal(figures.keys, keys);
		assert_int_equal(figures.expired, world->lost);
		assert_true(figures.used_bytes <= figures.used_bytes_peak);
	}
}

static void pass_time(struct world *world)
{
	uint64_t how = roll(world, 40);

	world->now_ms += how < 30 ? roll(world, 3) : roll(world, 300);
	if (how == 39)
		world->now_ms -= roll(world, 20) ? roll(world, 400) : 100000;
	store_turn(world->store, world->now_ms, (unsigned)roll(world, 20));
}

static void wipe_or_swap(struct world *world)
{
	int a = (int)roll(world, DBS), b = (int)roll(world, DBS);

	store_swap(world->store, a, b);
	for (unsigned key = 0; key < KEYS; key++) {
		struct model_entry was = world->model[a][key];

		world->model[a][key] = world->model[b][key];
		world->model[b][key] = was;
	}
	if (roll(world, 2))
		return;
	store_clear(world->store, a);
	for (unsigned key = 0; key < KEYS; key++)
		forget(&world->model[a][key]);
}

/* The number of keys goes up and down, so that the tables grow and shrink. */
static void step(struct world *world, unsigned i)
{
	int db = (int)roll(world, DBS);
	unsigned key = (unsigned)roll(world, KEYS);
	uint64_t what = roll(world, 100), deletions = i / 10000 % 2 ? 40 : 8;

	if (what < 36)
		set(world, db, key);
	else if (what < 36 + deletions)
		delete (world, db, key);
	else if (what < 80)
		edit(world, db, key);
	else if (what < 85)
		move(world, db, key);
	else if (what < 90)
		change_expiry(world, db, key);
	else if (what < 92)
		mark(world, db, key);
	else if (what < 95)
		pass_time(world);
	else
		find(world, db, key);
	if (roll(world, 20000) == 0)
		wipe_or_swap(world);
	if (i % 7500 == 0)
		check_all(world);
}

static void run(uint64_t seed)
{
	static const struct store_config config = {.policy = STORE_ALLKEYS_LRU, .samples = 5};
	static const uint8_t hash_key[16] = "sixteen bytes so";
	struct world *world = calloc(1, sizeof(*world));
	struct store_events events = {.changes = on_change, .lost = on_loss, .arg = world};

	world->dice.state = seed;
	world->now_ms = 1700000000000;
	make_keys(world);
	world->store = store_create_or_null(&config, &events, hash_key);
	for (unsigned i = 0; i < OPERATIONS; i++)
		step(world, i);
	check_all(world);
	assert_true(world->lost > 100);
	store_destroy(world->store);
	for (int db = 0; db < DBS; db++)
		for (unsigned key = 0; key < KEYS; key++)
			forget(&world->model[db][key]);
	for (unsigned key = 0; key < KEYS; key++)
		free((char *)(uintptr_t)world->keys[key].data);
	free(world);
}

static uint64_t first_seed, end_seed;

static void with_each_seed_asked_for(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < end_seed; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run(seed);
	}
}

static void it_does_what_its_model_does(void **state)
{
	(void)state;
	run(1);
}

static void with_another_seed_too(void **state)
{
	(void)state;
	run(20261121);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_its_model_does),
		cmocka_unit_test(with_another_seed_too),
	};
	const struct CMUnitTest asked[] = {cmocka_unit_test(with_each_seed_asked_for)};

	if (argc < 2)
		return cmocka_run_group_tests(tests, NULL, NULL);
	first_seed = strtoull(argv[1], NULL, 10);
	end_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : first_seed + 1;
	return cmocka_run_group_tests(asked, NULL, NULL);
}
