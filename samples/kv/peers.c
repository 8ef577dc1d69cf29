#include "kv/peers.h"

#include "kv/heap.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <errno.h>
#include <limits.h>

int peers_init(struct peers *peers, int self, int count, const struct peers_events *events)
{
	*peers = (struct peers){.self = self,
				.count = count,
				.events = *events,
				.qd_first = INT_MAX,
				.qd_last = -1};
	STAILQ_INIT(&peers->lost);
	TAILQ_INIT(&peers->abandoned);
	peers->of = heap_alloc_or_null((size_t)count * sizeof(*peers->of));
	if (!peers->of)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		peers->of[i] = (struct peer){.qd = -1};
		STAILQ_INIT(&peers->of[i].outbox);
		TAILQ_INIT(&peers->of[i].away);
	}
	return 0;
}

static int start_pop(struct peer *peer, int i)
{
	return demi_pop(&peer->pop_qts[i], peer->qd);
}

int peers_open(struct peers *peers)
{
	int error = 0;

	for (int i = 0; i < peers->count && !error; i++) {
		struct peer *peer = &peers->of[i];

		if (i == peers->self)
			continue;
		error = demi_shard_channel(&peer->qd, i);
		if (error)
			break;
		peer->open = true;
		if (peer->qd < peers->qd_first)
			peers->qd_first = peer->qd;
		if (peer->qd > peers->qd_last)
			peers->qd_last = peer->qd;
		for (int k = 0; k < PEERS_POP_COUNT && !error; k++)
			error = start_pop(peer, k);
	}
	return error;
}

/* --- what is lost --- */

void peers_lose(struct peers *peers, struct errand *errand)
{
	errand->lost = true;
	STAILQ_INSERT_TAIL(&peers->lost, errand, link);
}

/* What the other shard has of ours it will not touch any more, or we have closed. */
static void end_peer(struct peers *peers, struct peer *peer)
{
	struct errand *errand;

	peer->open = false;
	peer->qd = -1;
	STAILQ_INIT(&peer->outbox); /* ours are away as well, others' are their homes' */
	while ((errand = TAILQ_FIRST(&peer->away))) {
		TAILQ_REMOVE(&peer->away, errand, away);
		if (peers->closed)
			TAILQ_INSERT_TAIL(&peers->abandoned, errand, away);
		else
			peers_lose(peers, errand);
	}
}

/* The shard has ended, or closed its end, which is the last that it does. */
static void peer_ended(struct peers *peers, int i)
{
	if (!peers->of[i].open)
		return;
	demi_close(peers->of[i].qd);
	end_peer(peers, &peers->of[i]);
	peers->events.ended(peers->events.arg, i);
}

static void tell_lost(struct peers *peers)
{
	struct errand *errand;

	while ((errand = STAILQ_FIRST(&peers->lost))) {
		STAILQ_REMOVE_HEAD(&peers->lost, link);
		if (peers->closed)
			TAILQ_INSERT_TAIL(&peers->abandoned, errand, away);
		peers->events.home(peers->events.arg, errand);
	}
}

void peers_close(struct peers *peers)
{
	struct errand *errand, *next;

	if (peers->closed)
		return;
	peers->closed = true;
	for (int i = 0; i < peers->count; i++) {
		if (peers->of[i].open)
			demi_close(peers->of[i].qd);
		end_peer(peers, &peers->of[i]);
	}
	/* Their link may be in another shard's queue: they are told from the list, not from lost.
	 */
	for (errand = TAILQ_FIRST(&peers->abandoned); errand; errand = next) {
		next = TAILQ_NEXT(errand, away);
		errand->lost = true;
		peers->events.home(peers->events.arg, errand);
	}
	tell_lost(peers);
}

void peers_fini(struct peers *peers)
{
	struct errand *errand;

	if (!peers->of)
		return;
	peers_close(peers);
	while ((errand = STAILQ_FIRST(&peers->lost))) {
		STAILQ_REMOVE_HEAD(&peers->lost, link);
		errand_destroy(NULL, errand);
	}
	while ((errand = TAILQ_FIRST(&peers->abandoned))) {
		TAILQ_REMOVE(&peers->abandoned, errand, away);
		errand_destroy(NULL, errand);
	}
	heap_free(peers->of);
	peers->of = NULL;
}

/* --- sending --- */

