/*
 * Queue descriptors: {shard, slot} in a positive int32_t, behind each a queue of one kind, and a
 * table of operations per kind. A slot that was freed is used again last, so that a program which
 * still holds results of a closed queue does not take them for another's.
 */
#ifndef SHARD_QUEUE_H
#define SHARD_QUEUE_H

#include "net/tcp.h"
#include "shard/token.h"

#include <sys/queue.h>

struct queue;

/* What a kind of queue can do; NULL: -EOPNOTSUPP. An operation that returns 0 has taken over op and
 * will complete it, perhaps at once; else op is the caller's again. */
struct queue_ops {
	const char *name;
	bool addressed; /* a push may name a destination */
	int (*bind)(struct shard *shard, struct queue *queue, const struct net_endpoint *local);
	int (*listen)(struct shard *shard, struct queue *queue, int backlog);
	int (*accept)(struct shard *shard, struct queue *queue, struct op *op);
	int (*connect)(struct shard *shard, struct queue *queue, struct op *op,
		       const struct net_endpoint *remote);
	int (*push)(struct shard *shard, struct queue *queue, struct op *op);
	int (*pop)(struct shard *shard, struct queue *queue, struct op *op);
	int (*shutdown)(struct shard *shard, struct queue *queue, unsigned how);
	/* The program lets go: every pending token of the queue completes -ECANCELED. With op,
	 * which completes once the peer has everything, pushes go on. Ends with queue_put(),
	 * perhaps later. */
	void (*close)(struct shard *shard, struct queue *queue, struct op *op);
	/* How long close() shall hold the caller (SO_LINGER); NULL: not at all. */
	uint64_t (*linger_ns)(struct shard *shard, struct queue *queue);
	int (*option_set)(struct shard *shard, struct queue *queue, int level, int name,
			  const void *value, uint32_t len);
	int (*option_get)(struct shard *shard, struct queue *queue, int level, int name,
			  void *value, uint32_t *len);
	int (*local)(struct shard *shard, struct queue *queue, struct net_endpoint *out);
	int (*remote)(struct shard *shard, struct queue *queue, struct net_endpoint *out);
	/* Something happened below, or queue_retry() asked: look at everything. */
	void (*ready)(struct shard *shard, struct queue *queue);
	/* The shard ends: frees what is left of a closed queue, without a word to anyone. */
	void (*abandon)(struct shard *shard, struct queue *queue);
};

enum tcp_queue_state { TCPQ_NEW, TCPQ_LISTENING, TCPQ_CONNECTING, TCPQ_CONNECTED };

struct queue_tcp {
	enum tcp_queue_state state;
	bool bound;
	bool fin_waiting; /* shut down for writing, behind pushes that wait */
	int error;	  /* of the connection attempt that failed, for SO_ERROR */
	struct net_endpoint local;
	TAILQ_ENTRY(queue) bound_link;
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	struct tcp_options options; /* until there is a connection, and of a listener */
};

struct queue {
	const struct queue_ops *ops; /* NULL: free */
	int32_t qd;
	bool closed;		 /* the program let go, the rest happens behind the scenes */
	bool retried;		 /* on the retry list */
	TAILQ_ENTRY(queue) link; /* free */
	TAILQ_ENTRY(queue) retry_link;
	struct op_list takes;	/* pops or accepts, oldest first */
	struct op_list waiting; /* pushes for which there was no room below */
	struct op_list sent;	/* pushes on their way */
	struct op *opening, *closing;
	union {
		struct queue_tcp tcp;
		struct udp_sock *udp;
		uint16_t peer; /* of a channel */
	};
};

TAILQ_HEAD(queue_list, queue);

struct queues {
	struct queue *slots;
	uint32_t count, used;
	uint8_t shard;
	struct queue_list free, retry, bound;
};

enum { QUEUE_SLOT_MAX = (1 << 24) - 1 };

extern const struct queue_ops queue_ops_tcp, queue_ops_udp, queue_ops_channel;

int queues_init(struct queues *queues, uint8_t shard, uint32_t count); /* -EINVAL, -ENOMEM */
void queues_fini(struct queues *queues);

/* NULL: queue_max queues are open. */
struct queue *queue_open_or_null(struct queues *queues, const struct queue_ops *ops);
/* An open queue of this shard that the program may still use, or NULL. */
struct queue *queue_find_or_null(const struct queues *queues, int32_t qd);
/* The slot is free again; no operation may be left. */
void queue_put(struct queues *queues, struct queue *queue);
/* ready() is called in the next turn even if nothing happens below. */
void queue_retry(struct queues *queues, struct queue *queue);
void queue_unretry(struct queues *queues, struct queue *queue);

/* Completes every operation on the list. */
void queue_fail(struct shard *shard, struct op_list *list, int error);
/* A push has to wait: it holds the buffer by itself until push_release(). False: as many do so with
 * this buffer as can be counted. */
bool push_hold(struct op *op);
void push_release(struct op *op);
/* The token ends with -ECANCELED, the push goes on without it. False: no slot for that, the push is
 * gone. */
bool push_detach(struct shard *shard, struct op *op);

#endif
