/* The sections of INFO, in Redis's order and by its names, so that what reads one reads the other.
 */
#include "kv/info.h"

#include "kv/call.h"
#include "kv/heap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { SIZE_TEXT_LEN = 32 };

struct section {
	const char *name, *title;
	bool in_default;
	void (*print)(FILE *file, const struct engine *engine, const struct info *info);
};

static void number(FILE *file, const char *name, uint64_t value)
{
	fprintf(file, "%s:%" PRIu64 "\r\n", name, value);
}

static void word(FILE *file, const char *name, const char *value)
{
	fprintf(file, "%s:%s\r\n", name, value);
}

/* Twice: as bytes, and as people read it. */
static void size(FILE *file, const char *name, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	number(file, name, bytes);
	while (value >= 1024 && units[unit + 1] != 0) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		fprintf(file, "%s_human:%" PRIu64 "B\r\n", name, bytes);
	else
		fprintf(file, "%s_human:%.2f%c\r\n", name, value, units[unit]);
}

static void print_server(FILE *file, const struct engine *engine, const struct info *info)
{
	const struct settings *settings = engine->settings;
	bool cluster = settings->mode == KV_CLUSTER;
	/* A clock that went back may be before the start. */
	uint64_t uptime_s = engine->now_ms < engine->started_ms
				    ? 0
				    : (engine->now_ms - engine->started_ms) / 1000;
	struct utsname os;

	(void)info;
	if (uname(&os) != 0)
		os = (struct utsname){.sysname = "unknown"};
	/* Clients decide by it which commands to use: it is the version that these are those of. */
	word(file, "redis_version", "7.0.15");
	word(file, "redis_git_sha1", "00000000");
	word(file, "redis_git_dirty", "0");
	word(file, "redis_build_id", "0");
	word(file, "redis_mode", cluster ? "cluster" : "standalone");
	fprintf(file, "os:%s %s %s\r\n", os.sysname, os.release, os.machine);
	word(file, "arch_bits", "64");
	word(file, "monotonic_clock", "POSIX clock_gettime");
	word(file, "multiplexing_api", "clowder");
	number(file, "process_id", (uint64_t)getpid());
	word(file, "process_supervised", "no");
	word(file, "run_id", settings->run_id);
	number(file, "tcp_port", settings->port + (cluster ? (unsigned)engine->shard : 0));
	number(file, "server_time_usec", engine->now_ms * 1000);
	number(file, "uptime_in_seconds", uptime_s);
	number(file, "uptime_in_days", uptime_s / 86400);
	number(file, "lru_clock", engine->now_ms / 1000 % (1 << 24));
	word(file, "config_file", settings->file);
	number(file, "shards", (uint64_t)engine->shard_count);
}

static void print_clients(FILE *file, const struct engine *engine, const struct info *info)
{
	number(file, "connected_clients", info->part.connected);
	number(file, "cluster_connections", 0);
	number(file, "maxclients",
	       (uint64_t)engine->settings->maxclients *
		       (engine->settings->mode == KV_CLUSTER ? 1 : (unsigned)engine->shard_count));
	number(file, "blocked_clients", 0);
	number(file, "tracking_clients", 0);
}

static void print_memory(FILE *file, const struct engine *engine, const struct info *info)
{
	const struct info_part *part = &info->part;
	uint64_t rss = info_rss_bytes(), peak = part->used_bytes_peak;
	uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	char policy[SETTINGS_VALUE_LEN];
	struct slice policy_name = settings_value(
		engine->settings, (unsigned)settings_index(SLICE("maxmemory-policy")), policy);

	size(file, "used_memory", part->used_bytes);
	size(file, "used_memory_rss", rss);
	size(file, "used_memory_peak", peak);
	fprintf(file, "used_memory_peak_perc:%.2f%%\r\n",
		peak == 0 ? 0 : (double)part->used_bytes * 100 / (double)peak);
	size(file, "total_system_memory", total);
	number(file, "used_memory_lua", 0);
	number(file, "used_memory_scripts", 0);
	number(file, "number_of_cached_scripts", 0);
	size(file, "maxmemory", engine->settings->maxmemory);
	fprintf(file, "maxmemory_policy:%.*s\r\n", (int)policy_name.len, policy_name.data);
	fprintf(file, "mem_fragmentation_ratio:%.2f\r\n",
		part->used_bytes == 0 ? 0 : (double)rss / (double)part->used_bytes);
	number(file, "mem_aof_buffer", part->log_pending_len);
	word(file, "mem_allocator", heap_name());
	number(file, "active_defrag_running", 0);
	number(file, "lazyfree_pending_objects", 0);
}

