/*
 * What keys cost in a store: memory over the payload, by the kernel's count and by the store's own,
 * and time, with the longest that any single call took. Keys of 16 bytes, values of 32. Calls per
 * second are by the thread's CPU clock, and what other programs took of the CPU during a long call
 * is subtracted by it.
 *   bench_keys [keys [expiring keys]]      10,000,000 and 1,000,000
 */
#include "histogram.h"
#include "kv/dice.h"
#include "kv/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	KEY_LEN = 16,
	VALUE_LEN = 32,
	TURN_WORK = 200,
	WINDOW_CALLS = 1024, /* the CPU clock is read after so many, and after a long call */
	LONG_NS = 10000,
	LIFE_MS = 60000,
};

struct bench {
	struct store *store;
	struct dice dice;
	uint64_t keys, expiring, now_ms;
	struct histogram calls;
	uint64_t window_wall_ns, window_cpu_ns, begin_ns;
};

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t rss(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	uint64_t resident = 0;

	if (file && fscanf(file, "%*u %" SCNu64, &resident) != 1)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- timing --- */

static void window_begin(struct bench *bench)
{
	bench->window_wall_ns = read_ns(CLOCK_MONOTONIC);
	bench->window_cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void phase_begin(struct bench *bench)
{
	memset(&bench->calls, 0, sizeof(bench->calls));
	window_begin(bench);
	bench->begin_ns = bench->window_cpu_ns;
}

/* The call that began then has ended now. */
static void call_end(struct bench *bench, uint64_t call_begin_ns)
{
	uint64_t wall_ns = read_ns(CLOCK_MONOTONIC), ns = wall_ns - call_begin_ns, stolen_ns;

	if (ns >= LONG_NS) {
		stolen_ns = (wall_ns - bench->window_wall_ns) -
			    (read_ns(CLOCK_THREAD_CPUTIME_ID) - bench->window_cpu_ns);
		if ((int64_t)stolen_ns > 0)
			ns -= stolen_ns < ns ? stolen_ns : ns;
	}
	histogram_add(&bench->calls, ns);
	if (ns >= LONG_NS || bench->calls.count % WINDOW_CALLS == 0)
		window_begin(bench);
}

static void phase_end(struct bench *bench, const char *name)
{
	const struct histogram *calls = &bench->calls;
	double s = (double)(read_ns(CLOCK_THREAD_CPUTIME_ID) - bench->begin_ns) / 1e9;

	printf("%-26s %10" PRIu64 " calls %6.2f M/s   us: p50 %.2f p99 %.2f p99.99 %.2f max %.2f\n",
	       name, calls->count, (double)calls->count / s / 1e6,
	       (double)histogram_quantile(calls, 0.5) / 1e3,
	       (double)histogram_quantile(calls, 0.99) / 1e3,
	       (double)histogram_quantile(calls, 0.9999) / 1e3, (double)calls->max / 1e3);
	fflush(stdout);
}

/* --- what is measured --- */

static struct slice key_of(uint64_t i, char to[KEY_LEN])
{
	memcpy(to, "key:000000000000", KEY_LEN);
	for (int at = KEY_LEN - 1; i; at--, i /= 10)
		to[at] = (char)('0' + i % 10);
	return (struct slice){to, KEY_LEN};
}

static const struct slice value = (struct slice){"a value of thirty-two characters", VALUE_LEN};

static void set(struct bench *bench, int db, uint64_t i, uint64_t expire_ms)
{
	char key[KEY_LEN];
	struct slice name = key_of(i, key);
	uint64_t begin_ns = read_ns(CLOCK_MONOTONIC);

	if (!store_set_or_null(bench->store, db, name, value, expire_ms, bench->now_ms)) {
		fprintf(stderr, "bench_keys: out of memory at key %" PRIu64 "\n", i);
		exit(1);
	}
	call_end(bench, begin_ns);
}

static void turn(struct bench *bench)
{
	uint64_t begin_ns = read_ns(CLOCK_MONOTONIC);

	store_turn(bench->store, bench->now_ms, TURN_WORK);
	call_end(bench, begin_ns);
}

static void fill(struct bench *bench)
{
	uint64_t before = rss(), payload = bench->keys * (KEY_LEN + VALUE_LEN), after;
	struct store_figures figures;

	phase_begin(bench);
	for (uint64_t i = 0; i < bench->keys; i++)
		set(bench, 0, i, STORE_NEVER);
	phase_end(bench, "SET of new keys");
	after = rss() - before;
	store_figures(bench->store, &figures);
	printf("bytes a key over the payload of %d: %.1f by RSS, %.1f by used_bytes\n",
	       KEY_LEN + VALUE_LEN, (double)(after - payload) / (double)bench->keys,
	       (double)(figures.used_bytes - payload) / (double)bench->keys);
}

static void look_up(struct bench *bench)
{
	char key[KEY_LEN];

	phase_begin(bench);
	for (uint64_t n = bench->keys / 2; n; n--) {
		struct slice name = key_of(dice_below(&bench->dice, bench->keys), key);
		uint64_t begin_ns = read_ns(CLOCK_MONOTONIC);

		if (!store_find_or_null(bench->store, 0, name, bench->now_ms))
			exit(1);
		call_end(bench, begin_ns);
	}
	phase_end(bench, "GET of a random key");
	phase_begin(bench);
	for (uint64_t n = bench->keys / 2; n; n--)
		set(bench, 0, dice_below(&bench->dice, bench->keys), STORE_NEVER);
	phase_end(bench, "SET of a random key");
}

/* All expire within a minute of virtual time, a turn each millisecond of it. */
static void expire(struct bench *bench)
{
	uint64_t n = 0;

	phase_begin(bench);
	for (uint64_t i = 0; i < bench->expiring; i++)
		set(bench, 1, i, bench->now_ms + 1 + dice_below(&bench->dice, LIFE_MS));
	phase_end(bench, "SET with an expiry");
	phase_begin(bench);
	for (; store_size(bench->store, 1) && n < 2 * LIFE_MS; n++) {
		bench->now_ms++;
		turn(bench);
	}
	phase_end(bench, "store_turn() expiring");
	printf("%" PRIu64 " keys expired in %" PRIu64 " ms of virtual time\n", bench->expiring, n);
}

static void expire_at_once(struct bench *bench)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < bench->expiring; i++)
		set(bench, 1, i, bench->now_ms + LIFE_MS);
	phase_begin(bench);
	bench->now_ms += LIFE_MS;
	for (; store_size(bench->store, 1); n++)
		turn(bench);
	phase_end(bench, "likewise, all in one ms");
}

