/*
 * INFO: what each shard counts, what all of them have counted together, and how it is printed.
 * With several shards a part of the answer is struct info_part and its counters, as they lie in
 * memory: it never leaves the process.
 */
#ifndef KV_INFO_H
#define KV_INFO_H

#include "kv/engine.h"
#include "kv/out.h"
#include "kv/store.h"

#include <stdint.h>
#include <stdio.h>

/* All of it adds up, but for what is said to be the largest. */
struct info_part {
	uint64_t keys[STORE_DB_COUNT], volatile_keys[STORE_DB_COUNT];
	uint64_t used_bytes, used_bytes_peak, expired, evicted, hits, misses;
	uint64_t commands, errors;
	uint64_t connected, received, rejected, received_bytes, sent_bytes;
	uint64_t out_limit_drops, query_limit_drops;
	uint64_t logs, logs_rewriting, logs_rewrite_failed, logs_write_failed, rewrites;
	uint64_t log_len, log_base_len, log_pending_len, fsyncs_delayed;
	uint64_t rewrite_s; /* the last one's, of the shard where it took longest */
	uint64_t loading;
	uint64_t commands_a_second, received_a_second, sent_a_second; /* of late */
};

/* A part, or the sum of all, with counters[3 * command_count()]: calls, failed, ns. */
struct info {
	struct info_part part;
	struct error_counts kinds; /* of errors */
	uint64_t *counters;
};

/* False: no memory. info_fini() in any case. */
bool info_init(struct info *info);
void info_fini(struct info *info);
void info_collect(struct info *info, const struct engine *engine);
void info_add(struct info *sum, const struct info *part);
/* As bytes, which are the part and its counters. False: they are none. */
size_t info_size(void);
void info_store(const struct info *info, char *to);
void info_load(struct info *info, const char *from);

/* The sections that a call of INFO asks for, for the engine of the client's shard. */
void info_print(FILE *file, const struct call *call, const struct info *info);

/* What the process takes of the machine's memory. */
uint64_t info_rss_bytes(void);

#endif
