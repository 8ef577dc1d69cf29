#include "kv/sink.h"

#include "kv/heap.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
	CHUNK_LEN = 64 * 1024, /* with its header */
	/* Shorter values are copied: one place in an iovec costs more than so many bytes. */
	REFERENCE_LEN_MIN = 16 * 1024,
	HEADER_LEN_MAX = 24, /* "$", 20 digits, CR, LF */
};

struct sink_chunk {
	TAILQ_ENTRY(sink_chunk) link;
	size_t len, written;
	size_t cap;	     /* 0: bytes, which is full */
	const char *data;    /* what is to be written: text, or a part of bytes */
	struct bytes *bytes; /* a reference */
	char text[];
};

static void write_done(struct disk_op *op);
static void sync_done(struct disk_op *op);

void sink_init(struct sink *sink, struct disk *disk)
{
	*sink = (struct sink){.disk = disk, .fd = -1};
	TAILQ_INIT(&sink->chunks);
	sink->write = (struct disk_op){.verb = DISK_WRITE, .done = write_done, .arg = sink};
	sink->sync = (struct disk_op){.verb = DISK_SYNC, .done = sync_done, .arg = sink};
}

static void free_chunk(struct sink *sink, struct sink_chunk *chunk)
{
	if (chunk->cap && !sink->spare) {
		sink->spare = chunk;
		return;
	}
	bytes_put(chunk->bytes);
	heap_free(chunk);
}

void sink_fini(struct sink *sink)
{
	struct sink_chunk *chunk;

	while ((chunk = TAILQ_FIRST(&sink->chunks))) {
		TAILQ_REMOVE(&sink->chunks, chunk, link);
		free_chunk(sink, chunk);
	}
	heap_free(sink->spare);
	sink->spare = NULL;
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
}

void sink_attach(struct sink *sink, int fd, uint64_t offset)
{
	sink->fd = sink->write.fd = sink->sync.fd = fd;
	sink->added += offset;
	sink->written = sink->synced = offset;
}

bool sink_under_way(const struct sink *sink)
{
	return sink->write.under_way || sink->sync.under_way;
}

uint64_t sink_pending(const struct sink *sink)
{
	return sink->added - sink->written;
}

/* --- adding --- */

static struct sink_chunk *add_chunk_or_null(struct sink *sink)
{
	struct sink_chunk *chunk = sink->spare;

	sink->spare = NULL;
	if (!chunk)
		chunk = heap_alloc_or_null(CHUNK_LEN);
	if (!chunk) {
		sink->failed = true;
		return NULL;
	}
	*chunk = (struct sink_chunk){.cap = CHUNK_LEN - sizeof(*chunk), .data = chunk->text};
	TAILQ_INSERT_TAIL(&sink->chunks, chunk, link);
	return chunk;
}

static struct sink_chunk *room_or_null(struct sink *sink, size_t len)
{
	struct sink_chunk *chunk = TAILQ_LAST(&sink->chunks, sink_chunk_list);

	if (!chunk || chunk->len + len > chunk->cap)
		chunk = add_chunk_or_null(sink);
	return chunk;
}

void sink_add(struct sink *sink, struct slice text)
{
	while (text.len) {
		struct sink_chunk *chunk = room_or_null(sink, 1);
		size_t len;

		if (!chunk)
			return;
		len = chunk->cap - chunk->len;
		if (len > text.len)
			len = text.len;
		memcpy(chunk->text + chunk->len, text.data, len);
		chunk->len += len;
		sink->added += len;
		text.data += len;
		text.len -= len;
	}
}

static void add_bytes(struct sink *sink, struct slice text, struct bytes *bytes)
{
	struct sink_chunk *chunk = heap_alloc_or_null(sizeof(*chunk));

	if (!chunk) {
		sink->failed = true;
		return;
	}
	*chunk = (struct sink_chunk){.len = text.len, .data = text.data, .bytes = bytes_get(bytes)};
	TAILQ_INSERT_TAIL(&sink->chunks, chunk, link);
	sink->added += text.len;
}

/* "*3\r\n": where it ends. */
static char *put_header(char *to, char kind, uint64_t value)
{
	char digits[20];
	int count = 0;

	*to++ = kind;
	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count)
		*to++ = digits[--count];
	*to++ = '\r';
	*to++ = '\n';
	return to;
}

static void add_header(struct sink *sink, char kind, uint64_t value)
{
	char text[HEADER_LEN_MAX];

	sink_add(sink, (struct slice){text, (size_t)(put_header(text, kind, value) - text)});
}

