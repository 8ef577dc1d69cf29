#include "plan.h"

#include <stdio.h>

#define STANDSTILL_CALM_NS UINT64_C(40000000000)
#define STANDSTILL_MILD_NS UINT64_C(130000000000)

enum {
	LATER = 0x1a7e5, /* what tells the stream of later draws from the first */
	MILD_PPM = 12000,
};

uint32_t plan_dice(struct plan *plan, uint32_t sides)
{
	uint64_t x = plan->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ x >> 31) >> 16) % sides;
}

static bool toss(struct plan *plan)
{
	return plan_dice(plan, 2);
}

static bool one_in(struct plan *plan, uint32_t sides)
{
	return plan_dice(plan, sides) == 0;
}

/* --- the first draw --- */

/* Hardware-like: the device steers by our key and table; else in software, by what it likes. */
static void make_host(struct plan *plan, struct plan_host *host)
{
	host->shards = 1 + plan_dice(plan, PLAN_SHARD_MAX);
	host->rcvbuf_len = plan_dice(plan, 3) ? 262144 : 8192;
	host->newreno = !toss(plan);
	host->nodelay = toss(plan);
	host->sack = plan_dice(plan, 4);
	host->window_scale = toss(plan);
	host->timestamps = toss(plan);
	host->queues = toss(plan) ? 1 : host->shards;
	host->chains = toss(plan);
	host->checksum = toss(plan);
	host->rss = toss(plan);
}

static void make_path(struct plan *plan)
{
	static const uint64_t delays_ns[] = {0, 10000, 1000000, 20000000};
	static const uint32_t shares_ppm[] = {0, 1000, 10000, 50000};
	struct demi_sim_path *path = &plan->path;

	path->size = sizeof(*path);
	path->delay_ns = delays_ns[plan_dice(plan, 4)];
	if (plan_dice(plan, 3) == 0)
		return; /* a clean wire */
	path->jitter_ns = plan_dice(plan, 2) * (path->delay_ns / 2);
	path->loss_ppm = shares_ppm[plan_dice(plan, 4)];
	path->corrupt_ppm = shares_ppm[plan_dice(plan, 3)];
	path->truncate_ppm = shares_ppm[plan_dice(plan, 3)];
	path->duplicate_ppm = shares_ppm[plan_dice(plan, 4)];
	path->reorder_ppm = shares_ppm[plan_dice(plan, 4)];
	path->mark_ppm = shares_ppm[plan_dice(plan, 3)];
	path->reorder_ns = 1 + plan_dice(plan, 5000000);
	if (plan_dice(plan, 3))
		return;
	path->rate_bps = 1000000ull << plan_dice(plan, 10);
	path->queue_packets = 10 + plan_dice(plan, 100);
}

static void make_load(struct plan *plan)
{
	plan->streams = 1 + plan_dice(plan, 4);
	plan->parallel = 1 + plan_dice(plan, 4);
	plan->stream_len_max = 1u << plan_dice(plan, 17);
	if (plan_dice(plan, 6) == 0) { /* many short ones */
		plan->streams = 40;
		plan->parallel = 10;
		plan->stream_len_max = 100;
	}
	if (plan_dice(plan, 4) == 0)
		plan->read_pause_ns = 1 + plan_dice(plan, 50000000);
}

/* --- later ones --- */

static void extend_host(struct plan *plan, struct plan_host *host)
{
	static const uint32_t sndbufs[] = {0, 0, 2048, 8192};
	static const uint32_t mtus[] = {0, 0, 0, 0, 0, 0, 1280, 576};

	host->steering_software = one_in(plan, 4);
	host->pmtu_discovery = !one_in(plan, 4);
	host->few_syns = one_in(plan, 6);
	host->little_reassembly = one_in(plan, 4);
	host->acks_at_once = one_in(plan, 6);
	host->cookies = one_in(plan, 4)	  ? PLAN_COOKIES_ALWAYS
			: one_in(plan, 6) ? PLAN_COOKIES_NEVER
					  : PLAN_COOKIES_AUTO;
	host->ecn = (enum plan_ecn)plan_dice(plan, 3);
	host->sndbuf_len = sndbufs[plan_dice(plan, 4)];
	host->mtu = mtus[plan_dice(plan, 8)];
	host->route_mtu = one_in(plan, 6) ? 576 + plan_dice(plan, 900) : 0;
	host->route_mss = one_in(plan, 6) ? 88 + plan_dice(plan, 1400) : 0;
	host->far = toss(plan);
	if (one_in(plan, 8))
		host->rcvbuf_len = 2048;
}

static void extend(struct plan *plan)
{
	const struct plan_host *server = &plan->hosts[0];

	for (unsigned i = 0; i < plan->host_count; i++)
		extend_host(plan, &plan->hosts[i]);
	plan->crowded = server->few_syns && server->cookies == PLAN_COOKIES_NEVER;
	plan->cookies = server->cookies == PLAN_COOKIES_ALWAYS ||
			(server->few_syns && server->cookies == PLAN_COOKIES_AUTO);
	plan->ghosts = server->cookies != PLAN_COOKIES_NEVER &&
		       (plan->lossy || plan->path.duplicate_ppm || plan->path.reorder_ppm);
	plan->two_switches = plan->host_count > 2 && one_in(plan, 3);
	if (one_in(plan, 3))
		plan->clean_wires = plan_dice(plan, 1u << (PLAN_HOST_MAX + 1));
	if (one_in(plan, 4))
		plan->serve_pause_ns = 1 + plan_dice(plan, 20000000);
	if (one_in(plan, 2))
		plan->datagrams = 1 + plan_dice(plan, 40);
	plan->datagram_len_max = 1u << (4 + plan_dice(plan, 7));
	if (one_in(plan, 3))
		plan->fragmented = 1 + plan_dice(plan, 40);
	/* Two fragments, each with a bit flipped, may make up for each other in UDP's checksum. */
	if (plan->path.corrupt_ppm)
		plan->fragmented = 0;
}