static void print_persistence(FILE *file, const struct engine *engine, const struct info *info)
{
	const struct info_part *part = &info->part;

	number(file, "loading", part->loading != 0);
	number(file, "async_loading", 0);
	number(file, "rdb_changes_since_last_save", 0);
	number(file, "rdb_bgsave_in_progress", 0);
	number(file, "rdb_last_save_time", engine->started_ms / 1000);
	word(file, "rdb_last_bgsave_status", "ok");
	word(file, "rdb_last_bgsave_time_sec", "-1");
	word(file, "rdb_current_bgsave_time_sec", "-1");
	number(file, "aof_enabled", part->logs != 0);
	number(file, "aof_rewrite_in_progress", part->logs_rewriting != 0);
	number(file, "aof_rewrite_scheduled", 0);
	if (part->rewrites == 0)
		word(file, "aof_last_rewrite_time_sec", "-1");
	else
		number(file, "aof_last_rewrite_time_sec", part->rewrite_s);
	word(file, "aof_current_rewrite_time_sec", "-1");
	word(file, "aof_last_bgrewrite_status", part->logs_rewrite_failed == 0 ? "ok" : "err");
	number(file, "aof_rewrites", part->rewrites);
	word(file, "aof_last_write_status", part->logs_write_failed == 0 ? "ok" : "err");
	if (part->logs == 0)
		return;
	number(file, "aof_current_size", part->log_len);
	number(file, "aof_base_size", part->log_base_len);
	number(file, "aof_buffer_length", part->log_pending_len);
	number(file, "aof_delayed_fsync", part->fsyncs_delayed);
}

static void print_stats(FILE *file, const struct engine *engine, const struct info *info)
{
	const struct info_part *part = &info->part;

	(void)engine;
	number(file, "total_connections_received", part->received);
	number(file, "total_commands_processed", part->commands);
	number(file, "instantaneous_ops_per_sec", part->commands_a_second);
	number(file, "total_net_input_bytes", part->received_bytes);
	number(file, "total_net_output_bytes", part->sent_bytes);
	fprintf(file, "instantaneous_input_kbps:%.2f\r\n", (double)part->received_a_second / 1024);
	fprintf(file, "instantaneous_output_kbps:%.2f\r\n", (double)part->sent_a_second / 1024);
	number(file, "rejected_connections", part->rejected);
	number(file, "sync_full", 0);
	number(file, "sync_partial_ok", 0);
	number(file, "sync_partial_err", 0);
	number(file, "expired_keys", part->expired);
	number(file, "evicted_keys", part->evicted);
	number(file, "keyspace_hits", part->hits);
	number(file, "keyspace_misses", part->misses);
	number(file, "latest_fork_usec", 0);
	number(file, "total_forks", 0);
	number(file, "total_error_replies", part->errors);
	number(file, "client_query_buffer_limit_disconnections", part->query_limit_drops);
	number(file, "client_output_buffer_limit_disconnections", part->out_limit_drops);
}

static void print_replication(FILE *file, const struct engine *engine, const struct info *info)
{
	(void)info;
	word(file, "role", "master");
	number(file, "connected_slaves", 0);
	word(file, "master_failover_state", "no-failover");
	word(file, "master_replid", engine->settings->run_id);
	word(file, "master_replid2", "0000000000000000000000000000000000000000");
	number(file, "master_repl_offset", 0);
	word(file, "second_repl_offset", "-1");
	number(file, "repl_backlog_active", 0);
	number(file, "repl_backlog_size", 0);
	number(file, "repl_backlog_first_byte_offset", 0);
	number(file, "repl_backlog_histlen", 0);
}

