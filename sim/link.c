/* Wires and switches: what happens to a frame between two nodes. */
#include "sim/sim.h"

#include "mem/check.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP_LEN = 24, /* preamble, FCS and the gap between frames */
	LEARNED_MAX = 4096,
	REORDER_DEFAULT_NS = 1000000,
	NS_PER_SECOND = 1000000000,
};

struct sim_frame *frame_new_or_null(uint32_t len)
{
	struct sim_frame *frame = malloc(sizeof(*frame) + len);

	if (frame) {
		frame->len = len;
		frame->corrupted = 0;
	}
	return frame;
}

static struct sim_frame *frame_copy(const struct sim_frame *frame)
{
	struct sim_frame *copy = frame_new_or_null(frame->len);

	CHECK(copy);
	copy->corrupted = frame->corrupted;
	memcpy(copy->bytes, frame->bytes, frame->len);
	return copy;
}

/* --- the queue in front of the wire --- */
static void forget_waited(struct sim_lane *lane)
{
	while (lane->waiting_count) {
		struct sim_waiting *first = &lane->waiting[lane->waiting_first];

		if (first->start_ns > lane->world->now_ns)
			return;
		lane->waiting_bytes -= first->len;
		lane->waiting_first = (lane->waiting_first + 1) % lane->waiting_room;
		lane->waiting_count--;
	}
}

static void grow_waiting(struct sim_lane *lane)
{
	size_t room = lane->waiting_room ? 2 * lane->waiting_room : 64;
	struct sim_waiting *waiting = malloc(room * sizeof(*waiting));

	CHECK(waiting);
	for (size_t i = 0; i < lane->waiting_count; i++)
		waiting[i] = lane->waiting[(lane->waiting_first + i) % lane->waiting_room];
	free(lane->waiting);
	lane->waiting = waiting;
	lane->waiting_first = 0;
	lane->waiting_room = room;
}

static bool has_room(struct sim_lane *lane, uint32_t len)
{
	const struct demi_sim_path *path = &lane->path;

	forget_waited(lane);
	return (!path->queue_packets || lane->waiting_count < path->queue_packets) &&
	       (!path->queue_bytes || lane->waiting_bytes + len <= path->queue_bytes);
}

/* When the frame's last bit has left. */
static uint64_t depart(struct sim_lane *lane, uint32_t len)
{
	uint64_t now_ns = lane->world->now_ns;
	uint64_t start_ns = lane->free_ns > now_ns ? lane->free_ns : now_ns;

	if (!lane->path.rate_bps)
		return now_ns;
	if (start_ns > now_ns) {
		if (lane->waiting_count == lane->waiting_room)
			grow_waiting(lane);
		lane->waiting[(lane->waiting_first + lane->waiting_count++) % lane->waiting_room] =
			(struct sim_waiting){start_ns, len};
		lane->waiting_bytes += len;
	}
	lane->free_ns = start_ns + (uint64_t)((unsigned __int128)(len + GAP_LEN) * 8 *
					      NS_PER_SECOND / lane->path.rate_bps);
	return lane->free_ns;
}

/* --- what a wire does to a frame --- */
static bool mark(struct sim_frame *frame)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame->bytes;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

	if (frame->len < sizeof(*eth) + sizeof(*ip) ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || (ip->version_ihl & 15) < 5 ||
	    sizeof(*eth) + rte_ipv4_hdr_len(ip) > frame->len || !(ip->type_of_service & 3))
		return false;
	ip->type_of_service |= 3;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_raw_cksum(ip, rte_ipv4_hdr_len(ip));
	ip->hdr_checksum = (uint16_t)~ip->hdr_checksum;
	return true;
}

static void spoil(struct sim_lane *lane, struct sim_frame *frame)
{
	const struct demi_sim_path *path = &lane->path;

	if (sim_chance(&lane->random, path->mark_ppm))
		lane->figures.marked += mark(frame);
	if (sim_chance(&lane->random, path->corrupt_ppm)) {
		uint64_t bit = random_next(&lane->random) % ((uint64_t)frame->len * 8);

		if (!frame->corrupted) {
			frame->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			lane->figures.corrupted++;
		}
		frame->corrupted = 1;
	}
	if (sim_chance(&lane->random, path->truncate_ppm)) {
		frame->len = 1 + (uint32_t)(random_next(&lane->random) % frame->len);
		lane->figures.truncated++;
	}
}

static uint64_t up_to(struct random *random, uint64_t max)
{
	return max ? random_next(random) % (max + 1) : 0;
}

