/*
 * GET and SET of the Redis protocol. A key is "key:" and twelve digits. A value begins with a tag
 * of eight bytes that names the run, the shard that wrote it and the version, mixed with the key;
 * the rest is a pattern of all that. So a value of another key, torn between two versions, or made
 * up, is told from a right one; and a shard knows of each key from which of its own versions on a
 * GET is right: a write that was acknowledged before the GET was asked must not be undone by an
 * earlier one. Values below eight bytes depend on the key alone.
 */
#include "load/generator.h"
#include "load/nodes.h"
#include "load/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_LEN = 16,
	TAG_LEN = 8,
	BEGIN_LEN = 18, /* of a request, before the key */
	GET_LEN = BEGIN_LEN + KEY_LEN + 2,
	VALUE_HEAD_LEN_MAX = 16, /* between the key and the value */
	HEAD_LEN_MAX = BEGIN_LEN + KEY_LEN + VALUE_HEAD_LEN_MAX,
};

/*
 * What a shard knows of its own writes to a key. SETs that overlap in time may be applied in any
 * order: a group of them begins when none is in flight and ends when none is any more, and from
 * then on any of its versions may be what is there, but none before.
 */
struct note {
	uint32_t issued; /* the last version */
	uint32_t group;	 /* the first version of the group that is in flight */
	uint32_t floor;	 /* the first version of the last group that ended */
	uint32_t in_flight;
};

struct resp {
	struct keys keys;
	struct note *notes;
	uint16_t nonce; /* of this run */
	unsigned shard_count;
	unsigned preparing_count; /* the first shards, which have connections to set keys on */
	struct nodes *nodes;	  /* of a cluster, else NULL */
	char value_head[VALUE_HEAD_LEN_MAX];
	uint32_t value_head_len;
	/* Of each server; without a cluster all are the first, as each has all keys. */
	uint64_t next_prepared[PLAN_SERVER_MAX], first_key[PLAN_SERVER_MAX];
};

static struct resp *resp_of(const struct generator *g)
{
	return g->state;
}

/* n as four digits. */
static void write_four(uint32_t n, char out[4])
{
	const uint32_t high = n / 100, low = n % 100;

	out[0] = (char)('0' + high / 10);
	out[1] = (char)('0' + high % 10);
	out[2] = (char)('0' + low / 10);
	out[3] = (char)('0' + low % 10);
}

static void write_key(uint64_t key, char out[KEY_LEN])
{
	static const char prefix[] = {'k', 'e', 'y', ':'};

	memcpy(out, prefix, sizeof(prefix));
	write_four((uint32_t)(key / 100000000), out + 4);
	write_four((uint32_t)(key / 10000 % 10000), out + 8);
	write_four((uint32_t)(key % 10000), out + 12);
}

static unsigned node_of_key(const struct resp *resp, uint64_t key)
{
	char text[KEY_LEN];

	if (!resp->nodes)
		return 0;
	write_key(key, text);
	return resp->nodes->of_slot[slot_of((struct slice){.data = text, .len = KEY_LEN})];
}

/* Which node a connection speaks for. */
static unsigned node_of(const struct resp *resp, const struct conn *conn)
{
	return resp->nodes ? conn->server : 0;
}

/* Asks who has which slot. Each node must have a key, or its connections would have nothing to ask.
 */
static int begin_cluster(struct generator *g, struct resp *resp)
{
	uint64_t key = 0;
	int error;

	resp->nodes = calloc(1, sizeof(*resp->nodes));
	error = resp->nodes ? nodes_ask(resp->nodes, &g->plan->servers[0], g->plan->timeout_ns)
			    : ENOMEM;
	if (!error && g->results->conn_count < resp->nodes->count) {
		fprintf(stderr, "load: each shard needs %u connections, one to each node\n",
			resp->nodes->count);
		error = EINVAL;
	}
	for (unsigned i = 0; !error && i < resp->nodes->count; i++) {
		for (key = 0; key < g->plan->key_count && node_of_key(resp, key) != i; key++)
			;
		resp->first_key[i] = key;
		if (key == g->plan->key_count) {
			fprintf(stderr, "load: none of %llu keys is node %u's\n",
				(unsigned long long)key, i);
			error = EINVAL;
		}
	}
	if (error)
		return error;
	g->servers = resp->nodes->addresses;
	g->server_count = resp->nodes->count;
	return 0;
}

