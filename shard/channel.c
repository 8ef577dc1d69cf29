#include "shard/channel.h"

#include "mem/check.h"
#include "shard/state.h"
#include "shard/thread.h"

#include <errno.h>

/* In the scratch bytes of the mbuf that is the envelope. */
struct envelope {
	struct rte_mbuf_ext_shared_info shared; /* of the reader's mbufs; the last one calls back */
	uint64_t token;				/* of the push */
	union {
		struct rte_mbuf *next; /* in the inbox */
		struct shard *reader;  /* while its program has the bytes */
		struct collected home; /* on the way back */
	};
	uint16_t from; /* home */
	uint16_t to;
	bool refused;
};

_Static_assert(sizeof(struct envelope) <= PBUF_SCRATCH_LEN, "lives in the scratch bytes");

static struct envelope *envelope_of(struct rte_mbuf *m)
{
	return (struct envelope *)pbuf_of(m)->scratch;
}

static struct rte_mbuf *mbuf_of(struct collected *home)
{
	char *scratch = (char *)home - offsetof(struct envelope, home);

	return (struct rte_mbuf *)(scratch - offsetof(struct pbuf, scratch) -
				   sizeof(struct rte_mbuf));
}

static uint64_t bit(uint16_t peer)
{
	return UINT64_C(1) << peer;
}

int channels_init(struct shard *shard, uint16_t shard_count)
{
	shard->ends = calloc(shard_count, sizeof(*shard->ends));
	if (!shard->ends)
		return -ENOMEM;
	for (unsigned i = 0; i < shard_count; i++)
		TAILQ_INIT(&shard->ends[i].waiting);
	return 0;
}

void channels_fini(struct shard *shard)
{
	free(shard->ends);
	shard->ends = NULL;
}

/* --- the way home --- */
static void flush_home(struct shard *shard, uint16_t peer)
{
	struct channel_end *end = &shard->ends[peer];

	if (!end->home_newest)
		return;
	collection_post_mt(&shard->runtime->shards[peer].collection, end->home_newest,
			   end->home_oldest);
	end->home_newest = NULL;
	shard->posted |= bit(peer);
}

static void send_home(struct shard *shard, struct rte_mbuf *m)
{
	struct envelope *e = envelope_of(m);
	struct channel_end *end = &shard->ends[e->from];

	if (!end->home_newest)
		end->home_oldest = &e->home;
	e->home.next = end->home_newest;
	end->home_newest = &e->home;
}

static void refuse(struct shard *shard, struct rte_mbuf *m)
{
	envelope_of(m)->refused = true;
	send_home(shard, m);
}

/* The last mbuf on the bytes was freed; called by DPDK on whatever thread that was. */
static void bytes_freed(void *addr, void *opaque)
{
	struct rte_mbuf *m = opaque;
	struct envelope *e = envelope_of(m);
	struct shard *reader = e->reader;
	struct shard *home = &reader->runtime->shards[e->from];

	(void)addr;
	if (thread_lcore_mt() == __atomic_load_n(&reader->lcore_id, __ATOMIC_RELAXED)) {
		send_home(reader, m);
		return;
	}
	collection_post_mt(&home->collection, &e->home, &e->home);
	idle_wake_mt(&home->idle);
}

/* An envelope is home: its bytes are the program's again. */
static void receive_home(struct shard *shard, struct rte_mbuf *m)
{
	struct envelope *e = envelope_of(m);
	struct op *op = token_find_or_null(&shard->tokens, e->token);

	if (op && op->state == OP_PENDING)
		token_done(&shard->tokens, op, e->refused ? -ECONNRESET : 0);
	rte_pktmbuf_free_seg(m);
}

static unsigned collect(struct shard *shard)
{
	struct collected *home = collection_take(&shard->collection), *next;
	unsigned count = 0;

	for (; home; home = next, count++) {
		next = home->next;
		receive_home(shard, mbuf_of(home));
	}
	return count;
}

/* --- sending --- */
static struct rte_mbuf *seal_or_null(struct shard *shard, uint16_t peer, const struct op *op)
{
	struct rte_mbuf *m = mem_small_or_null(&shard->mem);
	struct envelope *e;

	if (!m)
		return NULL;
	rte_pktmbuf_attach(m, op->m);
	m->next = NULL;
	m->nb_segs = 1;
	m->data_off = (uint16_t)((uintptr_t)op->data - (uintptr_t)m->buf_addr);
	m->data_len = (uint16_t)op->len;
	m->pkt_len = op->len;
	e = envelope_of(m);
	*e = (struct envelope){.token = op->result.token, .from = shard->index, .to = peer};
	e->shared.free_cb = bytes_freed;
	e->shared.fcb_opaque = m;
	return m;
}

static bool send(struct shard *shard, uint16_t peer, struct op *op)
{
	struct rte_mbuf *m;

	if (!mailbox_has_room(runtime_mailbox(shard->runtime, shard->index, peer)))
		return false;
	m = seal_or_null(shard, peer, op);
	if (!m)
		return false;
	CHECK(shard_post(shard, peer, (struct letter){LETTER_MESSAGE, m}));
	counter_add(&shard->counters.channel_messages, 1);
	return true;
}

