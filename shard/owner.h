/*
 * Which shard a flow belongs to: what net/ asks of its environment (struct net_env), answered with
 * the software twin of the NIC's hash, the runtime's mailboxes and the control thread.
 */
#ifndef SHARD_OWNER_H
#define SHARD_OWNER_H

#include "net/net.h"

#include <stdint.h>

struct shard;

void owner_env(struct shard *shard, struct net_env *env);
/* One of the first packets of a port: if the device says what hash it has, and it is not the right
 * one, the port's steering is not trusted any more. */
void owner_check(struct shard *shard, uint16_t iface, const struct rte_mbuf *m);

#endif
