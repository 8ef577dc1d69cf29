/*
 * Commands: what Redis calls them, what they may do, and how they run on one shard's data. The list
 * is commands.def, one line each; COMMAND INFO and DOCS are made of it.
 */
#ifndef KV_COMMAND_H
#define KV_COMMAND_H

#include "kv/out.h"
#include "kv/resp_in.h"
#include "kv/slice.h"
#include "kv/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Redis's command flags, as far as they mean something here. */
enum command_flag {
	COMMAND_WRITE = 1 << 0,
	COMMAND_READONLY = 1 << 1,
	COMMAND_DENYOOM = 1 << 2, /* refused when there is no room */
	COMMAND_ADMIN = 1 << 3,
	COMMAND_PUBSUB = 1 << 4, /* allowed while subscribed with RESP2 */
	COMMAND_FAST = 1 << 5,
	COMMAND_LOADING = 1 << 6,
	COMMAND_NO_AUTH = 1 << 7,  /* before AUTH, too */
	COMMAND_NO_MULTI = 1 << 8, /* refused inside MULTI */
	COMMAND_SESSION = 1 << 9,  /* about the connection: runs where the client is, at once */
	COMMAND_SKIP_SLOWLOG = 1 << 10,
	COMMAND_CONTAINER = 1 << 11, /* of subcommands; run is NULL */
	COMMAND_BRIEF = 1 << 12,     /* timed by samples, as those of COMMAND_FAST are */
};

/* In forward mode: whom it concerns, and how answers become one. */
enum command_spread {
	SPREAD_HERE, /* no key: the client's shard */
	SPREAD_KEYS, /* the owner of its keys; if those are several shards', under a hold of all */
	SPREAD_SUM,  /* each key by itself, integers added: DEL, EXISTS, TOUCH, UNLINK */
	SPREAD_MGET, /* each key by itself, answers in the order of the keys */
	SPREAD_MSET, /* pairs to their owners, OK when all are */
	SPREAD_ALL,  /* all shards, answers joined by join_answers(), see join.h */
	SPREAD_ALL_STEP, /* likewise, as one step for all clients: SWAPDB */
};

struct call;
struct session;

struct command {
	const char *name; /* lower case; "object|encoding" for a subcommand */
	int arity;	  /* Redis's: negative means at least */
	uint32_t flags;
	int first_key, last_key, key_step; /* Redis's; last_key may be negative */
	enum command_spread spread;
	void (*run)(struct call *call);
	const char *group, *since, *complexity, *summary; /* for COMMAND DOCS */
};

/* One command that runs on one shard. */
struct call {
	struct engine *engine;
	struct session *session; /* NULL: it runs for another shard, or is replayed */
	const struct command *command;
	int argc;
	const struct arg *argv; /* argv[0] is the name */
	struct out *out;
	int db;
	bool part; /* of a SPREAD_ALL command on several shards: it answers what join.h joins */
	/* A step of EXEC: whether there is room, and whether the log takes it, was asked before. */
	bool granted;
	/* Set by run: the data has changed. The call is logged as it was made, unless run wrote
	 * what is to be logged instead into log (as RESP requests), for SET with EX or
	 * INCRBYFLOAT. */
	bool changed;
	struct out *log;
	/* Set by engine_touched(): watchers were told. Else they are told of all keys of a call
	 * that has changed something. */
	bool touched;
};

/* A short name that somebody found, and what it means without a look at what follows; zero at
 * first. */
struct command_memo {
	const struct command *command; /* NULL: none yet */
	size_t len;
	char name[16];
};

/* Any case. NULL: unknown. For a container (OBJECT, CLIENT) the subcommand is looked up, too; the
 * container itself comes back if there is none. */
const struct command *command_find_or_null(int argc, const struct arg *argv);
/* Likewise, and sooner for a name that is spelled as the time before. */
const struct command *command_recall_or_null(struct command_memo *memo, int argc,
					     const struct arg *argv);
/* "object|encoding", any case. */
const struct command *command_by_name_or_null(struct slice name);
/* The error for what command_find_or_null() did not find. */
void command_unknown(int argc, const struct arg *argv, struct out *out);
/* Walks all of them, in the order of the list. */
const struct command *command_at_or_null(unsigned i);
unsigned command_index(const struct command *command); /* its i there */
unsigned command_count(void);
/* The command's own error for a wrong number of arguments, as Redis writes it; false: it has none.
 */
bool command_arity_wrong(const struct command *command, int argc, struct out *out);
/* How many keys, and the i-th one's index in argv. */
int command_key_count(const struct command *command, int argc);
int command_key_index(const struct command *command, int argc, int i);

#endif