int channel_push(struct shard *shard, uint16_t peer, struct op *op, bool *sent)
{
	struct channel_end *end = &shard->ends[peer];

	if (end->fin_received)
		return -ECONNRESET;
	*sent = TAILQ_EMPTY(&end->waiting) && send(shard, peer, op);
	if (!*sent) {
		if (!push_hold(op))
			return -EAGAIN;
		token_wait_on(op, &end->waiting);
		shard->channels_busy |= bit(peer);
	}
	return 0;
}

/* A push that waited has gone; its token waits for the envelope unless the queue was closed. */
static void sent_late(struct shard *shard, struct channel_end *end, struct op *op)
{
	struct queue *queue = end->queue ? end->queue : end->leaving;

	push_release(op);
	if (op->orphan)
		token_drop(&shard->tokens, op);
	else if (queue)
		token_wait_on(op, &queue->sent);
	else
		token_done(&shard->tokens, op, -ECANCELED);
}

static void fail_waiting(struct shard *shard, struct channel_end *end)
{
	queue_fail(shard, &end->waiting, -ECONNRESET);
	end->leaving = NULL;
}

/* The next session begins when both ends are closed and both know it. */
static void end_session(struct channel_end *end)
{
	if (!end->closed || !end->fin_received || end->fin_waiting)
		return;
	end->closed = false;
	end->fin_received = end->peer_gone;
}

static unsigned send_waiting(struct shard *shard, uint16_t peer)
{
	struct channel_end *end = &shard->ends[peer];
	unsigned count = 0;
	struct op *op;

	while ((op = TAILQ_FIRST(&end->waiting))) {
		if (!send(shard, peer, op))
			return count;
		sent_late(shard, end, op);
		count++;
	}
	end->leaving = NULL;
	if (end->fin_waiting) {
		if (!shard_post(shard, peer, (struct letter){LETTER_FIN, NULL}))
			return count;
		end->fin_waiting = false;
		end_session(end);
	}
	shard->channels_busy &= ~bit(peer);
	return count + 1;
}

/* --- receiving --- */
static bool open_envelope(struct shard *shard, struct rte_mbuf *m, struct op *op)
{
	struct rte_mbuf *bytes = mem_small_or_null(&shard->mem);
	struct envelope *e = envelope_of(m);

	if (!bytes)
		return false;
	e->reader = shard;
	rte_mbuf_ext_refcnt_set(&e->shared, 1);
	rte_pktmbuf_attach_extbuf(bytes, rte_pktmbuf_mtod(m, void *), rte_pktmbuf_iova(m),
				  m->data_len, &e->shared);
	bytes->data_len = m->data_len;
	bytes->pkt_len = m->data_len;
	mem_handle_give(&shard->mem, bytes);
	op->result.pop.handle = bytes;
	op->result.pop.data = rte_pktmbuf_mtod(bytes, void *);
	op->result.pop.len = bytes->data_len;
	token_done(&shard->tokens, op, 0);
	return true;
}

bool channel_pop(struct shard *shard, uint16_t peer, struct op *op)
{
	struct channel_end *end = &shard->ends[peer];
	struct rte_mbuf *m = end->inbox_first;
	struct rte_mbuf *next;

	if (!m) {
		if (end->fin_received)
			token_done(&shard->tokens, op, 0);
		return end->fin_received;
	}
	next = envelope_of(m)->next;
	if (!open_envelope(shard, m, op)) {
		queue_retry(&shard->queues, end->queue);
		return false;
	}
	end->inbox_first = next;
	return true;
}

static void append(struct channel_end *end, struct rte_mbuf *m)
{
	envelope_of(m)->next = NULL;
	if (end->inbox_first)
		envelope_of(end->inbox_last)->next = m;
	else
		end->inbox_first = m;
	end->inbox_last = m;
}

static void refuse_inbox(struct shard *shard, struct channel_end *end)
{
	struct rte_mbuf *m;

	while ((m = end->inbox_first)) {
		end->inbox_first = envelope_of(m)->next;
		refuse(shard, m);
	}
}

static void receive_fin(struct shard *shard, struct channel_end *end)
{
	end->fin_received = true;
	fail_waiting(shard, end);
	end_session(end);
	if (end->queue)
		queue_retry(&shard->queues, end->queue);
}

void channel_take(struct shard *shard, uint16_t peer, struct letter letter)
{
	struct channel_end *end = &shard->ends[peer];

	if (letter.kind == LETTER_FIN) {
		receive_fin(shard, end);
	} else if (end->closed || shard->ended) {
		refuse(shard, letter.content);
	} else {
		append(end, letter.content);
		if (end->queue)
			end->queue->ops->ready(shard, end->queue);
	}
}

/* --- ends --- */
int channel_open(struct shard *shard, uint16_t peer, struct queue *queue)
{
	struct channel_end *end = &shard->ends[peer];

	if (end->queue || end->closed)
		return -EADDRINUSE;
	end->queue = queue;
	return 0;
}