static int begin(struct generator *g)
{
	const struct plan *plan = g->plan;
	struct resp *resp = calloc(1, sizeof(*resp));

	g->state = resp;
	if (!resp)
		return ENOMEM;
	keys_init(&resp->keys, plan->keys, plan->key_count, plan->exponent);
	resp->nonce = (uint16_t)(dice_mix(plan->seed) >> 48);
	resp->shard_count = g->run->shard_count;
	resp->preparing_count =
		plan->conn_count < resp->shard_count ? plan->conn_count : resp->shard_count;
	for (unsigned i = 0; i < PLAN_SERVER_MAX; i++)
		resp->next_prepared[i] =
			g->shard < resp->preparing_count ? g->shard : plan->key_count;
	resp->notes = calloc(plan->key_count, sizeof(*resp->notes));
	if (!resp->notes)
		return ENOMEM;
	resp->value_head_len = (uint32_t)snprintf(resp->value_head, sizeof(resp->value_head),
						  "\r\n$%u\r\n", plan->size);
	return plan->cluster ? begin_cluster(g, resp) : 0;
}

static void end(struct generator *g)
{
	if (g->state) {
		free(resp_of(g)->notes);
		free(resp_of(g)->nodes);
	}
	free(g->state);
}

/* --- requests --- */

static void set_len(const struct generator *g, struct request *request);

static void begin_set(struct generator *g, struct request *request)
{
	struct note *note = &resp_of(g)->notes[request->key];

	request->is_set = true;
	request->sequence = ++note->issued;
	if (note->in_flight++ == 0)
		note->group = request->sequence;
	set_len(g, request);
}

static void end_set(struct generator *g, const struct request *request)
{
	struct note *note = &resp_of(g)->notes[request->key];

	if (--note->in_flight == 0)
		note->floor = note->group;
}

/* Every key is set by one shard, on a connection to its node. */
static bool prepare(struct generator *g, struct conn *conn, struct request *request)
{
	struct resp *resp = resp_of(g);
	const unsigned node = node_of(resp, conn);
	uint64_t *next = &resp->next_prepared[node];

	while (*next < g->plan->key_count && node_of_key(resp, *next) != node)
		*next += resp->preparing_count;
	if (!g->plan->preload || *next >= g->plan->key_count)
		return false;
	request->key = *next;
	*next += resp->preparing_count;
	begin_set(g, request);
	return true;
}

static bool prepared(const struct generator *g)
{
	const struct resp *resp = resp_of(g);
	bool all = true;

	for (unsigned i = 0; i < (resp->nodes ? resp->nodes->count : 1); i++)
		all &= resp->next_prepared[i] >= g->plan->key_count;
	return all || !g->plan->preload;
}

/* Of the keys that the connection's node has. */
static uint64_t draw_key(struct generator *g, const struct conn *conn)
{
	struct resp *resp = resp_of(g);
	const unsigned node = node_of(resp, conn);
	uint64_t key;

	if (g->plan->keys == KEYS_HOT)
		return resp->first_key[node];
	do {
		key = keys_draw(&resp->keys, &g->dice);
	} while (node_of_key(resp, key) != node);
	return key;
}

static void draw(struct generator *g, struct conn *conn, struct request *request)
{
	struct resp *resp = resp_of(g);

	request->key = draw_key(g, conn);
	if (dice_unit(&g->dice) > g->plan->get_share) {
		begin_set(g, request);
	} else {
		request->sequence = resp->notes[request->key].floor;
		set_len(g, request);
	}
}

