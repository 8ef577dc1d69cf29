/* A world: its nodes and links, from its beginning to its end. */
#include "mem/check.h"
#include "mem/rcu.h"
#include "sim/sim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- begin and end --- */

/* The EAL's main lcore, and the one reader of RCU, is the thread of the first world. */
static int start_once(void)
{
	static bool started;
	static pthread_t thread;
	const char *why;

	if (started)
		return pthread_equal(thread, pthread_self()) ? 0 : EPERM;
	if (nic_eal_start(&(struct nic_eal_config){0}, &why)) {
		fprintf(stderr, "clowder-sim: %s\n", why);
		return EIO;
	}
	rcu_register_thread();
	thread = pthread_self();
	started = true;
	return 0;
}

int demi_sim_create(struct demi_sim **out, uint64_t seed)
{
	struct demi_sim *world;
	int error;

	if (!out)
		return EINVAL;
	error = start_once();
	if (error)
		return error;
	world = calloc(1, sizeof(*world));
	if (!world)
		return ENOMEM;
	world->seed = seed ^ UINT64_C(0x5eed5eed5eed5eed);
	if (!world->seed)
		world->seed = 1; /* 0 would be the system's randomness */
	random_init(&world->random, world->seed, 0x70000000u);
	*out = world;
	return 0;
}

static void free_frames(struct demi_sim *world)
{
	struct sim_event event;

	while (heap_pop(&world->heap, &event))
		if (event.kind == SIM_EVENT_FRAME)
			free(event.frame);
	free(world->heap.events);
}

static void free_node(struct sim_node *node)
{
	struct sim_frame *frame;

	while ((frame = TAILQ_FIRST(&node->frames))) {
		TAILQ_REMOVE(&node->frames, frame, link);
		free(frame);
	}
	free(node->learned);
	free(node);
}

static void free_links(struct demi_sim *world)
{
	for (int i = 0; i < world->link_count; i++) {
		free(world->links[i]->lanes[0].waiting);
		free(world->links[i]->lanes[1].waiting);
		free(world->links[i]);
	}
	free(world->links);
}

int demi_sim_destroy(struct demi_sim *world)
{
	struct sim_current elsewhere;
	unsigned missing = 0;

	if (!world)
		return EINVAL;
	if (sim_current.fiber)
		return EBUSY;
	if (sim_entered && sim_entered->host->world == world)
		demi_sim_leave(world);
	elsewhere = sim_save(); /* entered in another world, or nobody */
	world->watch = NULL;
	for (int i = 0; i < world->node_count; i++) {
		if (world->nodes[i]->host)
			host_destroy(world->nodes[i]->host, &missing);
		world->nodes[i]->host = NULL;
	}
	sim_restore(&elsewhere);
	free_frames(world);
	for (int i = 0; i < world->node_count; i++)
		free_node(world->nodes[i]);
	free(world->nodes);
	free_links(world);
	trace_close(world);
	free(world);
	if (missing)
		fprintf(stderr, "clowder-sim: %u packet buffers were not given back\n", missing);
	return missing ? EIO : 0;
}

uint64_t demi_sim_random(struct demi_sim *world)
{
	return world ? random_next(&world->random) : 0;
}

int demi_sim_watch(struct demi_sim *world, void (*fn)(int host, int shard, void *arg), void *arg)
{
	if (!world)
		return EINVAL;
	world->watch = fn;
	world->watch_arg = arg;
	return 0;
}

/* --- nodes --- */
int sim_node_add(struct demi_sim *world, enum sim_node_kind kind, struct sim_node **out)
{
	struct sim_node **nodes =
		realloc(world->nodes, ((size_t)world->node_count + 1) * sizeof(struct sim_node *));
	struct sim_node *node = nodes ? calloc(1, sizeof(*node)) : NULL;

	if (nodes)
		world->nodes = nodes;
	if (!node)
		return ENOMEM;
	node->kind = kind;
	node->number = world->node_count;
	node->link = -1;
	TAILQ_INIT(&node->frames);
	world->nodes[world->node_count++] = node;
	*out = node;
	return 0;
}

static int add(struct demi_sim *world, enum sim_node_kind kind, int *node_out)
{
	struct sim_node *node;
	int error;

	if (!world || !node_out)
		return EINVAL;
	error = sim_node_add(world, kind, &node);
	if (!error)
		*node_out = node->number;
	return error;
}

int demi_sim_switch(struct demi_sim *world, int *node_out)
{
	return add(world, SIM_SWITCH, node_out);
}

int demi_sim_open_end(struct demi_sim *world, int *node_out)
{
	return add(world, SIM_OPEN_END, node_out);
}

struct sim_node *sim_node_or_null(struct demi_sim *world, int node, enum sim_node_kind kind)
{
	if (!world || node < 0 || node >= world->node_count || world->nodes[node]->kind != kind)
		return NULL;
	return world->nodes[node];
}

struct sim_host *sim_host_or_null(struct demi_sim *world, int host)
{
	struct sim_node *node = sim_node_or_null(world, host, SIM_HOST);

	return node ? node->host : NULL;
}

struct sim_shard *sim_shard_or_null(struct demi_sim *world, int host, int shard)
{
	struct sim_host *self = sim_host_or_null(world, host);

	return self && shard >= 0 && shard < self->shard_count ? &self->shards[shard] : NULL;
}