/* When it arrives; order is kept unless the frame is one of those that are to be overtaken. */
static uint64_t arrival_ns(struct sim_lane *lane, uint64_t departed_ns)
{
	const struct demi_sim_path *path = &lane->path;
	uint64_t at_ns = departed_ns + path->delay_ns + up_to(&lane->random, path->jitter_ns);
	uint64_t reorder_ns = path->reorder_ns ? path->reorder_ns : REORDER_DEFAULT_NS;

	if (at_ns < lane->world->now_ns + SIM_LINK_NS)
		at_ns = lane->world->now_ns + SIM_LINK_NS;
	if (at_ns < lane->arrival_ns)
		at_ns = lane->arrival_ns;
	if (sim_chance(&lane->random, path->reorder_ppm)) {
		lane->figures.reordered++;
		return at_ns + 1 + up_to(&lane->random, reorder_ns - 1);
	}
	lane->arrival_ns = at_ns;
	return at_ns;
}

static void carry(struct sim_lane *lane, struct sim_frame *frame, uint64_t departed_ns)
{
	lane->figures.under_way++;
	sim_post_frame(lane->world, lane, frame, arrival_ns(lane, departed_ns));
}

/* Counts why the frame gets nowhere. */
static bool is_lost(struct sim_lane *lane, uint32_t len)
{
	uint64_t *reason = NULL;

	if (lane->path.cut)
		reason = &lane->figures.cut;
	else if (sim_chance(&lane->random, lane->path.loss_ppm))
		reason = &lane->figures.lost;
	else if (!has_room(lane, len))
		reason = &lane->figures.queue_full;
	if (reason)
		++*reason;
	return reason;
}

void link_send(struct demi_sim *world, int link, int direction, struct sim_frame *frame)
{
	struct sim_lane *lane = &world->links[link]->lanes[direction];
	uint64_t departed_ns;

	lane->figures.sent++;
	world->figures.sent++;
	trace_frame(world, link, direction, frame, false);
	if (is_lost(lane, frame->len)) {
		trace_lost(world);
		free(frame);
		return;
	}
	departed_ns = depart(lane, frame->len);
	spoil(lane, frame);
	if (sim_chance(&lane->random, lane->path.duplicate_ppm)) {
		lane->figures.duplicated++;
		carry(lane, frame_copy(frame), departed_ns);
	}
	carry(lane, frame, departed_ns);
}

/* --- switches --- */
static struct sim_learned *learned_or_null(struct sim_node *node, const uint8_t *mac)
{
	for (unsigned i = 0; i < node->learned_count; i++)
		if (!memcmp(node->learned[i].mac, mac, RTE_ETHER_ADDR_LEN))
			return &node->learned[i];
	return NULL;
}

static void learn(struct sim_node *node, const uint8_t *mac, int link, int direction)
{
	struct sim_learned *learned = learned_or_null(node, mac);

	if (mac[0] & 1)
		return;
	if (!learned) {
		if (node->learned_count == LEARNED_MAX)
			return;
		if (node->learned_count == node->learned_room) {
			node->learned_room = node->learned_room ? 2 * node->learned_room : 16;
			node->learned =
				realloc(node->learned, node->learned_room * sizeof(*node->learned));
			CHECK(node->learned);
		}
		learned = &node->learned[node->learned_count++];
		memcpy(learned->mac, mac, RTE_ETHER_ADDR_LEN);
	}
	learned->link = link;
	learned->direction = direction;
}

static void flood(struct demi_sim *world, const struct sim_node *node, int from,
		  const struct sim_frame *frame)
{
	for (int i = 0; i < world->link_count; i++)
		for (int side = 0; side < 2; side++)
			if (i != from && world->links[i]->nodes[side] == node->number)
				link_send(world, i, side, frame_copy(frame));
}

static void forward(struct demi_sim *world, struct sim_node *node, const struct sim_lane *lane,
		    struct sim_frame *frame)
{
	const struct sim_learned *to;

	if (frame->len < RTE_ETHER_HDR_LEN) {
		free(frame);
		return;
	}
	learn(node, frame->bytes + RTE_ETHER_ADDR_LEN, lane->link, !lane->direction);
	to = frame->bytes[0] & 1 ? NULL : learned_or_null(node, frame->bytes);
	if (to && to->link != lane->link) {
		link_send(world, to->link, to->direction, frame);
		return;
	}
	if (!to)
		flood(world, node, lane->link, frame);
	free(frame);
}

void link_arrive(struct sim_lane *lane, struct sim_frame *frame)
{
	struct demi_sim *world = lane->world;
	struct sim_link *link = world->links[lane->link];
	struct sim_node *node = world->nodes[link->nodes[!lane->direction]];

	lane->figures.under_way--;
	lane->figures.delivered++;
	lane->figures.delivered_bytes += frame->len;
	world->figures.delivered++;
	trace_frame(world, lane->link, lane->direction, frame, true);
	frame->at_ns = world->now_ns;
	if (node->kind == SIM_HOST)
		nic_arrive(node->host->ports[link->ports[!lane->direction]], frame);
	else if (node->kind == SIM_SWITCH)
		forward(world, node, lane, frame);
	else
		TAILQ_INSERT_TAIL(&node->frames, frame, link);
}
