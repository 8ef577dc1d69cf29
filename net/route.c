/* The route table: few entries, longest prefix first, so that the first match is the best. Who
 * sends much to one address asks once (net/dst.h). */
#include "net/tables_inside.h"

#include <errno.h>
#include <string.h>

struct route_table {
	unsigned count;
	struct net_route routes[]; /* dst is masked to its prefix */
};

static void insert(struct route_table *table, const struct net_route *route)
{
	unsigned at = 0;

	while (at < table->count && table->routes[at].prefix_len >= route->prefix_len)
		at++;
	memmove(&table->routes[at + 1], &table->routes[at],
		(table->count - at) * sizeof(table->routes[0]));
	table->routes[at] = *route;
	table->routes[at].dst.v4 &= rte_cpu_to_be_32(prefix_mask(route->prefix_len));
	table->count++;
}

struct route_table *route_table_create(const struct net_iface *ifaces, uint16_t iface_count)
{
	struct route_table *table =
		rcu_alloc_or_null(sizeof(*table) + iface_count * sizeof(struct net_route));

	if (!table)
		return NULL;
	for (uint16_t i = 0; i < iface_count; i++) {
		const struct net_route on_link = {
			.dst = ifaces[i].addr, .prefix_len = ifaces[i].prefix_len, .iface = i};

		if (!ip_addr_is_any(ifaces[i].addr))
			insert(table, &on_link);
	}
	return table;
}

static bool legal(const struct net_tables *tables, const struct net_route *route)
{
	const struct net_iface *iface;

	if (route->iface >= tables->iface_count || route->prefix_len > 32)
		return false;
	iface = &tables->ifaces[route->iface];
	if (ip_addr_is_any(iface->addr))
		return false;
	return ip_addr_is_any(route->gateway) ||
	       (prefix_has(iface->addr, iface->prefix_len, route->gateway) &&
		!ip_addr_eq(iface->addr, route->gateway) &&
		!net_addr_is_broadcast(tables, route->gateway));
}

static int add(struct net_tables *tables, const struct net_route *route)
{
	struct route_table *old = tables->routes, *new;

	if (!legal(tables, route))
		return -EINVAL;
	for (unsigned i = 0; i < old->count; i++)
		if (old->routes[i].prefix_len == route->prefix_len &&
		    prefix_has(old->routes[i].dst, route->prefix_len, route->dst))
			return -EEXIST;
	if (old->count >= NET_ROUTE_MAX)
		return -ENOSPC;
	new = rcu_alloc_or_null(sizeof(*new) + (old->count + 1) * sizeof(new->routes[0]));
	if (!new)
		return -ENOSPC;
	memcpy(new, old, sizeof(*old) + old->count * sizeof(old->routes[0]));
	insert(new, route);
	/* release; pairs with the acquire in net_route_lookup_rcu() */
	__atomic_store_n(&tables->routes, new, __ATOMIC_RELEASE);
	rcu_retire_mt(tables->retired, old);
	return 0;
}

int net_route_add_mt(struct net_tables *tables, const struct net_route *route)
{
	int err;

	pthread_mutex_lock(&tables->mutex);
	err = add(tables, route);
	pthread_mutex_unlock(&tables->mutex);
	return err;
}

int net_route_lookup_rcu(const struct net_tables *tables, struct ip_addr dst, struct net_hop *hop)
{
	/* acquire; pairs with the release in add() */
	const struct route_table *table = __atomic_load_n(&tables->routes, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < table->count; i++) {
		const struct net_route *route = &table->routes[i];

		if (!prefix_has(route->dst, route->prefix_len, dst))
			continue;
		hop->iface = route->iface;
		hop->next = ip_addr_is_any(route->gateway) ? dst : route->gateway;
		hop->source = tables->ifaces[route->iface].addr;
		hop->mtu = tables->ifaces[route->iface].mtu;
		if (route->mtu && route->mtu < hop->mtu)
			hop->mtu = route->mtu;
		hop->mss = route->mss;
		return 0;
	}
	return -EHOSTUNREACH;
}
