/*
 * A shard: one thread with its own queue pair on every port, packet pools, stack and scheduler.
 * These are the Demikernel calls in Clowder's own terms; sdk/ checks arguments and turns -errno
 * into errno. All calls but the _mt ones are for the shard's own thread. qds and tokens carry the
 * shard's number; a foreign one gives -EBADF or -EINVAL.
 */
#ifndef SHARD_SHARD_H
#define SHARD_SHARD_H

#include "net/addr.h"
#include "net/tcp.h"

#include <stdbool.h>
#include <stdint.h>

struct shard;

#define SHARD_FOREVER UINT64_MAX

enum shard_opcode { /* the numbers of enum demi_opcode */
		    SHARD_OP_INVALID,
		    SHARD_OP_PUSH,
		    SHARD_OP_POP,
		    SHARD_OP_ACCEPT,
		    SHARD_OP_CONNECT,
		    SHARD_OP_CLOSE,
		    SHARD_OP_FAILED,
};

struct shard_result {
	enum shard_opcode opcode; /* FAILED: error says why */
	int32_t qd;
	uint64_t token;
	int error; /* positive errno */
	union {
		struct {
			struct rte_mbuf *handle; /* the program's now; NULL at end of stream */
			void *data;
			uint32_t len;
			struct net_endpoint from; /* UDP */
		} pop;
		struct {
			int32_t qd;
			struct net_endpoint peer;
		} accept;
	};
};

uint16_t shard_index(const struct shard *shard);
struct mem *shard_mem(struct shard *shard);

/* --- queues --- */
enum shard_socket_type { SHARD_STREAM, SHARD_DGRAM };
int shard_socket(struct shard *shard, enum shard_socket_type type, int32_t *qd); /* -EMFILE */
int shard_bind(struct shard *shard, int32_t qd, const struct net_endpoint *local);
int shard_listen(struct shard *shard, int32_t qd, int backlog);
int shard_accept(struct shard *shard, int32_t qd, uint64_t *token);
int shard_connect(struct shard *shard, int32_t qd, const struct net_endpoint *remote,
		  uint64_t *token);
/* The handle was checked with mem_handle_check(). dest: UDP, else NULL. */
int shard_push(struct shard *shard, int32_t qd, struct rte_mbuf *handle, const void *data,
	       uint32_t len, const struct net_endpoint *dest, uint64_t *token);
int shard_pop(struct shard *shard, int32_t qd, uint64_t *token);
int shard_shutdown(struct shard *shard, int32_t qd, unsigned how); /* enum tcp_shutdown */
int shard_close(struct shard *shard, int32_t qd);
int shard_close_async(struct shard *shard, int32_t qd, uint64_t *token);
int shard_option_set(struct shard *shard, int32_t qd, int level, int name, const void *value,
		     uint32_t len);
int shard_option_get(struct shard *shard, int32_t qd, int level, int name, void *value,
		     uint32_t *len);
int shard_local(struct shard *shard, int32_t qd, struct net_endpoint *out);
int shard_remote(struct shard *shard, int32_t qd,
		 struct net_endpoint *out); /* -ENOTCONN; -ENOTSUP: UDP */
/* A queue to another shard (-EINVAL: itself, or no such shard; -EADDRINUSE: it is open already). */
int shard_channel(struct shard *shard, int peer, int32_t *qd);

/* --- waiting: runs the loop until the answer is there --- */
/* 0, -ETIMEDOUT, -EINVAL (unknown or consumed token), -ECANCELED (runtime_stop_mt). timeout_ns 0
 * turns the loop once. */
int shard_wait(struct shard *shard, uint64_t token, uint64_t timeout_ns, struct shard_result *out);
int shard_wait_any(struct shard *shard, const uint64_t tokens[], int count, uint64_t timeout_ns,
		   struct shard_result *out, int *offset);
/* Up to count results; *done says how many, at -ETIMEDOUT too. */
int shard_wait_next_n(struct shard *shard, int count, uint64_t timeout_ns, struct shard_result *out,
		      int *done);

#endif
