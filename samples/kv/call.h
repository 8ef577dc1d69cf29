/* What the functions that run commands share: arguments as numbers and words, and the log. */
#ifndef KV_CALL_H
#define KV_CALL_H

#include "kv/command.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define CALL_NOT_AN_INTEGER "ERR value is not an integer or out of range"
#define CALL_SYNTAX_ERROR   "ERR syntax error"
#define CALL_NO_MEMORY	    "OOM command not allowed when used memory > 'maxmemory'."

/* Argument i, which must be there. */
static inline struct slice call_arg(const struct call *call, int i)
{
	return call->argv[i].text;
}

/* Argument i is this word, in any case; false if there is none, too. */
bool call_is(const struct call *call, int i, const char *word);
/* False: it is no int64_t, which the reply says. */
bool call_integer(const struct call *call, int i, int64_t *out);
/* A database's number. False: it is none, which the reply says. */
bool call_db(const struct call *call, int i, int *out);
/* There is a log: what run functions write to call->log is wanted. */
bool call_logged(const struct call *call);
/* Logs these words instead of the call, which has changed the data. */
void call_log(struct call *call, int count, const struct slice *words);
/* A status line for each line of a help text, which ends with NULL, below Redis's headline. */
void call_help(struct call *call, const char *name, const char *const *lines);

#endif
