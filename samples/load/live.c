/* The live table's thread. It shares counters of one writer each with the shards, and sleeps. */
#include "load/clock.h"
#include "load/report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct live {
	struct run *run;
	FILE *out;
	uint64_t period_ns;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop_asked;
	bool stop;
	unsigned epoch, line_count;
	uint64_t since_ns; /* of this step: what came until then was printed */
	uint64_t asked, answered;
	struct histogram before[RUN_SHARD_MAX], last;
};

static uint64_t load(const uint64_t *number)
{
	return __atomic_load_n(number, __ATOMIC_RELAXED);
}

/* ns: since the line before. */
static void print(struct live *live, double seconds, double ns, uint64_t asked, uint64_t answered,
		  uint64_t faults)
{
	const struct histogram *last = &live->last;

	if (live->line_count++ % 20 == 0)
		fprintf(live->out, "%6s %10s %10s %9s %9s %9s %9s %9s   (us, this interval)\n", "s",
			"asked/s", "answered/s", "in flight", "p50", "p99", "max", "errors");
	fprintf(live->out, "%6.0f %10.0f %10.0f %9lld %9.1f %9.1f %9.1f %9llu\n", seconds,
		(double)(asked - live->asked) * 1e9 / ns,
		(double)(answered - live->answered) * 1e9 / ns, (long long)(asked - answered),
		(double)histogram_quantile(last, 0.5) / 1e3,
		(double)histogram_quantile(last, 0.99) / 1e3, (double)last->max / 1e3,
		(unsigned long long)faults);
}

/* What came since the last look. A step that has just begun has nothing to compare with. */
static void look(struct live *live)
{
	const unsigned epoch = run_epoch(live->run);
	const struct step *step = &live->run->step;
	uint64_t asked = 0, answered = 0, faults = 0, now_ns = clock_ns();

	if (epoch == 0 || live->run->over || now_ns <= step->start_ns)
		return;
	if (epoch != live->epoch) {
		live->epoch = epoch;
		live->asked = live->answered = 0;
		live->since_ns = step->start_ns;
		memset(live->before, 0, sizeof(live->before));
	}
	memset(&live->last, 0, sizeof(live->last));
	for (unsigned i = 0; i < live->run->shard_count; i++) {
		const struct results *results = live->run->results[i];

		asked += load(&results->asked);
		answered += load(&results->answered);
		for (unsigned k = 0; k < FAULT_COUNT; k++)
			faults += load(&results->faults[k]);
		histogram_merge_since(&live->last, &results->latency, &live->before[i]);
	}
	print(live, (double)(now_ns - step->start_ns) / 1e9, (double)(now_ns - live->since_ns),
	      asked, answered, faults);
	live->since_ns = now_ns;
	live->asked = asked;
	live->answered = answered;
}

static void *live_main(void *arg)
{
	struct live *live = arg;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	pthread_mutex_lock(&live->lock);
	while (!live->stop) {
		const uint64_t ns = (uint64_t)until.tv_nsec + live->period_ns;

		until.tv_sec += (time_t)(ns / 1000000000u);
		until.tv_nsec = (long)(ns % 1000000000u);
		while (!live->stop &&
		       !pthread_cond_timedwait(&live->stop_asked, &live->lock, &until))
			;
		if (!live->stop)
			look(live);
	}
	pthread_mutex_unlock(&live->lock);
	return NULL;
}

struct live *live_start_or_null(struct run *run, uint64_t period_ns, FILE *out)
{
	struct live *live = period_ns ? calloc(1, sizeof(*live)) : NULL;

	if (!live)
		return NULL;
	live->run = run;
	live->period_ns = period_ns;
	live->out = out;
	pthread_mutex_init(&live->lock, NULL);
	pthread_cond_init(&live->stop_asked, NULL);
	if (pthread_create(&live->thread, NULL, live_main, live)) {
		free(live);
		return NULL;
	}
	return live;
}

void live_stop(struct live *live)
{
	if (!live)
		return;
	pthread_mutex_lock(&live->lock);
	live->stop = true;
	pthread_cond_signal(&live->stop_asked);
	pthread_mutex_unlock(&live->lock);
	pthread_join(live->thread, NULL);
	pthread_mutex_destroy(&live->lock);
	pthread_cond_destroy(&live->stop_asked);
	free(live);
}
