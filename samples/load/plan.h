/* What is to be done: the command line's answer, the same for all shards, unchanged while it runs.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include "load/arrivals.h"
#include "load/keys.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { PLAN_SERVER_MAX = 64 };

struct workload;

struct plan {
	const struct workload *workload;
	struct sockaddr_in servers[PLAN_SERVER_MAX];
	unsigned server_count;
	enum arrivals_kind arrivals;
	double rate; /* requests a second, of all shards */
	unsigned conn_count, idle_count;
	uint32_t depth; /* requests in flight on a connection */
	uint64_t warm_ns, measure_ns;
	uint64_t timeout_ns; /* of a request, of a connect, and of what is left at the end */
	/* Polls rather than sleeps that long before a request is due: sleepers wake up late. */
	uint64_t spin_ns;
	uint64_t seed;
	uint32_t size; /* bytes of a message, or of a value */
	bool reset;    /* connections of one request end with an RST */

	/* RESP only. */
	enum keys_kind keys;
	uint64_t key_count;
	double exponent; /* Zipf's */
	double get_share;
	bool preload;	      /* each key is set before anything is measured */
	bool missing_allowed; /* a key that was set may be gone: the server evicts */
	bool cluster;	      /* each connection asks for keys of its node's slots */
};

#endif
