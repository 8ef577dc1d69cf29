/*
 * One shard's commands that took long, newest first: bounded in number, and each in what it keeps
 * of its arguments. SLOWLOG reads it. One thread.
 */
#ifndef KV_SLOWLOG_H
#define KV_SLOWLOG_H

#include "kv/command.h"

#include <stdint.h>
#include <sys/queue.h>

enum {
	SLOWLOG_ARG_COUNT_MAX = 32,
	SLOWLOG_ARG_LEN_MAX = 128,
	SLOWLOG_PEER_LEN = 32,
	SLOWLOG_NAME_LEN = 64,
};

struct slowlog_entry {
	TAILQ_ENTRY(slowlog_entry) link;
	uint64_t id; /* grows; no other shard has it */
	uint64_t when_ms, us;
	char peer[SLOWLOG_PEER_LEN], name[SLOWLOG_NAME_LEN]; /* "": it came from another shard */
	int argc;
	struct slice argv[SLOWLOG_ARG_COUNT_MAX]; /* as they are shown: cut, if they were long */
};
TAILQ_HEAD(slowlog_list, slowlog_entry);

struct slowlog {
	struct slowlog_list entries;
	uint64_t count, next;
};

void slowlog_init(struct slowlog *slowlog);
void slowlog_fini(struct slowlog *slowlog);
/* If the settings say that it took long. No memory: it is not noted. */
void slowlog_note(struct slowlog *slowlog, const struct call *call, uint64_t us);
void slowlog_clear(struct slowlog *slowlog);

#endif
