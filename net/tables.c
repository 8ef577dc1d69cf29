#include "mem/check.h"
#include "net/tables_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
	PREFIX_LEN_POINT_TO_POINT = 31
}; /* of this and of 32 bits there is no broadcast: RFC 3021 */

#define LIMITED_BROADCAST UINT32_MAX /* RFC 919 7 */

/* Of the interface's network; an interface without an address has the limited one only. */
static struct ip_addr broadcast_of(const struct net_iface *iface)
{
	rte_be32_t host_mask = ~rte_cpu_to_be_32(prefix_mask(iface->prefix_len));

	if (iface->prefix_len >= PREFIX_LEN_POINT_TO_POINT || ip_addr_is_any(iface->addr))
		return (struct ip_addr){.v4 = LIMITED_BROADCAST};
	return (struct ip_addr){.v4 = iface->addr.v4 | host_mask};
}

struct net_tables *net_tables_create(const struct net_iface *ifaces, uint16_t iface_count)
{
	struct net_tables *tables = calloc(1, sizeof(*tables));

	CHECK(iface_count <= NET_IFACE_MAX);
	if (!tables)
		return NULL;
	memcpy(tables->ifaces, ifaces, iface_count * sizeof(*ifaces));
	tables->iface_count = iface_count;
	for (uint16_t i = 0; i < iface_count; i++)
		tables->broadcasts[i] = broadcast_of(&ifaces[i]);
	pthread_mutex_init(&tables->mutex, NULL);
	tables->retired = rcu_retired_create();
	tables->routes = route_table_create(ifaces, iface_count);
	tables->neighs = neigh_table_create();
	tables->listens = listen_table_create();
	if (tables->retired && tables->routes && tables->neighs && tables->listens)
		return tables;
	net_tables_destroy(tables);
	return NULL;
}

void net_tables_destroy(struct net_tables *tables)
{
	if (!tables)
		return;
	rcu_free(tables->routes);
	rcu_free(tables->neighs);
	if (tables->listens)
		listen_table_destroy(tables->listens);
	if (tables->retired)
		rcu_retired_destroy(tables->retired);
	pthread_mutex_destroy(&tables->mutex);
	free(tables);
}

unsigned net_tables_reclaim(struct net_tables *tables)
{
	pthread_mutex_lock(&tables->mutex);
	listen_table_purge(tables);
	pthread_mutex_unlock(&tables->mutex);
	return rcu_reclaim(tables->retired);
}

uint16_t net_iface_count(const struct net_tables *tables)
{
	return tables->iface_count;
}

const struct net_iface *net_iface_get(const struct net_tables *tables, uint16_t iface)
{
	CHECK(iface < tables->iface_count);
	return &tables->ifaces[iface];
}

int net_iface_of(const struct net_tables *tables, struct ip_addr addr)
{
	if (ip_addr_is_any(addr))
		return -1;
	for (uint16_t i = 0; i < tables->iface_count; i++)
		if (ip_addr_eq(tables->ifaces[i].addr, addr))
			return i;
	return -1;
}

bool net_addr_is_broadcast(const struct net_tables *tables, struct ip_addr addr)
{
	for (uint16_t i = 0; i < tables->iface_count; i++)
		if (ip_addr_eq(tables->broadcasts[i], addr))
			return true;
	return addr.v4 == LIMITED_BROADCAST;
}