void peers_send(struct peers *peers, struct errand *errand, int to)
{
	struct peer *peer = &peers->of[to];

	errand->home = peers->self;
	errand->at = to;
	if (!peer->open) {
		peers_lose(peers, errand);
		return;
	}
	TAILQ_INSERT_TAIL(&peer->away, errand, away);
	STAILQ_INSERT_TAIL(&peer->outbox, errand, link);
}

void peers_answer(struct peers *peers, struct errand *errand)
{
	struct peer *peer = &peers->of[errand->home];

	if (peer->open)
		STAILQ_INSERT_TAIL(&peer->outbox, errand, link);
}

/* One message from the head of the outbox. False: it could not be sent. */
static bool send_batch(struct peer *peer)
{
	demi_sgarray_t sga = demi_sgaalloc(PEERS_BATCH * sizeof(struct errand *));
	struct errand *errand = STAILQ_FIRST(&peer->outbox);
	struct errand_queue kept = peer->outbox;
	struct errand **batch;
	uint32_t count = 0;
	demi_qtoken_t qt;
	int error;

	if (!sga.sga_buf)
		return false;
	batch = sga.sga_segs[0].sgaseg_buf;
	for (; errand && count < PEERS_BATCH; errand = STAILQ_NEXT(errand, link))
		memcpy(&batch[count++], &errand, sizeof(errand));
	sga.sga_segs[0].sgaseg_len = count * (uint32_t)sizeof(errand);
	/* They are the other shard's as soon as they are pushed. */
	STAILQ_FIRST(&peer->outbox) = errand;
	if (!errand)
		STAILQ_INIT(&peer->outbox);
	error = demi_push(&qt, peer->qd, &sga);
	demi_sgafree(&sga);
	if (error)
		peer->outbox = kept;
	else
		peer->push_count++;
	return !error;
}

bool peers_turn(struct peers *peers)
{
	bool starved = false;

	tell_lost(peers);
	for (int i = 0; i < peers->count; i++) {
		struct peer *peer = &peers->of[i];

		while (peer->open && !STAILQ_EMPTY(&peer->outbox) &&
		       peer->push_count < PEERS_PUSH_MAX) {
			if (!send_batch(peer)) {
				starved |= peer->push_count == 0;
				break;
			}
		}
	}
	return starved || !STAILQ_EMPTY(&peers->lost);
}

/* --- results --- */

static int peer_of_qd(const struct peers *peers, int qd)
{
	if (qd < peers->qd_first || qd > peers->qd_last)
		return -1;
	for (int i = 0; i < peers->count; i++)
		if (peers->of[i].qd == qd)
			return i;
	return -1;
}

static void take(struct peers *peers, int from, struct errand *errand)
{
	if (errand->home != peers->self) {
		peers->events.arrived(peers->events.arg, errand);
		return;
	}
	TAILQ_REMOVE(&peers->of[from].away, errand, away);
	peers->events.home(peers->events.arg, errand);
}

static void popped(struct peers *peers, int from, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	struct peer *peer = &peers->of[from];
	const size_t len = sga->sga_segs[0].sgaseg_len;
	struct errand *batch[PEERS_BATCH] = {NULL};
	int i = 0;

	/* Copied, so that its sender has the buffer back before the commands are run. */
	if (len <= sizeof(batch))
		memcpy(batch, sga->sga_segs[0].sgaseg_buf, len);
	demi_sgafree(sga);
	if (len == 0) {
		peer_ended(peers, from);
		return;
	}
	for (size_t k = 0; k < PEERS_BATCH && batch[k]; k++)
		take(peers, from, batch[k]);
	while (i < PEERS_POP_COUNT - 1 && peer->pop_qts[i] != result->qr_qt)
		i++;
	if (peer->open && start_pop(peer, i))
		peer_ended(peers, from);
}

bool peers_result(struct peers *peers, demi_qresult_t *result)
{
	const int from = peer_of_qd(peers, result->qr_qd);

	if (from < 0)
		return false;
	if (result->qr_opcode == DEMI_OPC_POP) {
		popped(peers, from, result);
		return true;
	}
	for (int i = 0; i < PEERS_POP_COUNT && peers->of[from].open; i++)
		if (peers->of[from].pop_qts[i] == result->qr_qt)
			peer_ended(peers, from);
	/* A push: taken by the other shard, or never to be, and then its end is told by a pop. */
	if (peers->of[from].push_count)
		peers->of[from].push_count--;
	return true;
}