static void print_cpu(FILE *file, const struct engine *engine, const struct info *info)
{
	struct rusage usage;

	(void)engine;
	(void)info;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	fprintf(file, "used_cpu_sys:%ld.%06ld\r\n", usage.ru_stime.tv_sec, usage.ru_stime.tv_usec);
	fprintf(file, "used_cpu_user:%ld.%06ld\r\n", usage.ru_utime.tv_sec, usage.ru_utime.tv_usec);
	word(file, "used_cpu_sys_children", "0.000000");
	word(file, "used_cpu_user_children", "0.000000");
}

static void print_commandstats(FILE *file, const struct engine *engine, const struct info *info)
{
	const uint64_t *calls = info->counters, *failed = calls + command_count(),
		       *ns = failed + command_count();

	(void)engine;
	for (unsigned i = 0; i < command_count(); i++) {
		if (calls[i] == 0)
			continue;
		fprintf(file,
			"cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
			",usec_per_call=%.2f,rejected_calls=0,failed_calls=%" PRIu64 "\r\n",
			command_at_or_null(i)->name, calls[i], ns[i] / 1000,
			(double)ns[i] / 1000 / (double)calls[i], failed[i]);
	}
}

static void print_errorstats(FILE *file, const struct engine *engine, const struct info *info)
{
	const struct error_count *kinds = info->kinds.kinds;

	(void)engine;
	for (int i = 0; i < ERROR_COUNTS_MAX && kinds[i].count != 0; i++)
		fprintf(file, "errorstat_%s:count=%" PRIu64 "\r\n", kinds[i].code, kinds[i].count);
}

static void print_nothing(FILE *file, const struct engine *engine, const struct info *info)
{
	(void)file;
	(void)engine;
	(void)info;
}

static void print_cluster(FILE *file, const struct engine *engine, const struct info *info)
{
	(void)info;
	number(file, "cluster_enabled", engine->settings->mode == KV_CLUSTER);
}

static void print_keyspace(FILE *file, const struct engine *engine, const struct info *info)
{
	(void)engine;
	for (int db = 0; db < STORE_DB_COUNT; db++)
		if (info->part.keys[db] != 0)
			fprintf(file, "db%d:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0\r\n", db,
				info->part.keys[db], info->part.volatile_keys[db]);
}

static const struct section sections[] = {
	{"server", "Server", true, print_server},
	{"clients", "Clients", true, print_clients},
	{"memory", "Memory", true, print_memory},
	{"persistence", "Persistence", true, print_persistence},
	{"stats", "Stats", true, print_stats},
	{"replication", "Replication", true, print_replication},
	{"cpu", "CPU", true, print_cpu},
	{"modules", "Modules", true, print_nothing},
	{"commandstats", "Commandstats", false, print_commandstats},
	{"errorstats", "Errorstats", true, print_errorstats},
	{"cluster", "Cluster", true, print_cluster},
	{"keyspace", "Keyspace", true, print_keyspace},
};

static bool asked_for(const struct call *call, const struct section *section)
{
	if (call->argc == 1)
		return section->in_default;
	for (int i = 1; i < call->argc; i++)
		if (call_is(call, i, section->name) || call_is(call, i, "all") ||
		    call_is(call, i, "everything") ||
		    (section->in_default && call_is(call, i, "default")))
			return true;
	return false;
}

void info_print(FILE *file, const struct call *call, const struct info *info)
{
	bool first = true;

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!asked_for(call, &sections[i]))
			continue;
		fprintf(file, "%s# %s\r\n", first ? "" : "\r\n", sections[i].title);
		sections[i].print(file, call->engine, info);
		first = false;
	}
}
