#include "kv/out.h"

#include "kv/heap.h"

enum {
	/* With its node: a first block for a few short replies, and the next ones for more. */
	BLOCK_LEN_FIRST = 512,
	BLOCK_LEN = 4096,
	/* An answer up to so long is copied into the place that waits for it. */
	PLACE_TEXT_LEN = 128,
	/* Up to so long moving costs more than copying. */
	COPY_LEN_MAX = 1024,
};

void out_init(struct out *out, int resp)
{
	*out = (struct out){.resp = resp};
	STAILQ_INIT(&out->nodes);
}

static size_t node_room(const struct out_node *node)
{
	return sizeof(*node) + node->cap;
}

static void free_node(struct out_node *node)
{
	if (node->kind == OUT_BYTES)
		bytes_put(node->bytes);
	heap_free(node);
}

static void free_nodes(struct out_list *nodes)
{
	struct out_node *node;

	while ((node = STAILQ_FIRST(nodes))) {
		STAILQ_REMOVE_HEAD(nodes, link);
		if (node->kind == OUT_PLACE)
			STAILQ_CONCAT(nodes, &node->within);
		free_node(node);
	}
}

void out_fini(struct out *out)
{
	free_nodes(&out->nodes);
	out_init(out, out->resp);
}

static struct out_node *add_node_or_null(struct out *out, enum out_kind kind, size_t cap)
{
	struct out_node *node = NULL;

	if (cap <= SIZE_MAX - sizeof(*node))
		node = heap_alloc_or_null(sizeof(*node) + cap);
	if (!node) {
		out->failed = true;
		return NULL;
	}
	*node = (struct out_node){.kind = kind, .cap = cap};
	STAILQ_INIT(&node->within);
	STAILQ_INSERT_TAIL(&out->nodes, node, link);
	out->room += node_room(node);
	return node;
}

static struct out_node *last_text_or_null(struct out *out)
{
	struct out_node *node;

	if (STAILQ_EMPTY(&out->nodes))
		return NULL;
	/* The list's end is the last node's link: sys/queue.h has no word for it everywhere. */
	node = (struct out_node *)((char *)out->nodes.stqh_last -
				   offsetof(struct out_node, link.stqe_next));
	return node->kind == OUT_TEXT ? node : NULL;
}

char *out_reserve_or_null(struct out *out, size_t len)
{
	struct out_node *node = last_text_or_null(out);
	size_t block = STAILQ_EMPTY(&out->nodes) ? BLOCK_LEN_FIRST : BLOCK_LEN;

	if (!node || node->cap - node->len < len) {
		if (len > BLOCK_LEN_FIRST - sizeof(*node) && block < BLOCK_LEN)
			block = BLOCK_LEN;
		block -= sizeof(*node);
		node = add_node_or_null(out, OUT_TEXT, len > block ? len : block);
		if (!node)
			return NULL;
	}
	node->len += len;
	out->len += len;
	return node->text + node->len - len;
}

void out_add(struct out *out, struct slice text)
{
	struct out_node *node = last_text_or_null(out);
	size_t part = node ? node->cap - node->len : 0;
	char *to;

	if (part > text.len)
		part = text.len;
	if (part > 0) {
		memcpy(node->text + node->len, text.data, part);
		node->len += part;
		out->len += part;
	}
	if (part == text.len)
		return;
	to = out_reserve_or_null(out, text.len - part);
	if (to)
		memcpy(to, text.data + part, text.len - part);
}

void out_add_bytes(struct out *out, struct bytes *bytes)
{
	struct out_node *node;

	if (bytes->len == 0)
		return;
	node = add_node_or_null(out, OUT_BYTES, 0);
	if (!node)
		return;
	node->bytes = bytes_get(bytes);
	node->len = bytes->len;
	out->len += bytes->len;
}

/* The only node's text, if it is so short that copying it is cheaper; NULL: it is not. */
static struct out_node *short_text_or_null(struct out *out, size_t len_max)
{
	struct out_node *node = STAILQ_FIRST(&out->nodes);

	if (!node || STAILQ_NEXT(node, link) || node->kind != OUT_TEXT)
		return NULL;
	return node->len - node->taken <= len_max ? node : NULL;
}

/* After its text was copied: the block stays for what comes next. */
static void empty_text(struct out *out, struct out_node *node)
{
	out->len -= node->len - node->taken;
	node->len = 0;
	node->taken = 0;
}

/* What counts the replies themselves moves with them. */
static void move_counters(struct out *out, struct out *from)
{
	if (from->errors)
		memcpy(out->error_code, from->error_code, sizeof(out->error_code));
	out->errors += from->errors;
	out->failed |= from->failed;
	from->errors = 0;
	from->failed = false;
}

