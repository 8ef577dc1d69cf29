/*
 * The runtime's figures on DPDK's telemetry socket, under /clowder; dpdk-telemetry.py shows them.
 */
#ifndef SHARD_TELEMETRY_H
#define SHARD_TELEMETRY_H

struct runtime;

/* The runtime that the commands speak of from now on; NULL: none, they answer with an error. Waits
 * for an answer that is being made. */
void telemetry_show(const struct runtime *runtime);

#endif
