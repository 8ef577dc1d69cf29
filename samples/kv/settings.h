/*
 * What CONFIG GET and SET know, by Redis's names: one line each in settings.def, with default,
 * range and when it may be changed. Each shard has its own copy; CONFIG SET goes to all, and each
 * engine puts what changed into force on its shard. Who reads a setting reads it when it matters,
 * and keeps no copy.
 *
 * At the start:
 *	settings_init(&settings);                          defaults
 *	settings_read_file(&settings, "kv.conf", error)    as redis.conf: a name and its value a
 *line settings_set(&settings, name, value, SETTINGS_START, error)   for each --name value
 *	settings_share(&settings, shard_count);            then a copy for each shard
 */
#ifndef KV_SETTINGS_H
#define KV_SETTINGS_H

#include "kv/resp_in.h"
#include "kv/slice.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

enum appendfsync { FSYNC_EVERYSEC, FSYNC_ALWAYS, FSYNC_NO };

enum kv_mode { KV_FORWARD, KV_CLUSTER };

/* A client that does not read is dropped when its replies take so much; 0: no limit. */
struct settings_out_limit {
	uint64_t hard, soft; /* bytes; soft: if it is passed for soft_s seconds on end */
	uint64_t soft_s;
};

enum settings_client { SETTINGS_NORMAL, SETTINGS_REPLICA, SETTINGS_PUBSUB, SETTINGS_CLIENT_COUNT };

struct settings {
	enum kv_mode mode; /* cluster-enabled */
	uint16_t port;	   /* cluster: shard i listens on port + i */
	char requirepass[512];
	struct store_config store; /* maxmemory is the shard's part: settings_share() */
	uint64_t maxmemory;	   /* of the whole program */
	struct resp_limits limits;
	uint32_t maxclients; /* of a shard */
	uint64_t timeout_s;  /* idle clients; 0: never */
	struct settings_out_limit out_limits[SETTINGS_CLIENT_COUNT];
	int64_t slowlog_slower_us; /* negative: nothing is noted */
	uint64_t slowlog_len_max;
	uint64_t latency_threshold_ms;
	bool active_expire; /* DEBUG SET-ACTIVE-EXPIRE: keys are removed without being asked for */
	bool appendonly;
	bool aof_load_truncated; /* a torn tail is cut; no: it ends the start */
	enum appendfsync appendfsync;
	char dir[512];
	char run_id[41]; /* of this start of the program: 40 hexadecimal digits */
	char file[512];	 /* that settings_read_file() read; "": none */
	uint32_t rewrite_percentage;
	uint64_t rewrite_len_min;
};

enum settings_when { SETTINGS_START, SETTINGS_RUNNING };

enum { SETTINGS_ERROR_LEN = 256, SETTINGS_VALUE_LEN = 768 };

void settings_init(struct settings *settings);
/* False: nothing is changed, and error says why in Redis's words, without "ERR". Any case. */
bool settings_set(struct settings *settings, struct slice name, struct slice value,
		  enum settings_when when, char error[SETTINGS_ERROR_LEN]);
/* Lines of "name value ...", quoted as in redis.conf; '#' begins a comment. error names the line.
 */
bool settings_read_file(struct settings *settings, const char *path,
			char error[SETTINGS_ERROR_LEN]);
/* store.maxmemory becomes one shard's part of maxmemory. */
void settings_share(struct settings *settings, int shard_count);

/* The i-th, in the order of settings.def; NULL: there is none. */
const char *settings_name_or_null(unsigned i);
/* Its value as CONFIG GET prints it, in text or elsewhere. */
struct slice settings_value(const struct settings *settings, unsigned i,
			    char text[SETTINGS_VALUE_LEN]);
/* Negative: unknown. */
int settings_index(struct slice name);
/* Why it may not be set now; NULL: it may. */
const char *settings_refusal_or_null(unsigned i, enum settings_when when);

#endif