/* Without a slot for that a token ends later, when its push was sent: no bytes are lost. */
static void detach_waiting(struct shard *shard, struct channel_end *end)
{
	struct op *op, *next;

	for (op = TAILQ_FIRST(&end->waiting); op; op = next) {
		next = TAILQ_NEXT(op, link);
		if (!op->orphan && shard->tokens.free)
			push_detach(shard, op);
	}
}

void channel_close(struct shard *shard, uint16_t peer, struct queue *leaving)
{
	struct channel_end *end = &shard->ends[peer];

	if (!leaving)
		detach_waiting(shard, end);
	refuse_inbox(shard, end);
	end->queue = NULL;
	end->leaving = TAILQ_EMPTY(&end->waiting) ? NULL : leaving;
	end->closed = true;
	end->fin_waiting = !end->peer_gone;
	end_session(end);
	if (end->fin_waiting) {
		shard->channels_busy |= bit(peer);
		send_waiting(shard, peer);
	}
}

bool channel_leaving(const struct shard *shard, uint16_t peer, const struct queue *queue)
{
	return shard->ends[peer].leaving == queue;
}

void channel_forget(struct shard *shard, uint16_t peer, const struct queue *queue)
{
	if (channel_leaving(shard, peer, queue))
		shard->ends[peer].leaving = NULL;
}

unsigned channels_turn(struct shard *shard)
{
	unsigned work = collect(shard);

	for (uint64_t busy = shard->channels_busy; busy; busy &= busy - 1)
		work += send_waiting(shard, (uint16_t)__builtin_ctzll(busy));
	for (uint16_t peer = 0; peer < shard->runtime->shard_count; peer++)
		flush_home(shard, peer);
	return work;
}

/* The peer will not read its mailbox any more; as nobody else posts there, it is ours to empty. */
static void take_back(struct shard *shard, uint16_t peer)
{
	struct mailbox *mailbox = runtime_mailbox(shard->runtime, shard->index, peer);
	struct letter letter;

	while (mailbox_take(mailbox, &letter, 1)) {
		if (letter.kind == LETTER_MESSAGE) {
			envelope_of(letter.content)->refused = true;
			receive_home(shard, letter.content);
		} else if (letter.kind != LETTER_FIN) {
			shard_drop(shard, letter.content, DROP_mailbox_full);
		}
	}
}

void channel_peer_returned(struct shard *shard, uint16_t peer)
{
	struct channel_end *end = &shard->ends[peer];

	end->peer_gone = true;
	end->fin_waiting = false;
	receive_fin(shard, end);
	shard->channels_busy &= ~bit(peer);
	shard->returned |= bit(peer);
}

void channel_peer_left(struct shard *shard, uint16_t peer)
{
	take_back(shard, peer);
	shard->gone |= bit(peer);
}

void channels_end(struct shard *shard)
{
	shard->ended = true;
	for (uint16_t peer = 0; peer < shard->runtime->shard_count; peer++)
		refuse_inbox(shard, &shard->ends[peer]);
}

void channels_leave(struct shard *shard)
{
	for (uint16_t peer = 0; peer < shard->runtime->shard_count; peer++) {
		struct channel_end *end = &shard->ends[peer];

		fail_waiting(shard, end);
		refuse_inbox(shard, end);
		flush_home(shard, peer);
	}
}

/* --- when nobody runs any more --- */
static void drain_mailbox(struct mailbox *mailbox)
{
	struct letter letter;

	while (mailbox->ring && mailbox_take(mailbox, &letter, 1))
		if (letter.kind != LETTER_FIN)
			rte_pktmbuf_free(letter.content);
}

/* Whether there was anything. */
static bool drain_collection(struct shard *shard)
{
	struct collected *home = collection_take(&shard->collection), *next;
	bool some = home;

	for (; home; home = next) {
		next = home->next;
		rte_pktmbuf_free_seg(mbuf_of(home));
	}
	return some;
}

static void drain_ends(struct shard *shard)
{
	for (uint16_t peer = 0; peer < shard->runtime->shard_count; peer++) {
		struct channel_end *end = &shard->ends[peer];
		struct rte_mbuf *m;

		while ((m = end->inbox_first)) {
			end->inbox_first = envelope_of(m)->next;
			rte_pktmbuf_free_seg(m);
		}
		flush_home(shard, peer);
	}
}

void channels_drain(struct runtime *runtime)
{
	unsigned pairs = (unsigned)runtime->shard_count * runtime->shard_count;
	bool again;

	for (unsigned i = 0; i < pairs; i++)
		drain_mailbox(&runtime->mailboxes[i]);
	for (uint16_t i = 0; i < runtime->shard_count; i++)
		if (runtime->shards[i].ends) /* of a start that failed half-way */
			drain_ends(&runtime->shards[i]);
	do { /* an envelope may hold bytes that came in an envelope */
		again = false;
		for (uint16_t i = 0; i < runtime->shard_count; i++)
			again |= drain_collection(&runtime->shards[i]);
	} while (again);
}
