#include "world.h"

#include "client.h"
#include "fragments.h"
#include "plan.h"
#include "server.h"

#include <demi/ext.h>
#include <demi/sim.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define S 1000000000ull

/* However bad it was: when all is well again everything ends within this time. */
#define END_NS (7200 * S)

enum {
	CLIENT_MAX = (PLAN_HOST_MAX - 1) * PLAN_SHARD_MAX,
	WORLD_S_MAX = 60, /* of cpu time, however busy the machine is */
	SIGNAL_S_MAX = 5, /* to say what happened */
};

struct world {
	struct demi_sim *sim;
	struct plan plan;
	struct deeds *deeds;
	int hosts[PLAN_HOST_MAX], links[PLAN_HOST_MAX + 2];
	struct demi_sim_path paths[PLAN_HOST_MAX + 2]; /* of the links, without trouble */
	unsigned link_count;
	struct fragments fragments;
	struct server server;
	struct client clients[CLIENT_MAX];
	unsigned client_count, clients_left;
};

/* For failed(), which knows no argument. */
static struct world *running;

static void print_line(const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "  %s\n", text);
}

static void print_recent(void)
{
	fprintf(stderr, "at %.9f s, after\n", (double)demi_sim_now(running->sim) / 1e9);
	demi_sim_recent(running->sim, print_line, NULL);
	fprintf(stderr, "again: tests/sim/run --seed %lu --draw %u --trace seed.pcap\n",
		(unsigned long)running->plan.seed, running->plan.draw);
}

/* 0: no more. */
static void limit_cpu_time(int seconds)
{
	const struct itimerval limit = {.it_value.tv_sec = seconds};

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* A check of Clowder's own did not hold, or the world does not come to an end. A handler may not
 * print like this, but the process is lost anyhow; should it hang, the alarm ends it. */
static void on_signal(int number)
{
	signal(number, SIG_DFL);
	limit_cpu_time(0);
	alarm(SIGNAL_S_MAX);
	fprintf(stderr, "seed %lu: %s\n", (unsigned long)running->plan.seed,
		number == SIGPROF ? "this world does not come to an end" : strsignal(number));
	print_recent();
	_exit(1);
}

static void watch_signals(void)
{
	static const int numbers[] = {SIGPROF, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};

	struct sigaction now;

	/* A sanitizer's own says more. */
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			signal(numbers[i], on_signal);
	limit_cpu_time(WORLD_S_MAX);
}

void failed(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "seed %lu: ", (unsigned long)running->plan.seed);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	print_recent();
	exit(1);
}

static void check(int error, const char *what)
{
	if (error)
		failed("%s: %s", what, demi_strerror(error));
}

/* --- the beginning --- */

static void make_hosts(struct world *w)
{
	for (unsigned i = 0; i < w->plan.host_count; i++) {
		char config[PLAN_CONFIG_LEN];
		const struct demi_sim_host_options options = {.size = sizeof(options),
							      .config = config};

		plan_config(&w->plan, i, config);
		check(demi_sim_host(w->sim, &options, &w->hosts[i]), "host");
		w->deeds->hosts++;
		w->deeds->shards += w->plan.hosts[i].shards;
	}
}

static void make_link(struct world *w, int a, int b)
{
	const unsigned i = w->link_count++;
	struct demi_sim_path *path = &w->paths[i];

	*path = w->plan.path;
	if (w->plan.clean_wires >> i & 1)
		*path = (struct demi_sim_path){.size = sizeof(*path), .delay_ns = path->delay_ns};
	check(demi_sim_link(w->sim, a, 0, b, 0, &w->links[i]), "link");
	check(demi_sim_link_set(w->sim, w->links[i], DEMI_SIM_BOTH, path), "link_set");
}

/* The wire end that sends fragments. */
static void make_open_end(struct world *w, int lan)
{
	int open_end;

	check(demi_sim_open_end(w->sim, &open_end), "open_end");
	make_link(w, open_end, lan);
	w->fragments = (struct fragments){.sim = w->sim, .plan = &w->plan, .open_end = open_end};
}

