#include "kv/info.h"

#include "kv/aof.h"
#include "kv/heap.h"

#include <string.h>
#include <unistd.h>

static size_t counters_size(void)
{
	return 3 * (size_t)command_count() * sizeof(uint64_t);
}

bool info_init(struct info *info)
{
	*info = (struct info){.counters = heap_alloc_or_null(counters_size())};
	if (info->counters == NULL)
		return false;
	memset(info->counters, 0, counters_size());
	return true;
}

void info_fini(struct info *info)
{
	heap_free(info->counters);
	info->counters = NULL;
}

static void collect_log(struct info_part *part, const struct engine *engine)
{
	struct aof_figures log = {0};

	if (engine->aof == NULL || engine->log->figures == NULL)
		return;
	engine->log->figures(engine->aof, &log);
	part->logs = 1;
	part->logs_rewriting = log.rewrite_in_progress || log.rewrite_scheduled;
	part->logs_rewrite_failed = !log.last_rewrite_ok;
	part->logs_write_failed = !log.last_write_ok;
	part->rewrites = log.rewrites;
	part->log_len = log.current_len;
	part->log_base_len = log.base_len;
	part->log_pending_len = log.pending_len;
	part->fsyncs_delayed = log.fsyncs_delayed;
	part->rewrite_s = log.last_rewrite_s < 0 ? 0 : (uint64_t)log.last_rewrite_s;
}

static void collect_rates(struct info_part *part, const struct engine *engine)
{
	const struct engine_clients *clients = &engine->clients;
	struct rates_look rates =
		rates_tell(&engine->stats.rates,
			   &(struct rates_look){engine->now_ms, engine->stats.commands,
						clients->received_bytes, clients->sent_bytes});

	part->commands_a_second = rates.commands;
	part->received_a_second = rates.received_bytes;
	part->sent_a_second = rates.sent_bytes;
}

void info_collect(struct info *info, const struct engine *engine)
{
	const struct engine_clients *clients = &engine->clients;
	const size_t size = command_count() * sizeof(uint64_t);
	const struct store_figures *before = &engine->stats.store;
	struct info_part *part = &info->part;
	struct store_figures store;

	store_figures(engine->store, &store);
	*part = (struct info_part){
		.used_bytes = store.used_bytes,
		.used_bytes_peak = store.used_bytes_peak,
		.expired = store.expired - before->expired,
		.evicted = store.evicted - before->evicted,
		.hits = store.hits - before->hits,
		.misses = store.misses - before->misses,
		.commands = engine->stats.commands,
		.errors = engine->stats.errors,
		.connected = clients->connected,
		.received = clients->received,
		.rejected = clients->rejected,
		.received_bytes = clients->received_bytes,
		.sent_bytes = clients->sent_bytes,
		.out_limit_drops = clients->out_limit_drops,
		.query_limit_drops = clients->query_limit_drops,
		.loading = engine->loading,
	};
	for (int db = 0; db < STORE_DB_COUNT; db++) {
		part->keys[db] = store_size(engine->store, db);
		part->volatile_keys[db] = store_volatile_size(engine->store, db);
	}
	collect_log(part, engine);
	collect_rates(part, engine);
	info->kinds = engine->stats.kinds;
	memcpy(info->counters, engine->stats.calls, size);
	memcpy(info->counters + command_count(), engine->stats.failed, size);
	memcpy(info->counters + 2 * command_count(), engine->stats.ns, size);
}

void info_add(struct info *sum, const struct info *part)
{
	enum { WORDS = sizeof(struct info_part) / sizeof(uint64_t) };
	uint64_t sums[WORDS], more[WORDS];
	uint64_t rewrite_s = sum->part.rewrite_s > part->part.rewrite_s ? sum->part.rewrite_s
									: part->part.rewrite_s;

	memcpy(sums, &sum->part, sizeof(sums));
	memcpy(more, &part->part, sizeof(more));
	for (size_t i = 0; i < WORDS; i++)
		sums[i] += more[i];
	memcpy(&sum->part, sums, sizeof(sums));
	sum->part.rewrite_s = rewrite_s;
	for (int i = 0; i < ERROR_COUNTS_MAX && part->kinds.kinds[i].count != 0; i++)
		error_counts_add(&sum->kinds, part->kinds.kinds[i].code,
				 part->kinds.kinds[i].count);
	for (size_t i = 0; i < 3 * (size_t)command_count(); i++)
		sum->counters[i] += part->counters[i];
}

size_t info_size(void)
{
	return sizeof(struct info_part) + sizeof(struct error_counts) + counters_size();
}

void info_store(const struct info *info, char *to)
{
	memcpy(to, &info->part, sizeof(info->part));
	to += sizeof(info->part);
	memcpy(to, &info->kinds, sizeof(info->kinds));
	memcpy(to + sizeof(info->kinds), info->counters, counters_size());
}

void info_load(struct info *info, const char *from)
{
	memcpy(&info->part, from, sizeof(info->part));
	from += sizeof(info->part);
	memcpy(&info->kinds, from, sizeof(info->kinds));
	memcpy(info->counters, from + sizeof(info->kinds), counters_size());
}

uint64_t info_rss_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long size, pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &pages) != 2)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
