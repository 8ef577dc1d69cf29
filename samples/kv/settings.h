/*
 * What CONFIG GET and SET know, by Redis's names: one line each in settings.def. Each shard has its
 * own copy; CONFIG SET goes to all.
 */
#ifndef KV_SETTINGS_H
#define KV_SETTINGS_H

#include "kv/resp_in.h"
#include "kv/store.h"

#include <stdint.h>

enum appendfsync { FSYNC_EVERYSEC, FSYNC_ALWAYS, FSYNC_NO };

enum kv_mode { KV_FORWARD, KV_CLUSTER };

struct settings {
	enum kv_mode mode;
	uint16_t port; /* cluster: shard i listens on port + i */
	char requirepass[512];
	struct store_config store; /* maxmemory is the shard's part */
	uint64_t maxmemory;	   /* of the whole program */
	struct resp_limits limits;
	uint32_t maxclients; /* of a shard */
	uint64_t timeout_s;  /* idle clients; 0: never */
	uint64_t slowlog_slower_us, slowlog_len_max;
	uint64_t latency_threshold_ms;
	bool appendonly;
	enum appendfsync appendfsync;
	char dir[512];
	uint32_t rewrite_percentage;
	uint64_t rewrite_len_min;
};

#endif