static void delete_half(struct bench *bench)
{
	char key[KEY_LEN];

	phase_begin(bench);
	for (uint64_t i = 0; i < bench->keys; i += 2) {
		struct slice name = key_of(i, key);
		uint64_t begin_ns = read_ns(CLOCK_MONOTONIC);

		store_remove(bench->store, 0,
			     store_peek_or_null(bench->store, 0, name, bench->now_ms));
		call_end(bench, begin_ns);
	}
	phase_end(bench, "DEL of every other key");
}

static void clear(struct bench *bench)
{
	struct store_figures figures;
	uint64_t begin_ns;

	phase_begin(bench);
	begin_ns = read_ns(CLOCK_MONOTONIC);
	store_clear(bench->store, 0);
	call_end(bench, begin_ns);
	phase_end(bench, "FLUSHDB of the rest");
	phase_begin(bench);
	for (uint64_t wake = 0; wake <= bench->now_ms;) {
		begin_ns = read_ns(CLOCK_MONOTONIC);
		wake = store_turn(bench->store, bench->now_ms, TURN_WORK);
		call_end(bench, begin_ns);
	}
	phase_end(bench, "store_turn() freeing");
	store_figures(bench->store, &figures);
	printf("then used_bytes %" PRIu64 "\n", figures.used_bytes);
}

int main(int argc, char **argv)
{
	static const struct store_config config = {.policy = STORE_ALLKEYS_LRU, .samples = 5};
	static const uint8_t seed[16] = "bench_keys";
	static struct bench bench = {.keys = 10000000, .expiring = 1000000};

	if (argc > 1)
		bench.keys = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		bench.expiring = strtoull(argv[2], NULL, 10);
	bench.now_ms = UINT64_C(1700000000000);
	bench.store = store_create_or_null(&config, NULL, seed);
	if (!bench.store || bench.keys < 2)
		return 1;
	fill(&bench);
	look_up(&bench);
	expire(&bench);
	expire_at_once(&bench);
	delete_half(&bench);
	clear(&bench);
	store_destroy(bench.store);
	return 0;
}
