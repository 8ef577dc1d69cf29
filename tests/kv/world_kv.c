#include "tests/kv/world_kv.h"

#include "kv/clock.h"
#include "kv/server.h"

#include <stdio.h>
#include <stdlib.h>

static struct server servers[WORLD_SHARD_MAX];
static struct demi_sim *clock_of; /* the world whose time it is */
static uint64_t turn_ns;
static int slow_shard; /* -1: all */

uint64_t clock_wall_ms(void)
{
	return UINT64_C(1700000000000) + demi_sim_now(clock_of) / MS;
}

/* Asked once a turn, and by commands that are timed. */
uint64_t clock_monotonic_ns(void)
{
	if (turn_ns && (slow_shard < 0 || slow_shard == demi_shard_self()))
		demi_sim_advance(clock_of, turn_ns);
	return demi_sim_now(clock_of);
}

/* --- the server --- */

static void ready(struct server *server)
{
	(void)server;
}

static int serve(void *arg)
{
	static const struct server_hooks hooks = {.ready = ready};
	const struct world *world = arg;
	struct settings settings = world->settings;

	settings_share(&settings, demi_shard_count());
	return server_run(&servers[demi_shard_self()], &settings, &hooks);
}

void world_open(struct world *world, uint64_t seed, int shards, enum kv_mode mode,
		unsigned client_shards)
{
	const struct demi_sim_host_options server = {.size = sizeof(server),
						     .shards = (unsigned)shards};
	const struct demi_sim_host_options client = {.size = sizeof(client),
						     .shards = client_shards};

	*world = (struct world){.shards = shards};
	settings_init(&world->settings);
	world->settings.mode = mode;
	world->settings.port = WORLD_PORT;
	assert_int_equal(demi_sim_create(&world->sim, seed), 0);
	clock_of = world->sim;
	assert_int_equal(demi_sim_host(world->sim, &server, &world->server), 0);
	assert_int_equal(demi_sim_host(world->sim, &client, &world->client), 0);
	assert_int_equal(
		demi_sim_link(world->sim, world->server, 0, world->client, 0, &world->link), 0);
	assert_int_equal(demi_sim_program(world->sim, world->server, -1, serve, world), 0);
	assert_int_equal(demi_sim_advance(world->sim, MS), 0);
}

void world_slow_shard_down(int shard, uint64_t length_ns)
{
	slow_shard = shard;
	turn_ns = length_ns;
}

void world_slow_down(uint64_t length_ns)
{
	world_slow_shard_down(-1, length_ns);
}

void world_close(struct world *world)
{
	int result = -1;

	turn_ns = 0;
	assert_int_equal(demi_sim_stop(world->sim, world->server), 0);
	assert_int_equal(demi_sim_run(world->sim, 60 * SEC), 0);
	for (int i = 0; i < world->shards; i++) {
		assert_int_equal(demi_sim_result(world->sim, world->server, i, &result), 0);
		assert_int_equal(result, 0);
	}
	assert_int_equal(demi_sim_destroy(world->sim), 0); /* every buffer is back */
	for (int i = 0; i < world->shards; i++)
		server_fini(&servers[i]);
}

/* --- connections --- */

int wire_open(struct wire *wire, const struct world *world, int offset)
{
	const struct sockaddr_in there =
		address_of(world->server, (uint16_t)(world->settings.port + offset));
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error;

	wire->len = wire->used = 0;
	error = demi_socket(&wire->qd, AF_INET, SOCK_STREAM, 0);
	if (!error)
		error = demi_connect(&qt, wire->qd, (const struct sockaddr *)&there, sizeof(there));
	return error ? error : wait_for(qt, &qr);
}

int wire_close(struct wire *wire)
{
	return demi_close(wire->qd);
}

int wire_send(struct wire *wire, const char *text, size_t len)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error = 0;

	while (len > 0 && !error) {
		const size_t part = len < 1400 ? len : 1400;
		demi_sgarray_t sga = demi_sgaalloc(part);

		if (!sga.sga_buf)
			return ENOMEM;
		memcpy(sga.sga_segs[0].sgaseg_buf, text, part);
		error = demi_push(&qt, wire->qd, &sga);
		demi_sgafree(&sga);
		if (!error)
			error = wait_for(qt, &qr);
		text += part;
		len -= part;
	}
	return error;
}

/* The length of the whole reply at text; 0: it has not all come. */
static size_t reply_len(const char *text, size_t len)
{
	const char *end = len ? memchr(text, '\n', len) : NULL;
	size_t used;
	long count;

	if (!end)
		return 0;
	used = (size_t)(end - text) + 1;
	count = atol(text + 1);
	if ((text[0] == '$' || text[0] == '=') && count >= 0)
		used += (size_t)count + 2;
	if (text[0] == '%')
		count *= 2;
	for (; (text[0] == '*' || text[0] == '%' || text[0] == '~' || text[0] == '>') && count > 0;
	     count--) {
		const size_t part = used < len ? reply_len(text + used, len - used) : 0;

		if (part == 0)
			return 0;
		used += part;
	}
	return used <= len ? used : 0;
}

static bool read_more(struct wire *wire)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	size_t len;

	if (demi_pop(&qt, wire->qd) != 0 || wait_for(qt, &qr) != 0)
		return false;
	len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
	if (len > 0 && wire->len + len < sizeof(wire->text)) {
		memcpy(wire->text + wire->len, qr.qr_value.sga.sga_segs[0].sgaseg_buf, len);
		wire->len += len;
	} else {
		len = 0;
	}
	demi_sgafree(&qr.qr_value.sga);
	return len > 0;
}

const char *wire_reply_or_null(struct wire *wire)
{
	static char reply[sizeof(wire->text)]; /* programs take turns only where they wait */
	size_t len;

	while ((len = reply_len(wire->text + wire->used, wire->len - wire->used)) == 0) {
		memmove(wire->text, wire->text + wire->used, wire->len - wire->used);
		wire->len -= wire->used;
		wire->used = 0;
		if (!read_more(wire))
			return NULL;
	}
	memcpy(reply, wire->text + wire->used, len);
	reply[len] = 0;
	wire->used += len;
	return reply;
}

const char *wire_ask_or_null(struct wire *wire, const char *command)
{
	char line[1024];
	const int len = snprintf(line, sizeof(line), "%s\r\n", command);

	if (len < 0 || (size_t)len >= sizeof(line) || wire_send(wire, line, (size_t)len) != 0)
		return NULL;
	return wire_reply_or_null(wire);
}
