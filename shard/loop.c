#include "shard/loop.h"

#include "mem/rcu.h"
#include "shard/clock.h"
#include "shard/owner.h"
#include "shard/state.h"

#include <rte_prefetch.h>

enum {
	OUTPUT_ROUNDS_MAX = 4, /* bursts that one turn sends on a port before it receives again */
	TURNS_BEHIND_MAX = 8,  /* in a row, in which timers wait for input */
};

static unsigned receive(struct shard *shard, uint16_t iface, uint64_t now_ns)
{
	struct line *line = &shard->lines[iface];
	struct rte_mbuf *pkts[NET_BURST_MAX];
	uint64_t bytes = 0;
	unsigned n;

	if (line->queue < 0)
		return 0;
	n = nic_rx_burst(line->port, (uint16_t)line->queue, pkts, NET_BURST_MAX);
	if (!n)
		return 0;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (unsigned i = 0; i < n; i++) {
		bytes += pkts[i]->pkt_len;
		pkts[i]->port = iface;
		if (unlikely(line->checks_left))
			owner_check(shard, iface, pkts[i]);
	}
	counter_add(&shard->counters.rx_packets, n);
	counter_add(&shard->counters.rx_bytes, bytes);
	net_input(shard->net, pkts, n, NET_FROM_WIRE, now_ns);
	return n;
}

/* Another shard, which has no queue on that port, transmits through ours. */
static void transmit_for_peer(struct shard *shard, struct rte_mbuf *m)
{
	struct line *line = &shard->lines[m->port];

	if (line->count < LINE_TX_MAX)
		line->pkts[line->count++] = m;
	else
		shard_drop(shard, m, DROP_tx_queue_full);
}

static unsigned take_letters(struct shard *shard, uint16_t peer, uint64_t now_ns)
{
	struct letter letters[LETTER_BURST_MAX];
	struct rte_mbuf *pkts[NET_BURST_MAX];
	unsigned n, packets = 0;

	n = mailbox_take(runtime_mailbox(shard->runtime, peer, shard->index), letters,
			 LETTER_BURST_MAX);
	for (unsigned i = 0; i < n; i++) {
		if (letters[i].kind == LETTER_PACKET)
			pkts[packets++] = letters[i].content;
		else if (letters[i].kind == LETTER_TRANSMIT)
			transmit_for_peer(shard, letters[i].content);
		else
			channel_take(shard, peer, letters[i]);
	}
	if (packets) {
		counter_add(&shard->counters.handed_in, packets);
		net_input(shard->net, pkts, packets, NET_FROM_SHARD, now_ns);
	}
	return n;
}

/* A peer's new stage counts once what it posted before was taken; returns how much was done. */
static unsigned part_from(struct shard *shard, uint16_t peer, enum shard_stage stage)
{
	unsigned steps = 0;

	if (stage >= SHARD_RETURNED && !(shard->returned & UINT64_C(1) << peer)) {
		channel_peer_returned(shard, peer);
		steps++;
	}
	if (stage == SHARD_LEFT && !shard_gone(shard, peer)) {
		channel_peer_left(shard, peer);
		steps++;
	}
	shard->parted_known += steps;
	return steps;
}

static unsigned take_mailboxes(struct shard *shard, uint64_t now_ns, bool *more)
{
	struct runtime *runtime = shard->runtime;
	bool news =
		__atomic_load_n(&runtime->parted_count, __ATOMIC_RELAXED) != shard->parted_known;
	unsigned work = 0;

	for (uint16_t peer = 0; peer < runtime->shard_count; peer++) {
		enum shard_stage stage = SHARD_RUNNING;
		unsigned n;

		if (peer == shard->index)
			continue;
		if (unlikely(news)) /* acquire; pairs with the release in part() */
			stage = __atomic_load_n(&runtime->shards[peer].stage, __ATOMIC_ACQUIRE);
		n = take_letters(shard, peer, now_ns);
		*more |= n == LETTER_BURST_MAX;
		work += n;
		if (unlikely(news) && n < LETTER_BURST_MAX)
			work += part_from(shard, peer, stage);
	}
	return work + channels_turn(shard);
}

/* Events of the stack, and queues that asked for another look, become results. */
static unsigned settle(struct shard *shard)
{
	struct queue_list retry = TAILQ_HEAD_INITIALIZER(retry);
	struct net_sock *sock;
	struct queue *queue;
	uint64_t cookie;
	unsigned work = 0;
	int error;

	for (; net_done_take(shard->net, &cookie, &error); work++) {
		struct op *op = token_find_or_null(&shard->tokens, cookie);

		if (op && op->state == OP_PENDING)
			token_done(&shard->tokens, op, error);
	}
	for (; (sock = net_ready_take(shard->net)); work++) {
		queue = sock->user;
		queue->ops->ready(shard, queue);
	}
	TAILQ_CONCAT(&retry, &shard->queues.retry, retry_link);
	TAILQ_FOREACH (queue, &retry, retry_link)
		queue->retried = false;
	while ((queue = TAILQ_FIRST(&retry))) {
		TAILQ_REMOVE(&retry, queue, retry_link);
		queue->ops->ready(shard, queue);
	}
	return work;
}

