/*
 * The key-value server in a simulated world: a host with as many shards as wanted, on which the
 * whole server runs as a program, and clients on other hosts. The server's clock is the world's.
 */
#ifndef TESTS_KV_WORLD_KV_H
#define TESTS_KV_WORLD_KV_H

#include "kv/settings.h"
#include "tests/sim/harness.h"

#include <stdbool.h>

enum { WORLD_SHARD_MAX = 4, WORLD_PORT = 6379 };

struct world {
	struct demi_sim *sim;
	int shards, server, client, link; /* nodes, and the wire between them */
	struct settings settings;
};

/* Its server runs from now on; the client's host has client_shards. */
void world_open(struct world *world, uint64_t seed, int shards, enum kv_mode mode,
		unsigned client_shards);
/* From now on each turn of a server's loop takes so long, so that much comes between two of them.
 */
void world_slow_down(uint64_t length_ns);
/* Likewise, on one shard only. */
void world_slow_shard_down(int shard, uint64_t length_ns);
/* Stops the server; everything must be given back. */
void world_close(struct world *world);

/* A connection, to be used by the shard that made it. */
struct wire {
	int qd;
	size_t len, used; /* of what has come: in all, and given out already */
	char text[64 * 1024];
};

/* To the server's port + offset. 0 or an errno. */
int wire_open(struct wire *wire, const struct world *world, int offset);
int wire_close(struct wire *wire);
int wire_send(struct wire *wire, const char *text, size_t len);
/* The next whole reply as it came, zero-terminated, valid until the next call; NULL: none came, the
 * connection has ended. */
const char *wire_reply_or_null(struct wire *wire);
/* Sends an inline command and returns its reply. */
const char *wire_ask_or_null(struct wire *wire, const char *command);

#endif
