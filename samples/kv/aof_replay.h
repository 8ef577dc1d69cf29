/*
 * Reading a log again: a file is checked first, as a whole, so that nothing is carried out of one
 * that is corrupt, and then carried out. Nothing is known of what commands mean, but for SELECT,
 * MULTI and EXEC.
 */
#ifndef KV_AOF_REPLAY_H
#define KV_AOF_REPLAY_H

#include "kv/resp_in.h"

#include <stdbool.h>
#include <stdint.h>

struct aof_replay {
	int dir_fd, shard; /* shard: for what is said on stderr */
	/* Carries one request out, in argv until it returns. Not 0: it cannot, the replay ends. */
	int (*run)(void *arg, int db, int argc, const struct arg *argv);
	void *arg;
	uint64_t commands; /* so far */
};

struct aof_check {
	uint64_t len;	    /* of the file */
	uint64_t whole_len; /* up to the end of the last whole request or transaction */
	/* What is behind that is the beginning of something whole, or zeros, as a crash leaves it.
	 * Otherwise it is corrupt at bad_offset. */
	bool torn;
	uint64_t bad_offset;
	const char *problem; /* what is wrong there */
};

/* 0, and what the check says; or -errno: it could not be read, which is said on stderr. */
int aof_replay_check(const struct aof_replay *replay, const char *name, struct aof_check *check);
/* The first len bytes of a file that was checked. 0 or -errno, said on stderr. */
int aof_replay_run(struct aof_replay *replay, const char *name, uint64_t len);
/*
 * The files of a log in their order. Only the last one that holds anything may be torn: it is cut
 * then, durably, and that is said, if may_cut. lens: what each holds. 0 or -errno, said on stderr.
 */
int aof_replay_files(struct aof_replay *replay, const char *const *names, unsigned count,
		     bool may_cut, uint64_t *lens);

#endif
