/*
 * What the router's files share. errand.h and peers.h carry; here is who asks for what.
 *
 *      router.c .... life, the loop, commands for one shard
 *      serve.c ..... what this shard does for errands, its own and others'; being held
 *      fan.c ....... one command for several shards side by side
 *      hold.c ...... one step on several shards: holds them, EXEC
 *      bring.c ..... a command whose keys lie on several held shards
 *      anchor.c .... WATCH
 *      cluster.c ... who has which slot, in cluster mode
 */
#ifndef KV_ROUTER_STATE_H
#define KV_ROUTER_STATE_H

#include "kv/peers.h"
#include "kv/router.h"

struct hold;

struct router {
	struct engine *engine;
	struct router_hooks hooks;
	struct peers peers;
	struct errand_spares spares;
	/* What this shard is held for; a name. NULL: it is not. */
	const void *held_by;
	int held_home;
	bool refusing;		     /* the step: nothing of it runs */
	struct errand_queue waiting; /* what came meanwhile, and what came behind that */
	struct errand_queue unsafe;  /* answered, but the log is not yet durable up to there */
	struct errand_queue home;    /* of ours for this very shard, answered */
};

/* --- router.c --- */

/*
 * A command, wherever its keys are: the answer goes to call->out. step NULL: for the session, else
 * a part of that step, whose shards are held.
 */
enum router_order router_route(struct router *router, struct call *call, struct hold *step);
/* For a session, all keys being this shard's, which is not held. */
void router_here(struct router *router, struct call *call);
/* Sends an errand of ours to a shard, this one among them. */
void router_send(struct router *router, struct errand *errand, int to);
/* Gives it its place in call->out and sends it. errand may be NULL: there was no memory. */
void router_ask(struct router *router, struct call *call, struct hold *step, struct errand *errand,
		int to);
/* An answer that was owed to the session, with len, or to the step, is in its place. */
void router_settle(struct router *router, struct session *session, struct hold *step, size_t len);
/* An errand of ours is home, or lost. */
void router_home(void *router, struct errand *errand);
/* The shard that owns a key; the i-th key of a command. */
int router_owner_of(const struct router *router, struct slice key);
int router_owner(const struct router *router, const struct call *call, int i);
/* Puts "no memory", or "that shard has ended", where an answer should be. */
void router_no_memory(struct out *out);
void router_lost(struct out *out);

/* --- serve.c --- */

/* Nothing may run here at once: this shard is held, or others wait already. */
static inline bool router_busy(const struct router *router)
{
	return router->held_by || !STAILQ_EMPTY(&router->waiting);
}

/* An errand for this shard, ours or another's. */
void serve_arrived(void *router, struct errand *errand);
/* True: the step may not run here; out says why. */
bool serve_refuses(struct router *router, const struct step_wish *wish, struct out *out);
/* Once a turn. */
void serve_turn(struct router *router);
/* The shard has ended: what it held here goes on. */
void serve_ended(void *router, int peer);
/* This shard ends: whoever waits, waits in vain. */
void serve_close(struct router *router);

/* --- fan.c --- */

/* Its keys are on several shards, or all are to be asked. */
void fan_start(struct router *router, struct call *call, struct hold *step);

/* --- hold.c --- */

enum { HOLD_SHARD_MAX = 64 };

/* The command as one step over the owners of its keys, or over all shards. */
enum router_order hold_start(struct router *router, struct call *call);
/* One more answer is owed to the step. */
void hold_owe(struct hold *hold);
/* One has come. */
void hold_settle(struct router *router, struct hold *hold);

/* --- bring.c --- */

/*
 * Runs the command of a step whose keys are on several shards, all of them held, and no other part
 * of the step under way. What call points to stays until the step has its answer.
 */
void bring_start(struct router *router, struct call *call, struct hold *step);

#endif
