/*
 * What a request is, and which answer is the right one. The generator knows when and on which
 * connection; a workload knows bytes.
 */
#ifndef LOAD_WORKLOAD_H
#define LOAD_WORKLOAD_H

#include "load/results.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct generator;
struct request;

struct workload {
	const char *name;
	bool conn_per_request; /* each request has a connection of its own */

	/* A shard begins, or ends. 0 or errno. NULL: nothing to do. */
	int (*begin)(struct generator *generator);
	void (*end)(struct generator *generator);
	/* The next request that prepares what is measured, for this connection; false: none is
	 * left for it. NULL: none at all. */
	bool (*prepare)(struct generator *generator, struct conn *conn, struct request *request);
	/* None is left for any connection. */
	bool (*prepared)(const struct generator *generator);
	/* Draws a request for this connection: its content, and request->len, its bytes. */
	void (*draw)(struct generator *generator, struct conn *conn, struct request *request);
	/* Its bytes from pos on, pos below its len: how many of them fit, at least one. */
	uint32_t (*write)(const struct generator *generator, const struct conn *conn,
			  const struct request *request, uint32_t pos, uint8_t *out, uint32_t room);
	/* Takes the answer's next bytes, len at least 1: how many belong to it, with *done if it is
	 * whole; or 0 with *fault, and a text if there is more to say. */
	uint32_t (*read)(struct generator *generator, struct conn *conn, struct request *request,
			 const uint8_t *data, uint32_t len, bool *done, enum fault *fault,
			 const char **text);
};

extern const struct workload workload_echo, workload_connect, workload_resp;

/* By name. */
const struct workload *workload_find_or_null(const char *name);

#endif
