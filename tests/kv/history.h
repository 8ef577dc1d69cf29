/*
 * What clients did to one key, and when; and whether there is an order of it in which each had the
 * answer that it got, and none comes before one that had ended when it began (linearizability; the
 * search is Wing and Gong's, with Lowe's memory of where it has been).
 */
#ifndef TESTS_KV_HISTORY_H
#define TESTS_KV_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

enum { HISTORY_OP_MAX = 64 };

#define HISTORY_NONE INT64_MIN /* no value */

enum op_kind {
	OP_GET,	   /* told: the value */
	OP_SET,	   /* gave */
	OP_SETNX,  /* gave; told: 1 if it was set */
	OP_GETSET, /* gave; told: the value before */
	OP_INCR,   /* told: the value afterwards */
	OP_DEL,	   /* told: 1 if there was one */
	OP_CAS,	   /* gave if the value was told: EXEC after WATCH and GET, when it went through */
};

struct op {
	enum op_kind kind;
	int client;
	int64_t gave, told;
	uint64_t begun_ns, ended_ns;
};

struct history {
	unsigned count;
	struct op ops[HISTORY_OP_MAX];
};

/* The key begins without a value. */
bool history_is_linearizable(const struct history *history);
void history_print(const struct history *history);

#endif
