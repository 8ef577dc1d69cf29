/* CLUSTER, READONLY, READWRITE, ASKING: what a node of the cluster says about it; see cluster.h. */
#include "kv/call.h"
#include "kv/cluster.h"
#include "kv/commands.h"
#include "kv/engine.h"
#include "kv/reply.h"
#include "kv/session.h"
#include "kv/slot.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

/* Redis's bus has this distance from a node's port. There is none here; clients parse it. */
enum { BUS_OFFSET = 10000, LINE_LEN = 256 };

struct node {
	char id[CLUSTER_ID_LEN];
	char address[INET_ADDRSTRLEN];
	uint16_t port;
	unsigned slot_first, slot_last;
};

/* False: cluster mode is off, which the reply says. */
static bool enabled(struct call *call)
{
	if (call->engine->settings->mode == KV_CLUSTER)
		return true;
	reply_error(call->out, "ERR This instance has cluster support disabled");
	return false;
}

/* A shard, as this client may reach it. */
static struct node node_of(const struct call *call, int shard)
{
	const struct engine *engine = call->engine;
	const struct in_addr ours = session_address(call->session);
	struct node node = {
		.port = cluster_port(engine->settings, shard),
		.slot_first = slot_first(shard, engine->shard_count),
		.slot_last = slot_first(shard + 1, engine->shard_count) - 1,
	};

	cluster_id(node.id, engine->settings, shard);
	inet_ntop(AF_INET, &ours, node.address, sizeof(node.address));
	return node;
}

static struct slice id_of(const struct node *node)
{
	return (struct slice){node->id, sizeof(node->id)};
}

void cmd_cluster_slots(struct call *call)
{
	const int count = call->engine->shard_count;

	if (!enabled(call))
		return;
	reply_array(call->out, (size_t)count);
	for (int i = 0; i < count; i++) {
		const struct node node = node_of(call, i);

		reply_array(call->out, 3);
		reply_integer(call->out, node.slot_first);
		reply_integer(call->out, node.slot_last);
		reply_array(call->out, 4);
		reply_text(call->out, node.address);
		reply_integer(call->out, node.port);
		reply_bulk(call->out, id_of(&node));
		reply_array(call->out, 0);
	}
}

static void reply_shard(struct out *out, const struct node *node)
{
	reply_map(out, 2);
	reply_text(out, "slots");
	reply_array(out, 2);
	reply_integer(out, node->slot_first);
	reply_integer(out, node->slot_last);
	reply_text(out, "nodes");
	reply_array(out, 1);
	reply_map(out, 7);
	reply_text(out, "id");
	reply_bulk(out, id_of(node));
	reply_text(out, "port");
	reply_integer(out, node->port);
	reply_text(out, "ip");
	reply_text(out, node->address);
	reply_text(out, "endpoint");
	reply_text(out, node->address);
	reply_text(out, "role");
	reply_text(out, "master");
	reply_text(out, "replication-offset");
	reply_integer(out, 0);
	reply_text(out, "health");
	reply_text(out, "online");
}

void cmd_cluster_shards(struct call *call)
{
	const int count = call->engine->shard_count;

	if (!enabled(call))
		return;
	reply_array(call->out, (size_t)count);
	for (int i = 0; i < count; i++) {
		const struct node node = node_of(call, i);

		reply_shard(call->out, &node);
	}
}

static void addf(struct out *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void addf(struct out *text, const char *format, ...)
{
	char line[LINE_LEN];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(line))
		out_add(text, (struct slice){line, (size_t)len});
}

/* What was gathered in text, as one string; text is empty then. */
static void reply_gathered(struct out *out, struct out *text)
{
	struct bytes *bytes = bytes_create_or_null(text->len, text->len);

	out->failed |= text->failed || !bytes;
	if (bytes) {
		out_take(text, bytes->data, bytes->len);
		reply_verbatim(out, (struct slice){bytes->data, bytes->len});
	}
	bytes_put(bytes);
	out_fini(text);
}

void cmd_cluster_nodes(struct call *call)
{
	struct out text;

	if (!enabled(call))
		return;
	out_init(&text, 2);
	for (int i = 0; i < call->engine->shard_count; i++) {
		const struct node node = node_of(call, i);

		addf(&text, "%.*s %s:%u@%u %smaster - 0 0 %d connected %u-%u\n", CLUSTER_ID_LEN,
		     node.id, node.address, node.port, (node.port + BUS_OFFSET) & UINT16_MAX,
		     i == call->engine->shard ? "myself," : "", i + 1, node.slot_first,
		     node.slot_last);
	}
	reply_gathered(call->out, &text);
}

