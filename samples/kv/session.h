/*
 * A client's connection: what it asked is parsed and run in order, what is answered goes out in
 * order. One pop is outstanding, and nothing is read or run while the client does not take what it
 * is sent, so that it costs bounded memory whatever it does.
 *
 * While the server runs, sessions are closed by session_settle() alone, at the end of a turn:
 * inside of a command a session can be told to end, and stays. One that is owed answers from
 * elsewhere is freed when the last of them has come home.
 */
#ifndef KV_SESSION_H
#define KV_SESSION_H

#include "kv/command.h"
#include "kv/out.h"
#include "kv/resp_in.h"
#include "kv/router.h"
#include "kv/subscriber.h"
#include "kv/transaction.h"

#include <demi/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct server;

enum {
	SESSION_PUSH_MAX = 64,	       /* outstanding, */
	SESSION_PUSH_LEN = 256 * 1024, /* and so many bytes, or one push more than that */
	SESSION_OUT_HIGH = 128 * 1024, /* with so much to be sent nothing more is run */
	SESSION_HOLD_MAX = 1024,       /* with so many answers to come nothing more is run, */
	SESSION_HOLD_LEN = 1 << 20,    /* or with so much kept to ask for them */
	SESSION_NAME_MAX = 1024,       /* of CLIENT SETNAME and SETINFO */
	SESSION_REFUSED_MAX = 64,      /* clients too many that are told so, at once */
	SESSION_END_S = 10, /* so long after the last that was sent its end is waited for */
};

enum session_end {
	SESSION_GOES_ON,
	SESSION_ENDS,	/* reads no more; closed when all is sent and acknowledged */
	SESSION_KILLED, /* closed when it settles */
};

enum session_reply { REPLY_ON, REPLY_OFF, REPLY_SKIP_NEXT, REPLY_SKIP };

struct session {
	struct server *server;
	TAILQ_ENTRY(session) link; /* of all */
	STAILQ_ENTRY(session) unsettled_link;
	STAILQ_ENTRY(session) logging_link;
	bool unsettled, logging;
	enum session_end end;
	unsigned holds;	 /* answers under way */
	size_t hold_len; /* what was kept to ask for them */
	bool stalled;	 /* runs nothing before all have come */
	int qd;		 /* -1: closed */
	int db;
	bool authenticated;
	bool popping;  /* pop_qt is outstanding */
	bool fed;      /* in still has bytes of popped_sga */
	bool parsed;   /* in has a command that has not been run */
	bool foreseen; /* and next_hash is its key's */
	bool held;     /* held_sga found no room in the send queue */
	bool no_evict, no_touch;
	enum session_reply reply;
	unsigned push_first, push_count;
	demi_qtoken_t pop_qt, push_qts[SESSION_PUSH_MAX]; /* pushes end in order */
	uint16_t push_lens[SESSION_PUSH_MAX];
	size_t push_len; /* the sum of those outstanding */
	demi_sgarray_t popped_sga, held_sga;
	struct resp_in in;
	struct out out;
	struct out muted; /* what CLIENT REPLY OFF or SKIP keeps from the client */
	struct transaction transaction;
	struct router_watches watches;
	struct subscriber subscriber;
	const struct command *next; /* what in has; NULL: there is none of that name */
	const struct command *last; /* NULL: none yet */
	struct command_memo memo;
	uint64_t next_hash;
	uint64_t id, opened_ns, active_ns, end_ns, soft_limit_ns;
	uint64_t log_end; /* what is in out may be sent when the log is durable up to here */
	struct sockaddr_in peer, local;
	char *name, *lib_name, *lib_version; /* NULL: none */
};

/* A connection was accepted; closed if there is no memory for it. */
void session_open(struct server *server, int qd, struct sockaddr_in peer);
/* What came of an operation on its queue. */
void session_result(struct session *session, demi_qresult_t *result);
/* Before it is settled, and in turns with others: the next command is parsed, and the memory that
 * it will look at is asked for; then what that memory points to. */
void session_foresee(struct session *session);
void session_fetch(const struct session *session);
/* Runs what can be run, sends what can be sent, pops, or closes and frees it. */
void session_settle(struct session *session);
/* To be settled at the end of this turn. */
void session_unsettle(struct session *session);
/* Something was published to it; cut off, if it does not read and this is too much. */
void session_told(struct session *session);
/* Reads no more, and is closed when all that it is owed is sent. */
void session_finish(struct session *session);
/* Is closed as soon as it settles. */
void session_kill(struct session *session);
/* Likewise, with an RST: what was pushed is forgotten. */
void session_cut_off(struct session *session);
/* It has authenticated itself, or not any more. */
void session_trust(struct session *session, bool authenticated);
/* The server ends: closed and freed now; nobody holds it. */
void session_drop(struct session *session);
/* Now and then: what it has waited for too long, or has too much of. */
void session_look(struct session *session);

/* router_hooks: an answer for it is under way somewhere: until then it is not freed, though it may
 * close; and it has come. */
void session_owe(struct session *session, size_t len);
void session_home(struct session *session, size_t len);
struct in_addr session_address(const struct session *session);

#endif