void out_move(struct out *out, struct out *from)
{
	struct out_node *text = short_text_or_null(from, COPY_LEN_MAX);

	if (text) {
		out_add(out, (struct slice){text->text + text->taken, text->len - text->taken});
		empty_text(from, text);
	} else {
		STAILQ_CONCAT(&out->nodes, &from->nodes);
		out->len += from->len;
		out->room += from->room;
		out->places += from->places;
		from->len = 0;
		from->room = 0;
		from->places = 0;
	}
	move_counters(out, from);
}

struct out_node *out_add_place_or_null(struct out *out)
{
	struct out_node *node = add_node_or_null(out, OUT_PLACE, PLACE_TEXT_LEN);

	if (node)
		out->places++;
	return node;
}

void out_fill(struct out *out, struct out_node *place, struct out *from)
{
	struct out_node *text = short_text_or_null(from, place->cap);

	out->places--;
	out->len += from->len;
	place->len = from->len;
	if (text || STAILQ_EMPTY(&from->nodes)) {
		place->kind = OUT_TEXT;
		if (text) {
			memcpy(place->text, text->text + text->taken, place->len);
			empty_text(from, text);
		}
	} else {
		place->filled = true;
		STAILQ_CONCAT(&place->within, &from->nodes);
		out->room += from->room;
		from->len = 0;
		from->room = 0;
	}
	move_counters(out, from);
}

static void drop_first(struct out *out, struct out_node *node)
{
	STAILQ_REMOVE_HEAD(&out->nodes, link);
	out->room -= node_room(node);
	free_node(node);
}

/* What a filled place holds comes where the place was. */
static void open_first(struct out *out, struct out_node *place)
{
	struct out_list within = STAILQ_HEAD_INITIALIZER(within);

	STAILQ_CONCAT(&within, &place->within);
	drop_first(out, place);
	STAILQ_CONCAT(&within, &out->nodes);
	STAILQ_CONCAT(&out->nodes, &within);
}

/* The first node with something to take; nodes before it are gone. NULL: nothing can be taken. */
static struct out_node *ready_or_null(struct out *out)
{
	struct out_node *node;

	while ((node = STAILQ_FIRST(&out->nodes))) {
		if (node->kind == OUT_PLACE) {
			if (!node->filled)
				return NULL;
			open_first(out, node);
		} else if (node->taken < node->len) {
			return node;
		} else if (node->kind == OUT_TEXT && !STAILQ_NEXT(node, link) &&
			   node_room(node) <= BLOCK_LEN_FIRST) {
			node->taken = 0;
			node->len = 0;
			return NULL;
		} else {
			drop_first(out, node);
		}
	}
	return NULL;
}

void out_move_some(struct out *out, struct out *from, size_t len)
{
	struct out_node *node;
	size_t part;

	out->failed |= from->failed;
	for (; len > 0 && (node = ready_or_null(from)); len -= part) {
		part = node->len - node->taken;
		if (part > len)
			part = len;
		if (node->kind == OUT_BYTES && part == node->len)
			out_add_bytes(out, node->bytes);
		else
			out_add(out, (struct slice){(node->kind == OUT_BYTES ? node->bytes->data
									     : node->text) +
							    node->taken,
						    part});
		node->taken += part;
		from->len -= part;
	}
}

size_t out_take(struct out *out, char *to, size_t len)
{
	struct out_node *node = short_text_or_null(out, len);
	size_t taken = 0, part;

	if (node && node_room(node) <= BLOCK_LEN_FIRST) { /* all of it, and nearly always so */
		taken = node->len - node->taken;
		memcpy(to, node->text + node->taken, taken);
		empty_text(out, node);
		return taken;
	}
	while (taken < len && (node = ready_or_null(out))) {
		part = node->len - node->taken;
		if (part > len - taken)
			part = len - taken;
		memcpy(to + taken,
		       (node->kind == OUT_BYTES ? node->bytes->data : node->text) + node->taken,
		       part);
		node->taken += part;
		taken += part;
	}
	out->len -= taken;
	if (out->len == 0)
		ready_or_null(out);
	return taken;
}

void out_trim(struct out *out)
{
	if (out->len == 0 && out->places == 0) {
		free_nodes(&out->nodes);
		out->room = 0;
	}
}

size_t out_ready(const struct out *out)
{
	const struct out_node *node;
	size_t ready = 0;

	if (out->places == 0)
		return out->len;
	STAILQ_FOREACH (node, &out->nodes, link) {
		if (node->kind != OUT_PLACE)
			ready += node->len - node->taken;
		else if (node->filled)
			ready += node->len;
		else
			break;
	}
	return ready;
}