/* --- bytes --- */

/* All before the value, or all of a GET. */
static uint32_t head_len(const struct generator *g, const struct request *request)
{
	return request->is_set ? BEGIN_LEN + KEY_LEN + resp_of(g)->value_head_len : GET_LEN;
}

static void write_head(const struct generator *g, const struct request *request,
		       char out[HEAD_LEN_MAX])
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$16\r\n",
			  set[] = "*3\r\n$3\r\nSET\r\n$16\r\n", end[] = {'\r', '\n'};

	memcpy(out, request->is_set ? set : get, BEGIN_LEN);
	write_key(request->key, out + BEGIN_LEN);
	if (request->is_set)
		memcpy(out + BEGIN_LEN + KEY_LEN, resp_of(g)->value_head, VALUE_HEAD_LEN_MAX);
	else
		memcpy(out + BEGIN_LEN + KEY_LEN, end, sizeof(end));
}

static void set_len(const struct generator *g, struct request *request)
{
	request->len = head_len(g, request) + (request->is_set ? g->plan->size + 2 : 0);
}

static uint64_t key_mask(uint64_t key)
{
	return dice_mix(key ^ UINT64_C(0x6b65793a6b65793a));
}

/* {run 16, shard 8, 0, version 32} */
static uint64_t tag_of(const struct generator *g, const struct request *request)
{
	return (uint64_t)resp_of(g)->nonce << 48 | (uint64_t)g->shard << 40 | request->sequence;
}

static uint64_t value_seed(uint64_t key, uint64_t tag)
{
	return dice_mix(key_mask(key) + tag);
}

/* Bytes of the value from pos on. */
static void write_value(const struct generator *g, const struct request *request, uint32_t pos,
			uint8_t *out, uint32_t len)
{
	const uint64_t tag = tag_of(g, request), mixed = tag ^ key_mask(request->key);
	uint32_t n = 0;

	if (g->plan->size < TAG_LEN) {
		pattern_fill(key_mask(request->key), pos, out, len);
		return;
	}
	if (pos < TAG_LEN) {
		n = len < TAG_LEN - pos ? len : TAG_LEN - pos;
		memcpy(out, (const uint8_t *)&mixed + pos, n);
	}
	pattern_fill(value_seed(request->key, tag), pos + n, out + n, len - n);
}

static uint32_t write_bytes(const struct generator *g, const struct conn *conn,
			    const struct request *request, uint32_t pos, uint8_t *out,
			    uint32_t room)
{
	const uint32_t value_at = head_len(g, request), size = g->plan->size;
	char head[HEAD_LEN_MAX];
	uint32_t len = 0, n;

	(void)conn;
	if (pos == 0 && room >= HEAD_LEN_MAX) {
		write_head(g, request, (char *)out);
		len = value_at;
	} else if (pos < value_at) {
		write_head(g, request, head);
		len = value_at - pos < room ? value_at - pos : room;
		memcpy(out, head + pos, len);
	}
	if (request->is_set && len < room && pos + len < value_at + size) {
		n = value_at + size - pos - len;
		n = n < room - len ? n : room - len;
		write_value(g, request, pos + len - value_at, out + len, n);
		len += n;
	}
	for (; len < room && pos + len < request->len; len++)
		out[len] = (uint8_t) "\r\n"[pos + len - value_at - size];
	return len;
}

/* --- answers --- */

/* The tag is whole: is it one that may be read by this GET? NULL, or what is wrong. */
static const char *check_tag(const struct generator *g, struct conn *conn,
			     const struct request *request)
{
	const struct resp *resp = resp_of(g);
	uint64_t tag;
	unsigned shard;
	uint32_t version;

	memcpy(&tag, conn->value.tag, sizeof(tag));
	tag ^= key_mask(request->key);
	shard = (uint8_t)(tag >> 40);
	version = (uint32_t)tag;
	conn->value.seed = value_seed(request->key, tag);
	conn->value.foreign = tag >> 48 != resp->nonce || shard >= resp->shard_count;
	if (conn->value.foreign)
		return g->plan->preload || request->sequence > 0
			       ? "a value that was never written to this key"
			       : NULL;
	if (shard != g->shard)
		return NULL;
	if (version < request->sequence)
		return "an old value: a write that was acknowledged is lost";
	return version > resp->notes[request->key].issued ? "a value before it was written" : NULL;
}