static void add_long_argument(struct sink *sink, const struct arg *arg)
{
	add_header(sink, '$', arg->text.len);
	if (arg->bytes && arg->text.len >= REFERENCE_LEN_MIN)
		add_bytes(sink, arg->text, arg->bytes);
	else
		sink_add(sink, arg->text);
	sink_add(sink, SLICE("\r\n"));
}

void sink_add_request(struct sink *sink, int argc, const struct arg *argv)
{
	struct sink_chunk *chunk;
	size_t len = HEADER_LEN_MAX;
	char *to;

	for (int i = 0; i < argc && len < REFERENCE_LEN_MIN; i++)
		len += argv[i].text.len + HEADER_LEN_MAX + 2;
	if (len >= REFERENCE_LEN_MIN) {
		add_header(sink, '*', (uint64_t)argc);
		for (int i = 0; i < argc; i++)
			add_long_argument(sink, &argv[i]);
		return;
	}
	chunk = room_or_null(sink, len);
	if (!chunk)
		return;
	to = put_header(chunk->text + chunk->len, '*', (uint64_t)argc);
	for (int i = 0; i < argc; i++) {
		to = put_header(to, '$', argv[i].text.len);
		if (argv[i].text.len)
			memcpy(to, argv[i].text.data, argv[i].text.len);
		to += argv[i].text.len;
		*to++ = '\r';
		*to++ = '\n';
	}
	len = (size_t)(to - chunk->text) - chunk->len;
	chunk->len += len;
	sink->added += len;
}

void sink_add_select(struct sink *sink, int db)
{
	char digits[12];
	int len = snprintf(digits, sizeof(digits), "%d", db);
	const struct arg argv[] = {{.text = SLICE("SELECT")}, {.text = {digits, (size_t)len}}};

	sink_add_request(sink, 2, argv);
}

void sink_concat(struct sink *sink, struct sink *from)
{
	TAILQ_CONCAT(&sink->chunks, &from->chunks, link);
	sink->added += sink_pending(from);
	sink->failed |= from->failed;
	from->added = from->written;
}

/* --- writing --- */

static void drop_written(struct sink *sink, size_t len)
{
	sink->written += len;
	while (len) {
		struct sink_chunk *chunk = TAILQ_FIRST(&sink->chunks);
		size_t left = chunk->len - chunk->written;

		if (len < left) {
			chunk->written += len;
			break;
		}
		len -= left;
		TAILQ_REMOVE(&sink->chunks, chunk, link);
		free_chunk(sink, chunk);
	}
}

static void write_done(struct disk_op *op)
{
	struct sink *sink = op->arg;

	sink->write_error = 0;
	sink->write_ended = true;
	if (op->result > 0)
		drop_written(sink, (size_t)op->result);
	else if (op->result != -EINTR && op->result != -EAGAIN)
		sink->write_error = op->result ? (int)op->result : -EIO;
}

static void sync_done(struct disk_op *op)
{
	struct sink *sink = op->arg;

	/* Cancelled: the write before it was not whole, which is dealt with there. */
	if (op->result >= 0)
		sink->synced = sink->sync_to;
	else if (op->result != -ECANCELED && op->result != -EINTR && op->result != -EAGAIN)
		sink->sync_error = (int)op->result;
}

static void start_sync(struct sink *sink, uint64_t to)
{
	sink->sync_to = to;
	disk_start(sink->disk, &sink->sync);
}

void sink_write(struct sink *sink, bool sync)
{
	struct disk_op *op = &sink->write;
	struct sink_chunk *chunk;
	uint64_t len = 0;

	if (sink->fd < 0 || op->under_way)
		return;
	op->iov_count = 0;
	TAILQ_FOREACH (chunk, &sink->chunks, link) {
		size_t left = chunk->len - chunk->written;

		if (left == 0)
			continue;
		if (op->iov_count == DISK_IOV_MAX)
			break;
		op->iov[op->iov_count++] = (struct iovec){
			.iov_base = (char *)(uintptr_t)chunk->data + chunk->written,
			.iov_len = left,
		};
		len += left;
	}
	if (len == 0)
		return;
	sync = sync && !sink->sync.under_way;
	op->offset = sink->written;
	op->leads = sync;
	disk_start(sink->disk, op);
	if (sync)
		start_sync(sink, sink->written + len);
}

void sink_sync(struct sink *sink)
{
	if (sink->fd >= 0 && !sink->sync.under_way && sink->synced < sink->written)
		start_sync(sink, sink->written);
}
