/* A directory for logs, and an engine on one of them, for unit tests. */
#ifndef TESTS_KV_LOG_PLACE_H
#define TESTS_KV_LOG_PLACE_H

#include "kv/aof.h"
#include "kv/engine.h"

#include <stdint.h>

enum { LOG_PLACE_NOW_MS = 1000000 };

struct log_place {
	char path[64];
	int fd, stderr_fd;
	struct settings settings;
	struct aof_dir *dir; /* NULL: not open */
	struct engine engine;
	uint64_t (*clock_ns)(void); /* the engine's; NULL: none */
	char reply[4096];
};

/* Empty. What is said on stderr is not seen, until it is gone. */
void log_place_make(struct log_place *place);
void log_place_remove(struct log_place *place);
/* For cmocka: a place is each test's state; the disk is a real one unless the test arms the other.
 */
int log_place_setup(void **state);
int log_place_teardown(void **state);
/* A log for one of so many shards; 0 or -errno. */
int log_place_open(struct log_place *place, int shard, int shard_count);
/* In order. */
void log_place_close(struct log_place *place);
/* As a process that is killed: what is on the disk stays as it is. */
void log_place_crash(struct log_place *place);
/* A command by its words, in a database; its reply. */
const char *log_place_say(struct log_place *place, int db, const char *line);
/* Turns until nothing is under way. */
void log_place_settle(struct log_place *place);
/* What the store holds: the same for the same keys, values and expiries; that of two stores with
 * different keys is the sum. */
uint64_t log_place_digest(struct log_place *place);

uint64_t log_place_file_len(struct log_place *place, const char *name);

#endif
