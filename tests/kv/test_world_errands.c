/* Errands between shards, in simulated worlds: both ways, full channels, shards that end. */
#include "kv/heap.h"
#include "kv/peers.h"
#include "tests/sim/harness.h"

enum { SHARD_MAX = 3 };

/* What one shard does: sends `want` errands to each other one, answers theirs. */
struct worker {
	struct peers peers;
	struct errand_spares spares;
	unsigned want, at_once;	  /* to each other; at once under way */
	unsigned stop_after;	  /* answers home, and it ends; 0: never before all is done */
	uint64_t sleep_ns;	  /* computes so long before its first turn */
	uint64_t pace_ns;	  /* and so long in each */
	unsigned sent[SHARD_MAX]; /* to each */
	unsigned home, lost, wrong, ended;
	unsigned arrived[SHARD_MAX]; /* from each, in order */
	bool linger;		     /* ends when it is told to only */
};

static struct worker workers[SHARD_MAX];
static unsigned shard_count;

static void arrived(void *arg, struct errand *errand)
{
	struct worker *worker = arg;
	unsigned number;

	memcpy(&number, errand->argv[1].text.data, sizeof(number));
	worker->wrong += number != worker->arrived[errand->home]++;
	out_add(&errand->reply, errand->argv[1].text);
	peers_answer(&worker->peers, errand);
}

static void home(void *arg, struct errand *errand)
{
	struct worker *worker = arg;
	unsigned number = 0;

	worker->home++;
	if (errand->lost) {
		worker->lost++;
	} else {
		out_take(&errand->reply, (char *)&number, sizeof(number));
		worker->wrong += number != (unsigned)errand->db;
	}
	if (!errand->lost || !worker->peers.closed)
		errand_destroy(&worker->spares, errand);
}

static void peer_ended(void *arg, int peer)
{
	struct worker *worker = arg;

	(void)peer;
	worker->ended++;
}

static unsigned sent_in_all(const struct worker *worker)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < shard_count; i++)
		sum += worker->sent[i];
	return sum;
}

static void send_some(struct worker *worker, unsigned self)
{
	for (unsigned to = 0; to < shard_count; to++) {
		while (to != self && worker->sent[to] < worker->want &&
		       sent_in_all(worker) - worker->home < worker->at_once) {
			unsigned number = worker->sent[to]++;
			const struct arg argv[2] = {{.text = SLICE("PING")},
						    {.text = {(char *)&number, sizeof(number)}}};
			struct errand *errand = errand_create_or_null(&worker->spares, ERRAND_RUN,
								      2, argv, NULL, 2, 0);

			errand->db = (int)number;
			peers_send(&worker->peers, errand, (int)to);
		}
	}
}

static bool finished(const struct worker *worker)
{
	const unsigned all = worker->want * (shard_count - 1);

	if (worker->stop_after)
		return worker->home >= worker->stop_after;
	if (worker->linger || worker->home < all)
		return false;
	for (unsigned i = 0; i < shard_count; i++)
		if (&workers[i] != worker && workers[i].home < all && workers[i].linger == 0 &&
		    workers[i].stop_after == 0)
			return false; /* they still want answers */
	return true;
}

static int work(void *arg)
{
	struct demi_sim *world = arg;
	const int self = demi_shard_self();
	struct worker *worker = &workers[self];
	const struct timespec ms = {0, MS};
	int count, error = peers_open(&worker->peers);
	demi_qresult_t results[16];

	if (worker->sleep_ns)
		demi_sim_advance(world, worker->sleep_ns);
	while (!error && !finished(worker)) {
		if (worker->pace_ns)
			demi_sim_advance(world, worker->pace_ns);
		send_some(worker, (unsigned)self);
		peers_turn(&worker->peers);
		error = demi_wait_next_n(results, 1, &count, &ms);
		for (int i = 0; i < count; i++)
			peers_result(&worker->peers, &results[i]);
		if (error == ETIMEDOUT)
			error = 0;
	}
	peers_close(&worker->peers);
	return error == ECANCELED ? 0 : error;
}

/* --- worlds --- */

static struct demi_sim *world_new(uint64_t seed, unsigned shards, unsigned want, unsigned at_once,
				  int *host)
{
	const struct demi_sim_host_options options = {.size = sizeof(options), .shards = shards};
	struct demi_sim *world;

	assert_int_equal(demi_sim_create(&world, seed), 0);
	assert_int_equal(demi_sim_host(world, &options, host), 0);
	shard_count = shards;
	for (unsigned i = 0; i < shards; i++) {
		const struct peers_events events = {arrived, home, peer_ended, &workers[i]};

		workers[i] = (struct worker){.want = want, .at_once = at_once};
		assert_int_equal(peers_init(&workers[i].peers, (int)i, (int)shards, &events), 0);
	}
	return world;
}

