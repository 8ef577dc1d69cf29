/*
 * What goes out to a client, in order: a chain of blocks that text is copied into, of values by
 * reference, and of places that are filled in later (by another shard's answer). It is moved whole
 * in O(1), so that answers put together elsewhere join a connection's own. One thread at a time.
 */
#ifndef KV_OUT_H
#define KV_OUT_H

#include "kv/bytes.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { OUT_ERROR_CODE_LEN = 16 }; /* with its end; longer ones are cut */

enum out_kind { OUT_TEXT, OUT_BYTES, OUT_PLACE };

struct out_node;
STAILQ_HEAD(out_list, out_node);

struct out_node {
	STAILQ_ENTRY(out_node) link;
	enum out_kind kind;
	bool filled;	     /* a place: nothing will be added any more */
	size_t cap;	     /* of text */
	size_t taken, len;   /* of text and bytes: sent already, and in all; of a place: within */
	struct bytes *bytes; /* OUT_BYTES: a reference */
	struct out_list within; /* OUT_PLACE: what is to be sent there */
	char text[];
};

struct out {
	struct out_list nodes;
	size_t len;	 /* bytes not yet taken, what is in filled places among them */
	size_t room;	 /* what all nodes take, without values by reference */
	unsigned places; /* not filled */
	unsigned errors; /* error replies so far */
	char error_code[OUT_ERROR_CODE_LEN]; /* of the last of them: "ERR" */
	int resp;			     /* 2 or 3: how reply_*() writes */
	bool failed; /* no memory: what is sent is not whole, the connection must end */
};

void out_init(struct out *out, int resp);
void out_fini(struct out *out);
void out_add(struct out *out, struct slice text);
/* Takes a reference of its own. */
void out_add_bytes(struct out *out, struct bytes *bytes);
/* Where len bytes may be written at once, added already; NULL: failed. */
char *out_reserve_or_null(struct out *out, size_t len);
/* All of from comes behind out; from is empty then. Short texts are copied, all else is moved. */
void out_move(struct out *out, struct out *from);
/* Likewise the first len bytes of it, in which no place is; its errors stay with it. */
void out_move_some(struct out *out, struct out *from, size_t len);
/* A place that is filled later; until then nothing behind it can be taken. NULL: failed. */
struct out_node *out_add_place_or_null(struct out *out);
/*
 * What is to be sent in that place; from is empty then. out is where the place is now: where it
 * was added, or where that was moved to. All places in from are filled.
 */
void out_fill(struct out *out, struct out_node *place, struct out *from);
/* Copies up to len bytes that may be sent now; returns how many. */
size_t out_take(struct out *out, char *to, size_t len);
/* One small block is kept when all is taken; this gives it back, for who is idle. */
void out_trim(struct out *out);
/* As many as out_take() would give for an unlimited len. */
size_t out_ready(const struct out *out);

#endif
