/*
 * A command, or a question, that one shard gives to another. It is made by its home shard and stays
 * that shard's memory; whoever it was sent to only borrows it, fills in the answer and sends it
 * back. So nothing is lost or freed twice, whatever ends first: what is not back when the shards
 * have ended is still in its home's list.
 */
#ifndef KV_ERRAND_H
#define KV_ERRAND_H

#include "kv/command.h"
#include "kv/out.h"
#include "kv/resp_in.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	ERRAND_BLOCK_LEN = 640,	  /* errands up to this size are used again */
	ERRAND_SPARE_COUNT = 256, /* so many of them */
};

enum errand_task {
	ERRAND_RUN,	/* the command */
	ERRAND_EACH,	/* the command for each key by itself, one answer behind the other */
	ERRAND_HOLD,	/* run nothing but what is for `hold` from now on */
	ERRAND_RELEASE, /* run everything again */
	ERRAND_FETCH,	/* the value of a key, into value and expire_ms */
	ERRAND_WATCH,	/* the keys are watched by `anchor` */
	ERRAND_UNWATCH, /* `anchor` watches nothing any more */
};

struct anchor;
struct bring;
struct fan;
struct hold;
struct router;
struct session;
struct watching;

/* What a step is to do on a shard, which may refuse it. */
struct step_wish {
	uint32_t flags;	       /* COMMAND_* of its commands */
	bool exec;	       /* it is EXEC */
	struct anchor *anchor; /* what is watched there; NULL: nothing */
};

struct errand {
	/* --- its home's alone --- */
	TAILQ_ENTRY(errand) away; /* of those that are with the same peer */
	/* It is home, or lost. True: it is kept by who asked. */
	bool (*done)(struct router *router, struct errand *errand);
	bool lost;		 /* the other shard has ended: reply is not to be touched */
	uint32_t block_len;	 /* of its memory */
	size_t len;		 /* what it takes, with the arguments that it refers to */
	struct session *session; /* whose; NULL: nobody's */
	struct out *to;		 /* where the reply goes: */
	struct out_node *place;
	struct hold *step; /* of which it is a part, or NULL */
	struct fan *fan;   /* likewise */
	struct bring *bring;
	struct watching *watching;
	int index;     /* of the answer in fan or bring */
	void *baggage; /* freed with it */
	/* --- of the shard that has it --- */
	STAILQ_ENTRY(errand) link;
	uint64_t durable_at; /* of its log: until then the answer waits */
	/* --- not changed after it was sent --- */
	int home, at; /* shards */
	enum errand_task task;
	const void *hold; /* a name only, NULL: none */
	struct anchor *anchor;
	struct step_wish wish; /* ERRAND_HOLD */
	const struct command *command;
	bool part, granted; /* as in struct call */
	int db, argc;
	struct arg *argv; /* copies, or references */
	/* --- the answer --- */
	bool refused; /* ERRAND_HOLD: it is not, see reply; or what is watched has changed */
	struct out reply;
	int part_count;
	size_t *part_lens;   /* ERRAND_EACH: of the answer for each argument but the first */
	struct bytes *value; /* ERRAND_FETCH: a reference; NULL: there is no such key */
	uint64_t expire_ms;
};

STAILQ_HEAD(errand_queue, errand);

/* Memory of errands that came home, for the next ones. Zeros: none yet. One thread. */
struct errand_spares {
	void *first;
	unsigned count;
};

void errand_spares_free(struct errand_spares *spares);
/*
 * With copies of the arguments that pick names (count of them; NULL: the first count); long ones by
 * reference. part_count lengths, all 0. NULL: no memory.
 */
struct errand *errand_create_or_null(struct errand_spares *spares, enum errand_task task, int resp,
				     const struct arg *argv, const int *pick, int count,
				     int part_count);
/* spares may be NULL. errand NULL: nothing. */
void errand_destroy(struct errand_spares *spares, struct errand *errand);

#endif
