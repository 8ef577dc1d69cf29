/*
 * A file that is only ever appended to, without waiting: what is added is copied into chunks, which
 * are written in order, one write at a time, and freed when they are in the file. The chunk that is
 * being written may be added to. Long values are not copied but kept by reference. One thread.
 *
 *      0 ......... synced ......... written ......... added
 *      | on the disk | in the file    | in chunks       |
 */
#ifndef KV_SINK_H
#define KV_SINK_H

#include "kv/bytes.h"
#include "kv/disk.h"
#include "kv/resp_in.h"
#include "kv/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct sink_chunk;
TAILQ_HEAD(sink_chunk_list, sink_chunk);

struct sink {
	struct disk *disk;
	int fd;				 /* -1: what is added waits */
	uint64_t added, written, synced; /* offsets in the file */
	int write_error;		 /* of the last one; 0: it went well */
	bool write_ended;		 /* there is news of it; the owner forgets it */
	int sync_error;			 /* of any so far; the owner may forget it */
	bool failed;			 /* no memory: what was added has a gap */
	struct sink_chunk_list chunks;
	struct sink_chunk *spare;
	struct disk_op write, sync;
	uint64_t sync_to; /* what the sync under way makes durable */
};

void sink_init(struct sink *sink, struct disk *disk);
/* Nothing may be under way. The file is closed, what is not written is dropped. */
void sink_fini(struct sink *sink);
/* From now on to fd, which becomes the sink's, at offset; what was added already comes there. */
void sink_attach(struct sink *sink, int fd, uint64_t offset);
bool sink_under_way(const struct sink *sink);
uint64_t sink_pending(const struct sink *sink);

void sink_add(struct sink *sink, struct slice text);
/* A RESP array of bulk strings. */
void sink_add_request(struct sink *sink, int argc, const struct arg *argv);
void sink_add_select(struct sink *sink, int db);
/* What from holds comes behind; from is empty then, and has no file. */
void sink_concat(struct sink *sink, struct sink *from);

/* Starts to write what was added, unless a write is under way; then syncs it if sync. */
void sink_write(struct sink *sink, bool sync);
/* Starts to make durable what is written, unless that is under way. */
void sink_sync(struct sink *sink);

#endif