/* Two hosts may be a direct wire; more are a LAN, of one switch or two. */
static void make_wires(struct world *w)
{
	int lan, beyond;

	if (w->plan.host_count == 2 && plan_dice(&w->plan, 2)) {
		make_link(w, w->hosts[0], w->hosts[1]);
		w->plan.fragmented = 0;
		return;
	}
	check(demi_sim_switch(w->sim, &lan), "switch");
	beyond = lan;
	if (w->plan.two_switches)
		check(demi_sim_switch(w->sim, &beyond), "switch");
	for (unsigned i = 0; i < w->plan.host_count; i++)
		make_link(w, w->hosts[i], w->plan.hosts[i].far ? beyond : lan);
	if (w->plan.two_switches)
		make_link(w, lan, beyond);
	if (w->plan.fragmented)
		make_open_end(w, lan);
}

static void start_client(struct world *w, unsigned host, unsigned shard)
{
	struct client *client = &w->clients[w->client_count++];

	*client = (struct client){.plan = w->plan,
				  .sim = w->sim,
				  .number = w->client_count * 1000,
				  .clients_left = &w->clients_left,
				  .deeds = w->deeds};
	client->plan.random += w->client_count;
	check(demi_sim_program(w->sim, w->hosts[host], (int)shard, client_main, client), "program");
}

static void start_programs(struct world *w)
{
	for (unsigned i = 1; i < w->plan.host_count; i++)
		w->clients_left += w->plan.hosts[i].shards;
	w->server = (struct server){.plan = &w->plan,
				    .sim = w->sim,
				    .clients_left = &w->clients_left,
				    .deeds = w->deeds};
	check(demi_sim_program(w->sim, w->hosts[0], -1, server_main, &w->server), "program");
	/* It listens before the first client comes. */
	check(demi_sim_advance(w->sim, 1000000), "advance");
	for (unsigned i = 1; i < w->plan.host_count; i++)
		for (unsigned shard = 0; shard < w->plan.hosts[i].shards; shard++)
			start_client(w, i, shard);
}

/* --- trouble --- */

static void note(struct world *w, enum drawn_trouble trouble)
{
	w->deeds->trouble_kinds |= 1u << trouble;
}

static void trouble_device(struct world *w, int host)
{
	const uint32_t kind = plan_dice(&w->plan, 4);
	const struct demi_sim_device device = {.size = sizeof(device),
					       .down = kind == 0,
					       .rx_stalled = kind == 1,
					       .tx_refused = kind == 2,
					       .tx_refuse_ppm = kind == 3 ? 500000 : 0};

	note(w, DRAWN_device_down + kind);
	check(demi_sim_device_set(w->sim, host, 0, &device), "device_set");
}

static void trouble_wire(struct world *w)
{
	const bool cut = plan_dice(&w->plan, 2);
	const int direction = 1 + (int)plan_dice(&w->plan, 3);
	const unsigned link = plan_dice(&w->plan, w->link_count);
	struct demi_sim_path path = w->paths[link];

	if (cut)
		path.cut = 1;
	else
		path.loss_ppm = 300000;
	note(w, cut ? DRAWN_wire_cut : DRAWN_heavy_loss);
	check(demi_sim_link_set(w->sim, w->links[link], direction, &path), "link_set");
}

static void trouble_memory(struct world *w, unsigned i)
{
	const int shard = (int)plan_dice(&w->plan, w->plan.hosts[i].shards);
	const uint32_t count = 700 + plan_dice(&w->plan, 400);

	const int pool = (int)plan_dice(&w->plan, 3);

	/* ENOBUFS: it took all there were. */
	if (demi_sim_squeeze(w->sim, w->hosts[i], shard, pool, count) == ENOBUFS)
		note(w, DRAWN_pool_data_exhausted + (unsigned)pool);
}

static void begin_trouble(struct world *w)
{
	const unsigned i = plan_dice(&w->plan, w->plan.host_count);

	w->deeds->troubles++;
	switch (plan_dice(&w->plan, 4)) {
	case 0:
		trouble_device(w, w->hosts[i]);
		break;
	case 1:
		trouble_wire(w);
		break;
	case 2:
		trouble_memory(w, i);
		break;
	default:
		note(w, DRAWN_clock_jump);
		check(demi_sim_clock_jump(w->sim, w->hosts[i], plan_dice(&w->plan, 30) * S),
		      "clock_jump");
	}
}

