/*
 * The types of the demi API, source and binary compatible with Demikernel 1.5.13: every struct is
 * packed, and the sizes below are part of the contract.
 */
#ifndef DEMI_TYPES_H
#define DEMI_TYPES_H

#include <demi/cc.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Segments that an sga may have. */
#define DEMI_SGARRAY_MAXSIZE 1

/*
 * Names an operation that was started and whose result nobody took yet. It belongs to the shard
 * that started it, and the wait that returns the result consumes it.
 */
typedef uint64_t demi_qtoken_t;

/* Accepted for Demikernel's sake and never called. */
typedef void (*demi_callback_t)(const char *name, uint32_t, uint64_t);

/* What demi_init() takes. argv is the program's own: nothing in it is interpreted. */
struct demi_args {
	int argc;
	char *const *argv;
	demi_callback_t callback;
} DEMI_PACKED;

/* A run of bytes. */
typedef struct demi_sgaseg {
	void *sgaseg_buf;
	uint32_t sgaseg_len; /* bytes */
} DEMI_PACKED demi_sgaseg_t;

/*
 * A scatter-gather array: a buffer of the shard's pool and the part of it that is meant. The
 * program may move sgaseg_buf forward and cut sgaseg_len before a push, as long as the segment
 * stays inside what was allocated or popped; sga_buf names the buffer and is to be left alone.
 */
typedef struct demi_sgarray {
	void *sga_buf;
	uint32_t sga_numsegs; /* 1; 0 in the empty sga that a failed demi_sgaalloc() returns */
	demi_sgaseg_t sga_segs[DEMI_SGARRAY_MAXSIZE];
	struct sockaddr_in sga_addr; /* sender of a datagram, else zero */
} DEMI_PACKED demi_sgarray_t;

typedef enum demi_opcode {
	DEMI_OPC_INVALID = 0,
	DEMI_OPC_PUSH,
	DEMI_OPC_POP,
	DEMI_OPC_ACCEPT,
	DEMI_OPC_CONNECT,
	DEMI_OPC_CLOSE,
	DEMI_OPC_FAILED
} demi_opcode_t;

typedef struct demi_accept_result {
	int32_t qd;		 /* the new connection's queue descriptor */
	struct sockaddr_in addr; /* its peer */
} DEMI_PACKED demi_accept_result_t;

/* How an operation ended. */
typedef struct demi_qresult {
	enum demi_opcode qr_opcode; /* what it was; DEMI_OPC_FAILED: it failed, see qr_ret */
	int32_t qr_qd;		    /* the queue on which it was started */
	demi_qtoken_t qr_qt;	    /* the token, consumed now */
	int64_t qr_ret;		    /* 0, or for DEMI_OPC_FAILED a positive errno */
	union {
		demi_sgarray_t sga;	   /* DEMI_OPC_POP: the program's, to be freed */
		demi_accept_result_t ares; /* DEMI_OPC_ACCEPT */
	} qr_value;
} DEMI_PACKED demi_qresult_t;

DEMI_SIZE_IS(struct demi_args, 20);
DEMI_SIZE_IS(demi_sgaseg_t, 12);
DEMI_SIZE_IS(demi_sgarray_t, 40);
DEMI_SIZE_IS(demi_accept_result_t, 20);
DEMI_SIZE_IS(demi_qresult_t, 64);

#ifdef __cplusplus
}
#endif

#endif
