#include "wire.h"

#include "mem/check.h"
#include "net/tcp_conn.h"
#include "sdk/config.h"
#include "sim/sim.h"

#include <demi/wait.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LEN_MAX = 3000, END_S_MAX = 3000, PARSED_MAX = 512 };

static const char limits[] =
	"[runtime]\nshards = 1\ntokens = 256\nqueues = 32\nmailbox_entries = 64\nseed = 1\n"
	"nap_us = 20000\n"
	"[memory]\ndata_buffers = 192\nsmall_buffers = 128\nlarge_buffers = 3\n"
	"receive_budget_mib = 1\n"
	"[udp]\nsocket_max = 4\nqueue_packets = 4\n"
	"[ip]\nreassembly_datagrams = 8\nreassembly_kib = 64\n"
	"[[port]]\ndevice = \"sim0\"\naddress = \"10.0.0.1/24\"\nmac = \"02:00:00:00:00:01\"\n"
	"[tcp]\nconn_max = 8\ntimewait_max = 3\nlistener_max = 2\nsyn_max = 4\npush_max = 40\n"
	"reassembly_mib = 1\nmsl_ms = 2000\nfin_wait2_s = 20\nuser_timeout_s = 20\n"
	"syn_timeout_s = 20\nport_low = 40000\nport_high = 40099\n";

/* Frees of large blocks come back at once, and so in pages that are there already. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4:thread_local_quarantine_size_kb=256";
}

/*
 * Half the time of an input would go into reading its configuration, so that is done once for each
 * text: the linker puts this around config_parse_over(), as in poison.h.
 */
int __wrap_config_parse_over(const struct config_base *base, const char *name, const char *text,
			     size_t len, struct runtime_config *config, char why[RUNTIME_WHY_LEN]);
int __real_config_parse_over(const struct config_base *base, const char *name, const char *text,
			     size_t len, struct runtime_config *config, char why[RUNTIME_WHY_LEN]);

int __wrap_config_parse_over(const struct config_base *base, const char *name, const char *text,
			     size_t len, struct runtime_config *config, char why[RUNTIME_WHY_LEN])
{
	static struct parsed {
		size_t len;
		char text[CONFIG_LEN_MAX];
		struct runtime_config config;
	} all[PARSED_MAX];
	uint32_t hash = 2166136261u;
	struct parsed *parsed;

	CHECK(len > 0 && len <= CONFIG_LEN_MAX);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	parsed = &all[hash % PARSED_MAX];
	if (parsed->len != len || memcmp(parsed->text, text, len) != 0) {
		CHECK(__real_config_parse_over(base, name, text, len, &parsed->config, why) == 0);
		memcpy(parsed->text, text, len);
		parsed->len = len;
	}
	*config = parsed->config;
	return 0;
}

static struct net *net_of(const struct wire *w)
{
	return sim_shard_or_null(w->world, w->host, 0)->shard->net;
}

/* What must hold of all connections after every turn. */
static void check_conns(int host, int shard, void *arg)
{
	const struct tcp_conn *conn;

	(void)host, (void)shard;
	TAILQ_FOREACH (conn, &net_of(arg)->tcp.all, all_link)
		tcp_conn_check(conn);
}

void wire_begin(struct wire *w, const char *tcp, bool peers)
{
	char config[CONFIG_LEN_MAX];
	const struct demi_sim_host_options options = {.size = sizeof(options), .config = config};
	int at = snprintf(config, sizeof(config), "%s%s", limits, tcp);

	for (int i = 0; i < WIRE_PEERS && peers; i++)
		at += snprintf(config + at, sizeof(config) - (size_t)at,
			       "[[neighbour]]\naddress = \"10.0.0.%d\"\n"
			       "mac = \"02:00:00:00:00:%02x\"\n",
			       2 + i, 2 + i);
	CHECK(at > 0 && (size_t)at < sizeof(config));
	CHECK(demi_sim_create(&w->world, 1) == 0);
	CHECK(demi_sim_host(w->world, &options, &w->host) == 0);
	CHECK(demi_sim_open_end(w->world, &w->end) == 0);
	CHECK(demi_sim_link(w->world, w->host, 0, w->end, 0, &w->link) == 0);
	CHECK(demi_sim_watch(w->world, check_conns, w) == 0);
	w->traced = getenv("CLOWDER_FUZZ_TRACE");
	if (w->traced)
		CHECK(demi_sim_trace(w->world, getenv("CLOWDER_FUZZ_TRACE")) == 0);
	CHECK(demi_sim_enter(w->world, w->host, 0) == 0);
}

void wire_inject(struct wire *w, const uint8_t *bytes, uint32_t len)
{
	if (len > 0)
		CHECK(demi_sim_inject(w->world, w->end, bytes, len) == 0);
}

bool wire_take(struct wire *w, struct wire_frame *out)
{
	size_t len;

	if (demi_sim_take(w->world, w->end, out->bytes, sizeof(out->bytes), &len, NULL) == EAGAIN)
		return false;
	CHECK(len <= sizeof(out->bytes));
	out->len = (uint32_t)len;
	frame_check(out->bytes, out->len);
	return true;
}

void wire_drain(struct wire *w)
{
	struct wire_frame frame;

	while (wire_take(w, &frame))
		;
}

void wire_after(struct wire *w, uint64_t ns)
{
	CHECK(demi_sim_advance(w->world, ns) == 0);
	if (w->traced)
		fflush(NULL); /* what comes next may be the end */
}

bool wire_result(demi_qresult_t *result)
{
	const struct timespec now = {0, 0};
	int count = 0, error = demi_wait_next_n(result, 1, &count, &now);

	CHECK(error == 0 || error == ETIMEDOUT);
	return count == 1;
}

void wire_stuff(struct wire *w, bool stuffed)
{
	const struct demi_sim_device device = {.size = sizeof(device), .tx_refused = stuffed};

	CHECK(demi_sim_device_set(w->world, w->host, 0, &device) == 0);
}

static bool nothing_left(const struct wire *w)
{
	struct demi_sim_figures figures = {.size = sizeof(figures)};
	struct tcp_use use;

	CHECK(demi_sim_figures(w->world, &figures) == 0);
	tcp_use_mt(net_of(w), &use);
	return !use.conns && !use.syn_received && !use.timewait && !use.pushes && !use.listeners &&
	       !use.reassembly_len && !figures.buffers_used;
}

void wire_end(struct wire *w)
{
	wire_stuff(w, false);
	for (unsigned s = 0; !nothing_left(w); s += 5) {
		CHECK(s < END_S_MAX);
		wire_after(w, 5 * S);
		wire_drain(w);
	}
	CHECK(demi_sim_leave(w->world) == 0);
	CHECK(demi_sim_destroy(w->world) == 0);
}