static void world_end(struct demi_sim *world)
{
	assert_int_equal(demi_sim_destroy(world), 0); /* every buffer is back */
	for (unsigned i = 0; i < shard_count; i++) {
		peers_fini(&workers[i].peers);
		errand_spares_free(&workers[i].spares);
		assert_int_equal(workers[i].wrong, 0);
		assert_int_equal(workers[i].home, sent_in_all(&workers[i]));
	}
}

static void all_are_answered(struct demi_sim *world, int host)
{
	assert_int_equal(demi_sim_program(world, host, -1, work, world), 0);
	assert_int_equal(demi_sim_run(world, 10 * SEC), 0);
	for (unsigned i = 0; i < shard_count; i++) {
		assert_int_equal(workers[i].lost, 0);
		assert_int_equal(workers[i].home, workers[i].want * (shard_count - 1));
	}
	world_end(world);
}

static void each_shard_answers_the_other_in_order(void **state)
{
	int host;
	struct demi_sim *world = world_new(1, 2, 4000, 100, &host);

	(void)state;
	all_are_answered(world, host);
}

static void three_shards_answer_each_other(void **state)
{
	int host;
	struct demi_sim *world = world_new(2, 3, 1000, 64, &host);

	(void)state;
	all_are_answered(world, host);
}

static void a_full_channel_loses_nothing(void **state)
{
	int host;
	struct demi_sim *world = world_new(3, 2, 8000, 8000, &host);

	(void)state;
	workers[1].sleep_ns = 100 * MS;
	all_are_answered(world, host);
}

static void without_buffers_errands_wait(void **state)
{
	struct demi_sim_buffers had = {.size = sizeof(had)};
	int host;
	struct demi_sim *world = world_new(4, 2, 1000, 200, &host);

	(void)state;
	assert_int_equal(demi_sim_buffers(world, host, 0, &had), 0);
	for (int pool = 0; pool < 3; pool++)
		assert_int_equal(demi_sim_squeeze(world, host, 0, pool, had.total[pool]), 0);
	assert_int_equal(demi_sim_program(world, host, -1, work, world), 0);
	assert_int_equal(demi_sim_advance(world, 100 * MS), 0);
	assert_int_equal(workers[0].home, 0);
	for (int pool = 0; pool < 3; pool++)
		assert_int_equal(demi_sim_squeeze(world, host, 0, pool, 0), 0);
	assert_int_equal(demi_sim_run(world, 10 * SEC), 0);
	assert_int_equal(workers[0].home, 1000);
	assert_int_equal(workers[1].home, 1000);
	world_end(world);
}

static void what_a_shard_that_ended_owes_is_told_as_lost(void **state)
{
	int host;
	struct demi_sim *world = world_new(5, 3, 5000, 500, &host);

	(void)state;
	workers[1].stop_after = 700;
	assert_int_equal(demi_sim_program(world, host, -1, work, world), 0);
	assert_int_equal(demi_sim_run(world, 10 * SEC), 0);
	assert_in_range(workers[1].home, 700, 1700);
	for (int i = 0; i < 3; i += 2) {
		assert_int_equal(workers[i].home, 10000);
		assert_in_range(workers[i].lost, 1, 5000);
		assert_in_range(workers[i].ended, 1, 2);
	}
	world_end(world);
}

static void all_that_is_under_way_when_all_stop_is_freed(void **state)
{
	unsigned under_way = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		int host;
		struct demi_sim *world = world_new(seed, 3, 1000000, 300, &host);

		assert_int_equal(demi_sim_program(world, host, -1, work, world), 0);
		for (unsigned i = 0; i < 3; i++)
			workers[i].pace_ns = 100 + 150 * ((seed + i) % 3);
		workers[seed % 3].sleep_ns = seed % 2 ? 5000 : 0;
		assert_int_equal(demi_sim_advance(world, seed * 1777), 0);
		assert_int_equal(demi_sim_stop(world, host), 0);
		assert_int_equal(demi_sim_run(world, SEC), 0);
		under_way += workers[0].lost + workers[1].lost + workers[2].lost;
		world_end(world);
	}
	assert_in_range(under_way, 100, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_shard_answers_the_other_in_order),
		cmocka_unit_test(three_shards_answer_each_other),
		cmocka_unit_test(a_full_channel_loses_nothing),
		cmocka_unit_test(without_buffers_errands_wait),
		cmocka_unit_test(what_a_shard_that_ended_owes_is_told_as_lost),
		cmocka_unit_test(all_that_is_under_way_when_all_stop_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
