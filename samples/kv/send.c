#include "kv/send.h"

#include "kv/server.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <errno.h>

enum {
	PACKET_LEN = 1448,    /* what a packet of Ethernet carries: a buffer of the common pool */
	LARGE_LEN = 65535,    /* the longest sga; there are few of them */
	LARGE_LEN_MIN = 4096, /* from here on it is worth one */
	MUTED_LEN = 4096,     /* thrown away at once */
	/* When so many pushes are outstanding clients that do not read hold much of the shard's
	 * buffers: then each may have no more than a few. */
	CROWD_COUNT = 16384,
	CROWD_PUSH_MAX = 8,
};

/* A short one where long ones are used up. */
static demi_sgarray_t alloc(size_t len)
{
	demi_sgarray_t sga = {0};

	if (len >= LARGE_LEN_MIN)
		sga = demi_sgaalloc(len < LARGE_LEN ? len : LARGE_LEN);
	if (!sga.sga_buf)
		sga = demi_sgaalloc(len < PACKET_LEN ? len : PACKET_LEN);
	return sga;
}

/* The sga is gone afterwards, or held until there is room for it. */
static void push(struct session *session, demi_sgarray_t *sga)
{
	const unsigned at = (session->push_first + session->push_count) % SESSION_PUSH_MAX;
	const size_t len = sga->sga_segs[0].sgaseg_len;
	demi_qtoken_t qt;
	int error = demi_push(&qt, session->qd, sga);

	session->held = error == EAGAIN;
	if (session->held) {
		session->held_sga = *sga;
		session->server->starved |= session->push_count == 0;
		return;
	}
	demi_sgafree(sga); /* the push has a hold of its own */
	if (error) {
		session_kill(session);
		return;
	}
	session->push_qts[at] = qt;
	session->push_lens[at] = (uint16_t)len;
	session->push_len += len;
	session->push_count++;
	session->server->push_count++;
}

/* Nobody is told: CLIENT REPLY OFF. */
static void drop_muted(struct session *session)
{
	char text[MUTED_LEN];

	while (out_take(&session->muted, text, sizeof(text)) > 0)
		;
}

static bool may_push(const struct session *session)
{
	const unsigned max =
		session->server->push_count < CROWD_COUNT ? SESSION_PUSH_MAX : CROWD_PUSH_MAX;

	return !session->held && session->push_count < max &&
	       session->push_len < SESSION_PUSH_LEN && session->end != SESSION_KILLED;
}

void send_some(struct session *session)
{
	size_t ready = out_ready(&session->out);
	demi_sgarray_t sga;

	if (session->muted.len > 0)
		drop_muted(session);
	if (session->out.failed)
		return; /* a part of it is missing: what is behind would be taken for that */
	if (session->held)
		push(session, &session->held_sga);
	while (ready > 0 && may_push(session)) {
		sga = alloc(ready);
		if (!sga.sga_buf) {
			session->server->starved |= session->push_count == 0;
			return;
		}
		ready -= out_take(&session->out, sga.sga_segs[0].sgaseg_buf,
				  sga.sga_segs[0].sgaseg_len);
		session->server->engine.clients.sent_bytes += sga.sga_segs[0].sgaseg_len;
		push(session, &sga);
	}
}
