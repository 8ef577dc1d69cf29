/*
 * A conversation on the open wire end: the input is a script (move.h) of what the peer, the host's
 * program and the world around them do. Whatever happens: each connection's invariants hold after
 * every turn, what leaves the host is well-formed and within the windows that it was offered, bytes
 * of both streams are the right ones, each token ends once, pushes when the peer acknowledged them,
 * and in the end nothing is left, no packet buffer either.
 */
#include "conversation.h"
#include "mem/check.h"
#include "target.h"

#include <stdio.h>

enum { SETTLE_NS = 1000, JUMP_S_MAX = 100 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* --- the world's moves --- */

/* flags in units of 1 ms, 100 ms from 100 on, 10 s from 200 on. */
static void world_time(struct conversation *c, const struct move *m, struct script *script)
{
	const uint64_t n = m->flags;

	(void)script;
	wire_after(&c->w, n < 100 ? n * MS : n < 200 ? (n - 99) * 100 * MS : (n - 199) * 10 * S);
}

static void world_squeeze(struct conversation *c, const struct move *m, struct script *script)
{
	(void)script;
	(void)demi_sim_squeeze(c->w.world, c->w.host, 0, m->who % 3, m->len % 256);
}

static void world_stuff(struct conversation *c, const struct move *m, struct script *script)
{
	(void)script;
	wire_stuff(&c->w, m->flags % 2);
}

static void world_jump(struct conversation *c, const struct move *m, struct script *script)
{
	(void)script;
	CHECK(demi_sim_clock_jump(c->w.world, c->w.host, m->flags % JUMP_S_MAX * S) == 0);
}

/* --- the script --- */

static void begin(struct conversation *c, const struct move *flavour)
{
	static const char *const cookies[] = {"auto", "always", "never", "auto"};
	static const char *const ecn[] = {"passive", "always", "never", "passive"};
	const uint8_t how = flavour->control, more = flavour->flags;
	char tcp[600];

	snprintf(tcp, sizeof(tcp),
		 "timestamps = %s\nwindow_scale = %s\nsack = %s\nnodelay = %s\n"
		 "refuse_with_rst = %s\ncongestion = \"%s\"\nrcvbuf_bytes = %d\n"
		 "pmtu_discovery = %s\nsyn_cookies = \"%s\"\necn = \"%s\"\n"
		 "delack_ms = %d\nkeepalive_idle_s = 10\nkeepalive_interval_s = 2\n"
		 "keepalive_count = 3\nsyn_queue_max = %d\n",
		 how & 1 ? "false" : "true", how & 2 ? "false" : "true", how & 4 ? "false" : "true",
		 how & 8 ? "true" : "false", how & 16 ? "false" : "true",
		 how & 32 ? "newreno" : "cubic", how & 64 ? 131072 : 8192,
		 how & 128 ? "false" : "true", cookies[more & 3], ecn[more >> 2 & 3],
		 more & 16 ? 0 : 40, more & 32 ? 2 : 0);
	memset(c, 0, sizeof(*c));
	wire_begin(&c->w, tcp, !(more & 64));
	flows_begin(c, !(how & 2));
	program_begin(c);
}

static void settle(struct conversation *c)
{
	wire_after(&c->w, SETTLE_NS);
	flows_listen(c);
	program_results(c);
}

static void move(struct conversation *c, struct script *script)
{
	static void (*const moves[])(struct conversation *, const struct move *,
				     struct script *) = {
#define MOVE_FUNCTION(name, function) function,
		MOVES(MOVE_FUNCTION)
#undef MOVE_FUNCTION
	};
	const struct move m = script_next(script);
	const unsigned kind = m.kind % MOVE_KINDS;

	moves[kind](c, &m, script);
	if (kind > MOVE_SEGMENT_IN_FRAGMENTS || !(m.who & MOVE_BURST))
		settle(c);
}

static void finish(struct conversation *c)
{
	wire_stuff(&c->w, false);
	for (int pool = 0; pool < 3; pool++)
		CHECK(demi_sim_squeeze(c->w.world, c->w.host, 0, pool, 0) == 0);
	settle(c);
	program_end(c);
	flows_listen(c);
	wire_end(&c->w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct conversation c;
	struct script script = {input, len};
	const struct move flavour = script_next(&script);

	begin(&c, &flavour);
	for (unsigned i = 0; script.len > 0 && i < MOVES_MAX; i++)
		move(&c, &script);
	finish(&c);
	return 0;
}
