/*
 * How a command reaches the shard that owns its keys: runs it here, sends it away as an errand,
 * fans it out, or takes the shards that it concerns for one step; in cluster mode tells the client
 * where to go. One router a shard; its functions are that shard's thread's, but for init and fini.
 *
 *      session --- router_run() ---> engine_run()                          its keys are here
 *                       |----------> errand --- channel ---> the owner     and back into its place
 *                       `----------> hold: the owners in ascending order, the step, release
 *
 * What is promised, in forward mode:
 * - A command with its keys on one shard is atomic, and each key is linearizable: a write that was
 *   answered is seen by every command that any client sends afterwards.
 * - Commands of one connection that concern the same key run in the order in which they were sent,
 *   answers come in that order always. Commands of one pipeline on different shards may run side
 *   by side; who waits for an answer before sending the next command sees no difference.
 * - DEL, UNLINK, EXISTS, TOUCH, MGET and MSET are atomic on each shard, not across shards: another
 *   client may see a part of an MSET. MSET on a shard without room answers with its error, the
 *   other shards' keys are set. {tags} keep keys together, which makes them atomic.
 * - RENAME, RENAMENX, COPY, MSETNX, LCS and SWAPDB are one step over all shards that they concern:
 *   these are held, and run nothing else meanwhile.
 * - MULTI/EXEC is one step likewise, whatever it contains; so transactions are serializable, and
 *   WATCH sees changes on every shard up to the step. On one shard only it needs no hold.
 * - DBSIZE, KEYS, SCAN, RANDOMKEY, FLUSHDB, FLUSHALL and INFO ask all shards side by side, and are
 *   atomic on each. In EXEC they are part of the step.
 * - A shard that has ended (which only the end of the server does) answers with an error; whether
 *   its commands were carried out is not known then, as with a connection that breaks.
 * In cluster mode a command runs here or is refused: MOVED (another shard's slot), CROSSSLOT (keys
 * of several slots); commands without keys concern this node alone. PUBLISH goes to all.
 */
#ifndef KV_ROUTER_H
#define KV_ROUTER_H

#include "kv/command.h"
#include "kv/engine.h"

#include <demi/types.h>
#include <netinet/in.h>
#include <stdbool.h>

struct router;
struct session;

/* What the router asks of sessions, which it knows by pointer only. */
struct router_hooks {
	/* One more answer is owed to the session, which stays in memory (and its out with its
	 * places), until as many have come home. len bytes were copied or kept for it. */
	void (*owe)(struct session *session, size_t len);
	/* One has: it is in its place in the session's out, which may now be flushed; len as it was
	 * then. A stalled session goes on when nothing is owed to it any more. */
	void (*home)(struct session *session, size_t len);
	/* A command of COMMAND_SESSION that was queued in MULTI, to be run by the session now. */
	void (*run)(struct call *call);
	/* Our own address, as the session's client calls it. */
	struct in_addr (*address)(const struct session *session);
};

/* What the session does next. */
enum router_order {
	ROUTER_ON,    /* the next command; the call's memory may go */
	ROUTER_STALL, /* no command of this session may run before all that it is owed is home */
};

/* A command queued in MULTI. */
struct router_step {
	const struct command *command;
	int argc;
	const struct arg *argv;
	int db; /* as SELECTs before it in the transaction leave it */
};

/* What one connection watches, on all shards. Zeros: nothing. */
struct router_watches {
	struct anchor **anchors; /* of each shard */
};

/* --- a router's life --- */

/*
 * The engine outlives it and knows shard and shard_count. Before the shards start, or on the shard.
 * NULL: no memory.
 */
struct router *router_create_or_null(struct engine *engine, const struct router_hooks *hooks);
/* On the shard: opens the channels to the others. 0 or a positive errno. */
int router_open(struct router *router);
/*
 * On the shard, when its program is about to end, before its sessions are freed: closes the
 * channels. The hook `home` is called for every answer that is still owed; those stay empty.
 */
void router_close(struct router *router);
/* When no shard runs any more (another may be reading our errands until then). NULL: nothing. */
void router_destroy(struct router *router);

/* --- in the shard's loop --- */

/* True: the result was a channel's, and is dealt with (an sga in it, too). */
bool router_result(struct router *router, demi_qresult_t *result);
/* At the end of each turn, before sessions are flushed: sends off what was gathered for others.
 * True: something could not be sent and wants another turn soon. */
bool router_turn(struct router *router);

/* --- commands --- */

/*
 * Runs a command that is not COMMAND_SESSION, wherever its keys are; call is filled in as for
 * engine_run(), out being the session's own. The reply comes into call->out at once, or into a
 * place that is added now. argc, argv and what they point to are copied as far as they are needed
 * later.
 */
enum router_order router_run(struct router *router, struct call *call);
/* False: in cluster mode its keys are not this node's, which the error in call->out says. */
bool router_check(struct router *router, struct call *call);
/*
 * Whether a command may be said within MULTI; one that ends it always may. False: its keys are not
 * this node's, or it concerns this shard and there is no room, whatever the command does, as in
 * Redis; other shards are asked by EXEC. The error is in call->out, and the transaction is spoilt.
 */
bool router_may_queue(struct router *router, struct call *call);
/* Whatever a session asks for here is in this shard's own store. */
bool router_keys_here(const struct router *router);
/* WATCH; the reply comes as above. */
enum router_order router_watch(struct router *router, struct call *call,
			       struct router_watches *watches);
/* UNWATCH, DISCARD, the end of a session. Replies nothing. */
void router_unwatch(struct router *router, struct router_watches *watches);
/*
 * EXEC: all steps as one, or a null array if what is watched has changed; watches nothing
 * afterwards. If it returns ROUTER_STALL, steps and what they point to stay as they are until
 * `home`.
 */
enum router_order router_exec(struct router *router, struct call *call,
			      struct router_watches *watches, const struct router_step *steps,
			      int count);

#endif
