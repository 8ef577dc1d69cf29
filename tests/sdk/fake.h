/*
 * Stands in for shard/ and for the handles of mem/: the SDK's own work can then be tested without a
 * device, an EAL or a stack. It remembers what it was called with and answers what it was told to.
 */
#ifndef TESTS_SDK_FAKE_H
#define TESTS_SDK_FAKE_H

#include "shard/runtime.h"
#include "shard/shard.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

enum { FAKE_RESULT_MAX = 400, FAKE_SHARD_MAX = 8 };

struct fake {
	/* what to answer */
	int rc;		 /* of the calls of shard.h, and of mem_handle_free() */
	int start_rc;	 /* of runtime_start() */
	int enter_rc;	 /* of runtime_enter(), on shard enter_fails */
	int enter_fails; /* -1: none */
	const char *why; /* of runtime_start() */
	unsigned missing;
	struct net_endpoint endpoint; /* of shard_local(), shard_remote() */
	struct shard_result results[FAKE_RESULT_MAX];
	int result_count;
	/* what was seen */
	unsigned calls;
	const char *call;
	int32_t qd;
	int number, level;
	struct net_endpoint address;
	bool with_address;
	const void *data;
	uint32_t len;
	uint64_t timeout_ns;
	unsigned rounds; /* of shard_wait_next_n() */
	struct runtime_config config;
	bool pinned[FAKE_SHARD_MAX];
	atomic_uint entered, left, stops, ends;
	struct net_flow flow;
};

extern struct fake fake;

/* Forgets all. */
void fake_reset(void);
/* Setup and teardown of a test that wants a world: as if there were no configuration. */
int fake_begin(void **state);
int fake_finish(void **state);
/* 10.99.0.2, port 7777 */
struct sockaddr_in fake_address(void);
static inline const struct sockaddr *fake_generic(const struct sockaddr_in *in)
{
	return (const struct sockaddr *)in;
}

#endif