/* --- links --- */
static int check_plug(struct demi_sim *world, int node, int port)
{
	const struct sim_node *at;

	if (node < 0 || node >= world->node_count)
		return EINVAL;
	at = world->nodes[node];
	if (at->kind != SIM_HOST) {
		if (port)
			return EINVAL;
		return at->kind == SIM_OPEN_END && at->link >= 0 ? EBUSY : 0;
	}
	if (port < 0 || (unsigned)port >= at->host->port_count)
		return EINVAL;
	return nic_plugged(at->host->ports[port]) ? EBUSY : 0;
}

static void plug(struct demi_sim *world, int link, int side)
{
	struct sim_link *at = world->links[link];
	struct sim_node *node = world->nodes[at->nodes[side]];

	node->link = link;
	if (node->kind == SIM_HOST)
		nic_plug(node->host->ports[at->ports[side]], link, side);
}

static void init_lane(struct demi_sim *world, int link, int direction)
{
	struct sim_lane *lane = &world->links[link]->lanes[direction];

	lane->world = world;
	lane->link = link;
	lane->direction = direction;
	lane->path.size = sizeof(lane->path);
	random_init(&lane->random, world->seed,
		    0x20000000u + 2 * (unsigned)link + (unsigned)direction);
}

int demi_sim_link(struct demi_sim *world, int node_a, int port_a, int node_b, int port_b,
		  int *link_out)
{
	struct sim_link **links, *link;
	int error;

	if (!world || !link_out || (node_a == node_b && port_a == port_b))
		return EINVAL;
	error = check_plug(world, node_a, port_a);
	if (!error)
		error = check_plug(world, node_b, port_b);
	if (error)
		return error;
	links = realloc(world->links, ((size_t)world->link_count + 1) * sizeof(struct sim_link *));
	link = links ? calloc(1, sizeof(*link)) : NULL;
	if (links)
		world->links = links;
	if (!link)
		return ENOMEM;
	*link = (struct sim_link){.nodes = {node_a, node_b}, .ports = {port_a, port_b}};
	world->links[world->link_count] = link;
	for (int side = 0; side < 2; side++) {
		init_lane(world, world->link_count, side);
		plug(world, world->link_count, side);
	}
	*link_out = world->link_count++;
	return 0;
}

static struct sim_lane *lane_or_null(struct demi_sim *world, int link, int direction)
{
	if (!world || link < 0 || link >= world->link_count ||
	    (direction != DEMI_SIM_A_TO_B && direction != DEMI_SIM_B_TO_A))
		return NULL;
	return &world->links[link]->lanes[direction == DEMI_SIM_B_TO_A];
}

static bool is_sane(const struct demi_sim_path *path)
{
	const uint32_t ppm_max = 1000000;
	const uint64_t ns_max = UINT64_C(1) << 60;

	return path->loss_ppm <= ppm_max && path->mark_ppm <= ppm_max &&
	       path->corrupt_ppm <= ppm_max && path->truncate_ppm <= ppm_max &&
	       path->duplicate_ppm <= ppm_max && path->reorder_ppm <= ppm_max &&
	       path->delay_ns < ns_max && path->jitter_ns < ns_max && path->reorder_ns < ns_max;
}

int demi_sim_link_set(struct demi_sim *world, int link, int direction,
		      const struct demi_sim_path *path)
{
	if (!world || !path || path->size < sizeof(*path) || !is_sane(path) || link < 0 ||
	    link >= world->link_count || direction < DEMI_SIM_A_TO_B || direction > DEMI_SIM_BOTH)
		return EINVAL;
	if (direction & DEMI_SIM_A_TO_B)
		world->links[link]->lanes[0].path = *path;
	if (direction & DEMI_SIM_B_TO_A)
		world->links[link]->lanes[1].path = *path;
	return 0;
}

int demi_sim_link_get(struct demi_sim *world, int link, int direction, struct demi_sim_path *path)
{
	const struct sim_lane *lane = lane_or_null(world, link, direction);

	if (!lane || !path || path->size < sizeof(*path))
		return EINVAL;
	*path = lane->path;
	return 0;
}

int demi_sim_link_figures(struct demi_sim *world, int link, int direction,
			  struct demi_sim_link_figures *out)
{
	const struct sim_lane *lane = lane_or_null(world, link, direction);

	if (!lane || !out || out->size < sizeof(*out))
		return EINVAL;
	*out = lane->figures;
	out->size = sizeof(*out);
	return 0;
}

/* --- an open wire end --- */
int demi_sim_inject(struct demi_sim *world, int open_end, const void *frame, size_t len)
{
	struct sim_node *node = sim_node_or_null(world, open_end, SIM_OPEN_END);
	struct sim_frame *copy;

	if (!node || !frame || !len || len > SIM_FRAME_LEN_MAX)
		return EINVAL;
	if (node->link < 0)
		return ENOTCONN;
	copy = frame_new_or_null((uint32_t)len);
	if (!copy)
		return ENOMEM;
	memcpy(copy->bytes, frame, len);
	link_send(world, node->link, world->links[node->link]->nodes[1] == open_end, copy);
	return 0;
}

int demi_sim_take(struct demi_sim *world, int open_end, void *frame, size_t size, size_t *len_out,
		  uint64_t *at_ns_out)
{
	struct sim_node *node = sim_node_or_null(world, open_end, SIM_OPEN_END);
	struct sim_frame *first;

	if (!node || (!frame && size))
		return EINVAL;
	first = TAILQ_FIRST(&node->frames);
	if (!first)
		return EAGAIN;
	TAILQ_REMOVE(&node->frames, first, link);
	if (size)
		memcpy(frame, first->bytes, first->len < size ? first->len : size);
	if (len_out)
		*len_out = first->len;
	if (at_ns_out)
		*at_ns_out = first->at_ns;
	free(first);
	return 0;
}