static uint64_t bytes_of(struct rte_mbuf *const *pkts, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return bytes;
}

/* What is not taken stays, in order, to be offered again. */
static void keep_rest(struct line *line, unsigned taken)
{
	line->count -= taken;
	if (taken && line->count)
		memmove(line->pkts, line->pkts + taken, line->count * sizeof(void *));
}

/* It would wait for as long as the link is down, perhaps for ever, and is of no use to whoever
 * comes then: what matters is sent again. */
static void drop_line(struct shard *shard, struct line *line)
{
	for (unsigned i = 0; i < line->count; i++)
		shard_drop(shard, line->pkts[i], DROP_link_down);
	line->count = 0;
}

static void transmit(struct shard *shard, struct line *line)
{
	uint64_t bytes = bytes_of(line->pkts, line->count);
	unsigned taken =
		nic_tx_burst(line->port, (uint16_t)line->queue, line->pkts, (uint16_t)line->count);

	keep_rest(line, taken);
	counter_add(&shard->counters.tx_packets, taken);
	counter_add(&shard->counters.tx_bytes, bytes - bytes_of(line->pkts, line->count));
	counter_add(&shard->counters.tx_refused, line->count);
	if (unlikely(line->count && !nic_port_link_up_mt(line->port)))
		drop_line(shard, line);
}

/* A transmit queue has one owner: without one of our own, packets go by mailbox. */
static void transmit_by_peer(struct shard *shard, struct line *line, uint16_t iface)
{
	unsigned sent = 0;

	for (; sent < line->count; sent++) {
		if (unlikely(shard_gone(shard, line->sender))) {
			shard_drop(shard, line->pkts[sent], DROP_shard_left);
			continue;
		}
		line->pkts[sent]->port = iface;
		if (!shard_post(shard, line->sender,
				(struct letter){LETTER_TRANSMIT, line->pkts[sent]}))
			break;
	}
	keep_rest(line, sent);
}

static unsigned send(struct shard *shard, uint16_t iface, uint64_t now_ns)
{
	struct line *line = &shard->lines[iface];
	unsigned work = 0, room, made;

	for (unsigned round = 0; round < OUTPUT_ROUNDS_MAX; round++) {
		room = line->count < NET_BURST_MAX ? NET_BURST_MAX - line->count : 0;
		made = room ? net_output(shard->net, iface, line->pkts + line->count, room, now_ns)
			    : 0;
		line->count += made;
		work += made;
		if (!line->count)
			break;
		if (line->queue >= 0)
			transmit(shard, line);
		else
			transmit_by_peer(shard, line, iface);
		if (line->count || made < room)
			break;
	}
	return work;
}

void shard_wake_posted(struct shard *shard)
{
	for (uint64_t posted = shard->posted; posted; posted &= posted - 1)
		idle_wake_mt(&shard->runtime->shards[__builtin_ctzll(posted)].idle);
	shard->posted = 0;
}

/*
 * What still waits in a device or a mailbox may be the very ACK that a timer waits for, all the
 * more after this thread was held up: timers come when all that has come is read, and, under a load
 * that never ends, after so many turns.
 */
static bool timers_are_due(struct shard *shard, bool more)
{
	shard->turns_behind = more ? shard->turns_behind + 1 : 0;
	if (shard->turns_behind == TURNS_BEHIND_MAX)
		shard->turns_behind = 0;
	return shard->turns_behind == 0;
}

bool shard_turn(struct shard *shard, uint64_t now_ns)
{
	unsigned work = 0;
	bool more = false;

	mem_level_update(&shard->mem);
	for (uint16_t iface = 0; iface < shard->line_count; iface++) {
		unsigned n = receive(shard, iface, now_ns);

		more |= n == NET_BURST_MAX;
		work += n;
	}
	work += take_mailboxes(shard, now_ns, &more);
	if (timers_are_due(shard, more))
		net_poll(shard->net, now_ns);
	work += settle(shard);
	for (uint16_t iface = 0; iface < shard->line_count; iface++)
		work += send(shard, iface, now_ns);
	shard_wake_posted(shard);
	if (shard->idle.armed && !work) /* it may sleep next: until when? */
		shard->timer_ns = net_poll(shard->net, now_ns);
	shard->turned_ns = now_ns;
	rcu_quiescent_state();
	counter_add(&shard->counters.turns, 1);
	if (work)
		idle_busy(shard, now_ns);
	else
		counter_add(&shard->counters.turns_idle, 1);
	return work;
}

void shard_run_until_done(struct shard *shard, const struct op *op, uint64_t timeout_ns)
{
	uint64_t now_ns = clock_now_ns_mt();
	uint64_t deadline_ns = clock_after(now_ns, timeout_ns);

	for (; op->state == OP_PENDING && now_ns < deadline_ns; now_ns = clock_now_ns_mt())
		if (!shard_turn(shard, now_ns))
			idle_pass(shard, now_ns, deadline_ns);
}