/* n bytes of the value. NULL, or what is wrong with them. */
static const char *check_value(const struct generator *g, struct conn *conn,
			       const struct request *request, const uint8_t *data, uint32_t n)
{
	const uint64_t pos = conn->reply.bulk_got - n;
	const char *wrong;
	uint32_t skip = 0;

	if (request->is_set)
		return "a SET was answered with a value";
	if ((uint64_t)conn->reply.bulk_len < TAG_LEN)
		return (uint64_t)conn->reply.bulk_len == g->plan->size &&
				       pattern_is(key_mask(request->key), pos, data, n)
			       ? NULL
			       : "a value that was never written to this key";
	if (pos < TAG_LEN) {
		skip = n < TAG_LEN - pos ? n : (uint32_t)(TAG_LEN - pos);
		memcpy(conn->value.tag + pos, data, skip);
		if (pos + skip < TAG_LEN)
			return NULL;
		wrong = check_tag(g, conn, request);
		if (wrong)
			return wrong;
	}
	if (conn->value.foreign)
		return NULL;
	return conn->reply.bulk_len == g->plan->size &&
			       pattern_is(conn->value.seed, pos + skip, data + skip, n - skip)
		       ? NULL
		       : "a value that is not as it was written";
}

/* The server sends what it likes; what is told of it goes into JSON and onto terminals. */
static void note_error(struct results *results, const char *line)
{
	results_count(&results->faults[FAULT_ANSWER], 1);
	for (size_t i = 0; line[i] && results->fault_text[i] == 0; i++)
		results->fault_text[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
}

/* The reply is whole. NULL, or what is wrong. */
static const char *check_end(struct generator *g, struct conn *conn, const struct request *request)
{
	const struct reply *reply = &conn->reply;

	if (reply->type == '-') {
		note_error(g->results, reply->line);
		return NULL;
	}
	if (request->is_set) {
		if (reply->type != '+' || strcmp(reply->line, "OK") != 0)
			return "a SET was answered with something else than OK";
		end_set(g, request);
		return NULL;
	}
	if (reply->type == '_' || (reply->type == '$' && reply->bulk_len < 0))
		return (g->plan->preload || request->sequence > 0) && !g->plan->missing_allowed
			       ? "a key that was set is not there"
			       : NULL;
	if (reply->type != '$')
		return "a GET was answered with no string";
	/* Whose a shorter one is was not looked at. */
	return (uint64_t)reply->bulk_len == g->plan->size ||
			       (reply->bulk_len >= TAG_LEN && conn->value.foreign)
		       ? NULL
		       : "a value of another length";
}

static uint32_t read_bytes(struct generator *g, struct conn *conn, struct request *request,
			   const uint8_t *data, uint32_t len, bool *done, enum fault *fault,
			   const char **text)
{
	uint32_t used;
	const enum reply_event event = reply_feed(&conn->reply, data, len, &used);

	*text = NULL;
	*fault = FAULT_WRONG;
	if (event == REPLY_BAD) {
		*fault = FAULT_PROTOCOL;
		return 0;
	}
	if (event == REPLY_BULK) {
		*text = check_value(g, conn, request, data, used);
	} else if (event == REPLY_DONE) {
		*text = check_end(g, conn, request);
		*done = true;
	}
	return *text ? 0 : used;
}

const struct workload workload_resp = {
	.name = "resp",
	.begin = begin,
	.end = end,
	.prepare = prepare,
	.prepared = prepared,
	.draw = draw,
	.write = write_bytes,
	.read = read_bytes,
};