void cmd_cluster_info(struct call *call)
{
	const int count = call->engine->shard_count;
	struct out text;

	if (!enabled(call))
		return;
	out_init(&text, 2);
	addf(&text, "cluster_state:ok\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\n",
	     SLOT_COUNT, SLOT_COUNT);
	addf(&text, "cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n");
	addf(&text, "cluster_known_nodes:%d\r\ncluster_size:%d\r\n", count, count);
	addf(&text, "cluster_current_epoch:%d\r\ncluster_my_epoch:%d\r\n", count,
	     call->engine->shard + 1);
	addf(&text, "cluster_stats_messages_sent:0\r\ncluster_stats_messages_received:0\r\n");
	addf(&text, "total_cluster_links_buffer_limit_exceeded:0\r\n");
	reply_gathered(call->out, &text);
}

void cmd_cluster_myid(struct call *call)
{
	if (enabled(call)) {
		const struct node node = node_of(call, call->engine->shard);

		reply_bulk(call->out, id_of(&node));
	}
}

void cmd_cluster_links(struct call *call)
{
	if (enabled(call))
		reply_array(call->out, 0);
}

/* No node has any. */
void cmd_cluster_replicas(struct call *call)
{
	const struct slice name = call_arg(call, 2);

	if (!enabled(call))
		return;
	for (int i = 0; i < call->engine->shard_count; i++) {
		const struct node node = node_of(call, i);

		if (slice_equal(name, id_of(&node))) {
			reply_array(call->out, 0);
			return;
		}
	}
	reply_errorf(call->out, "ERR Unknown node %.*s", (int)name.len, name.data);
}

void cmd_cluster_keyslot(struct call *call)
{
	if (enabled(call))
		reply_integer(call->out, slot_of(call_arg(call, 2)));
}

/* --- keys of a slot --- */

struct search {
	struct out *out; /* NULL: only counts */
	unsigned slot;
	int64_t found, wanted;
};

static void look(void *arg, struct entry *entry)
{
	struct search *search = arg;

	if (search->found >= search->wanted || slot_of(entry_key(entry)) != search->slot)
		return;
	search->found++;
	if (search->out)
		reply_bulk(search->out, entry_key(entry));
}

static void search_all(const struct call *call, struct search *search)
{
	uint64_t cursor = 0;

	do
		cursor = store_scan(call->engine->store, 0, cursor, look, search);
	while (cursor != 0 && search->found < search->wanted);
}

void cmd_cluster_countkeysinslot(struct call *call)
{
	struct search search = {.wanted = INT64_MAX};
	int64_t slot;

	if (!enabled(call) || !call_integer(call, 2, &slot))
		return;
	if (slot < 0 || slot >= SLOT_COUNT) {
		reply_error(call->out, "ERR Invalid slot");
		return;
	}
	search.slot = (unsigned)slot;
	search_all(call, &search);
	reply_integer(call->out, search.found);
}

void cmd_cluster_getkeysinslot(struct call *call)
{
	struct search search = {0};
	struct out keys;
	int64_t slot;

	if (!enabled(call) || !call_integer(call, 2, &slot) ||
	    !call_integer(call, 3, &search.wanted))
		return;
	if (slot < 0 || slot >= SLOT_COUNT || search.wanted < 0) {
		reply_error(call->out, "ERR Invalid slot or number of keys");
		return;
	}
	search.slot = (unsigned)slot;
	search.out = &keys;
	out_init(&keys, call->out->resp);
	search_all(call, &search);
	reply_array(call->out, (size_t)search.found);
	out_move(call->out, &keys);
	out_fini(&keys);
}

/* --- what changes nothing here: no node is a replica, no slot moves --- */

static void agree(struct call *call)
{
	if (enabled(call))
		reply_status(call->out, "OK");
}

void cmd_readonly(struct call *call)
{
	agree(call);
}

void cmd_readwrite(struct call *call)
{
	agree(call);
}

void cmd_asking(struct call *call)
{
	agree(call);
}

void cmd_cluster_help(struct call *call)
{
	static const char *const lines[] = {
		"COUNTKEYSINSLOT <slot>",
		"    How many keys of the slot this node has.",
		"GETKEYSINSLOT <slot> <count>",
		"    Up to so many of their names.",
		"INFO",
		"    Whether the cluster is well, and how large it is.",
		"KEYSLOT <key>",
		"    The slot that the key, or its {tag}, belongs to.",
		"LINKS",
		"    The connections between nodes: there are none, they share a process.",
		"MYID",
		"    The name of this node.",
		"NODES",
		"    All nodes, one a line:",
		"    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
		"REPLICAS <node-id>",
		"    The replicas of a node: there are none.",
		"SHARDS",
		"    Runs of slots, each with the node that serves them.",
		"SLOTS",
		"    Runs of slots as older clients ask for them, each:",
		"    first and last slot, then address, port and name of the node",
		NULL,
	};

	if (enabled(call))
		call_help(call, "CLUSTER", lines);
}