static void end_trouble(struct world *w)
{
	const struct demi_sim_device device = {.size = sizeof(device)};

	for (unsigned i = 0; i < w->link_count; i++)
		check(demi_sim_link_set(w->sim, w->links[i], DEMI_SIM_BOTH, &w->paths[i]),
		      "link_set");
	for (unsigned i = 0; i < w->plan.host_count; i++) {
		check(demi_sim_device_set(w->sim, w->hosts[i], 0, &device), "device_set");
		for (unsigned shard = 0; shard < w->plan.hosts[i].shards; shard++)
			for (int pool = 0; pool < 3; pool++)
				check(demi_sim_squeeze(w->sim, w->hosts[i], (int)shard, pool, 0),
				      "squeeze");
	}
}

static void suffer(struct world *w)
{
	for (unsigned i = 0; i < w->plan.trouble_count; i++) {
		check(demi_sim_advance(w->sim, plan_dice(&w->plan, 200000000)), "advance");
		begin_trouble(w);
		check(demi_sim_advance(w->sim, plan_dice(&w->plan, 2000000000)), "advance");
		if (plan_dice(&w->plan, 2))
			end_trouble(w);
	}
	end_trouble(w);
}

/* A gap of up to gap_ns between each two. */
static void send_fragments(struct world *w)
{
	const unsigned gap_ns = 1 + plan_dice(&w->plan, 3000000);

	while (w->fragments.sent < w->plan.fragmented) {
		fragments_send(&w->fragments);
		check(demi_sim_advance(w->sim, plan_dice(&w->plan, gap_ns)), "advance");
	}
	w->deeds->fragmented += w->fragments.whole;
}

/* --- the end --- */

static void finish(struct world *w)
{
	const int error = demi_sim_run(w->sim, END_NS);

	for (unsigned i = 0; error && i < w->client_count; i++)
		client_print(&w->clients[i]);
	if (error)
		failed("%s", error == EDEADLK ? "programs wait, and nothing will ever happen"
					      : "programs did not end in time");
}

static void check_results(struct world *w)
{
	for (unsigned i = 0; i < w->plan.host_count; i++) {
		for (unsigned shard = 0; shard < w->plan.hosts[i].shards; shard++) {
			int result = -1;

			check(demi_sim_result(w->sim, w->hosts[i], (int)shard, &result), "result");
			if (result)
				failed("a program ended with %d", result);
		}
	}
}

static void add_figures(struct world *w)
{
	struct demi_sim_figures figures = {.size = sizeof(figures)};

	check(demi_sim_figures(w->sim, &figures), "figures");
	w->deeds->worlds++;
	w->deeds->frames += figures.sent;
	w->deeds->dropped += figures.rx_dropped;
	w->deeds->virtual_ns += demi_sim_now(w->sim);
	drawn_count(&w->deeds->drawn, &w->plan, w->deeds->kinds, w->deeds->trouble_kinds);
	w->deeds->kinds = w->deeds->trouble_kinds = 0;
}

uint64_t world_run(uint64_t seed, unsigned draw, const char *trace, struct deeds *deeds)
{
	static struct world w;
	uint64_t digest;

	memset(&w, 0, sizeof(w));
	w.deeds = deeds;
	running = &w;
	watch_signals();
	plan_make(&w.plan, seed, draw);
	check(demi_sim_create(&w.sim, seed), "create");
	if (trace)
		check(demi_sim_trace(w.sim, trace), "trace");
	make_hosts(&w);
	make_wires(&w);
	start_programs(&w);
	if (w.plan.fragmented)
		send_fragments(&w);
	suffer(&w);
	finish(&w);
	check_results(&w);
	add_figures(&w);
	digest = demi_sim_digest(w.sim);
	/* EIO: packet buffers are missing. */
	check(demi_sim_destroy(w.sim), "destroy");
	limit_cpu_time(0);
	return digest;
}
