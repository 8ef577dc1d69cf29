/*
 * One shard's server: its data, its listener, its clients, and the loop that serves them. Nothing
 * is shared with other shards' but what the router exchanges.
 */
#ifndef KV_SERVER_H
#define KV_SERVER_H

#include "kv/engine.h"
#include "kv/pubsub.h"
#include "kv/router.h"
#include "kv/session.h"
#include "kv/settings.h"
#include "qd_map.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define SERVER_REDIS_VERSION "7.0.15" /* whose commands and errors these are */

TAILQ_HEAD(session_list, session);
STAILQ_HEAD(session_queue, session);

struct server;

/* What a server of several asks of the program. */
struct server_hooks {
	/* It listens. */
	void (*ready)(struct server *server);
};

struct server {
	const struct server_hooks *hooks;
	struct engine engine;
	struct settings settings; /* its own copy */
	struct router *router;
	struct pubsub pubsub;
	struct qd_map map; /* of sessions */
	struct session_list sessions;
	struct session_queue unsettled;
	struct session_queue logging;	   /* whose answers wait for the log */
	struct resp_limits limits_strange; /* before AUTH */
	int listen_qd;
	unsigned accept_count;		    /* outstanding */
	unsigned session_count, push_count; /* push_count: outstanding, of all sessions */
	uint64_t next_id;
	uint64_t pause_end_ms; /* CLIENT PAUSE, wall clock; 0: none */
	bool pause_writes_only;
	bool starved; /* somebody waits for buffers that others hold */
	bool stuck;   /* the log does not keep up: nothing is run */
	bool hurry;   /* the router wants another turn soon */
	uint64_t store_turn_ms, store_due_ms, log_due_ns, look_due_ns, wall_due_ns;
};

/*
 * Serves on the calling shard until it is told to stop; 0 or a positive errno. settings are those
 * of a shard (settings_share()), and copied. What server holds before means nothing.
 */
int server_run(struct server *server, const struct settings *settings,
	       const struct server_hooks *hooks);
/* When no shard runs any more: other shards may look at what it sent them until then. */
void server_fini(struct server *server);

/* CLIENT PAUSE for so long from now on. One that lasts is made longer or stricter by it, not less.
 */
void server_pause(struct server *server, uint64_t length_ms, bool writes_only);
/* CLIENT UNPAUSE */
void server_unpause(struct server *server);

#endif