void plan_make(struct plan *plan, uint64_t seed, unsigned draw)
{
	uint64_t first;

	*plan = (struct plan){.seed = seed, .draw = draw, .random = seed * 0x2545f4914f6cdd1du};
	plan->host_count = 2 + plan_dice(plan, PLAN_HOST_MAX - 1);
	for (unsigned i = 0; i < plan->host_count; i++)
		make_host(plan, &plan->hosts[i]);
	make_path(plan);
	make_load(plan);
	if (toss(plan))
		plan->trouble_count = 1 + plan_dice(plan, 8);
	plan->harsh = plan->trouble_count > 0;
	plan->lossy = plan->path.loss_ppm || plan->path.corrupt_ppm || plan->path.truncate_ppm ||
		      plan->path.rate_bps;
	for (unsigned i = 0; draw == 1 && i < plan->host_count; i++)
		plan->hosts[i].pmtu_discovery = true;
	if (draw == 1)
		return;
	first = plan->random;
	plan->random = seed * 0x9e3779b97f4a7c15u ^ LATER;
	extend(plan);
	plan->random = first;
}

uint64_t plan_standstill_ns_max(const struct plan *plan)
{
	const struct demi_sim_path *path = &plan->path;
	const uint32_t lost_ppm = path->loss_ppm + path->corrupt_ppm + path->truncate_ppm;

	if (plan->harsh || plan->crowded || path->rate_bps || lost_ppm > MILD_PPM)
		return UINT64_MAX;
	return plan->lossy ? STANDSTILL_MILD_NS : STANDSTILL_CALM_NS;
}

/* --- a configuration --- */

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static int write_port(const struct plan_host *host, unsigned number, char *out, size_t len)
{
	return snprintf(out, len,
			"[runtime]\nshards = %u\n"
			"[[port]]\ndevice = \"sim0,rss=%u,checksum=%u,chains=%u,queues=%u\"\n"
			"address = \"10.0.0.%u/24\"\nsteering = \"%s\"\nmtu = %u\n",
			host->shards, host->rss, host->checksum, host->chains, host->queues,
			number + 1, host->steering_software ? "software" : "auto", host->mtu);
}

/* Only where the server is in the way: the others talk to nobody else. */
static int write_route(const struct plan_host *host, unsigned number, char *out, size_t len)
{
	if (!host->route_mtu && !host->route_mss)
		return 0;
	return snprintf(out, len, "[[route]]\ndestination = \"10.0.0.%s\"\nmtu = %u\nmss = %u\n",
			number ? "1/32" : "0/29", host->route_mtu, host->route_mss);
}

/* A calm world's connections live through whatever its wires do. */
static int write_tcp(const struct plan *plan, const struct plan_host *host, char *out, size_t len)
{
	static const char *const cookies[] = {"auto", "always", "never"};
	static const char *const ecn[] = {"passive", "always", "never"};

	return snprintf(out, len,
			"[tcp]\nuser_timeout_s = %u\nsyn_timeout_s = 30\nmsl_ms = 1000\n"
			"keepalive_idle_s = 300\nkeepalive_interval_s = 10\nkeepalive_count = 20\n"
			"timestamps = %s\nwindow_scale = %s\nsack = %s\nnodelay = %s\n"
			"congestion = \"%s\"\nrcvbuf_bytes = %u\nsndbuf_bytes = %u\n"
			"syn_cookies = \"%s\"\necn = \"%s\"\npmtu_discovery = %s\n"
			"syn_queue_max = %u\ndelack_ms = %u\n",
			plan->harsh ? 60 : 600, truth(host->timestamps), truth(host->window_scale),
			truth(host->sack), truth(host->nodelay),
			host->newreno ? "newreno" : "cubic", host->rcvbuf_len,
			host->sndbuf_len ? host->sndbuf_len : 262144, cookies[host->cookies],
			ecn[host->ecn], truth(host->pmtu_discovery), host->few_syns ? 2 : 1024,
			host->acks_at_once ? 0 : 40);
}

void plan_config(const struct plan *plan, unsigned number, char out[PLAN_CONFIG_LEN])
{
	const struct plan_host *host = &plan->hosts[number];
	const int len = PLAN_CONFIG_LEN;
	int at = write_port(host, number, out, (size_t)len);

	at += write_route(host, number, out + at, (size_t)(len - at));
	at += write_tcp(plan, host, out + at, (size_t)(len - at));
	if (host->little_reassembly)
		snprintf(out + at, (size_t)(len - at),
			 "[ip]\nreassembly_datagrams = 2\nreassembly_kib = 16\n");
}
