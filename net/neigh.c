/*
 * The neighbour table: open addressing with linear probing, half empty, cloned when news change it.
 * News that only confirm an entry are stored into it in place and publish nothing.
 */
#include "net/neigh.h"
#include "mem/check.h"
#include "net/tables_inside.h"

#include <rte_common.h>
#include <string.h>

enum { SLOT_EMPTY = 0xffff, SLOTS_MIN = 16 };

struct neigh_table {
	uint64_t version;
	uint32_t count, mask;
	struct net_neigh slots[]; /* iface SLOT_EMPTY: none */
};

static struct neigh_table *table_alloc_or_null(uint32_t room)
{
	uint32_t slots = rte_align32pow2(RTE_MAX(2 * room, (uint32_t)SLOTS_MIN));
	struct neigh_table *table =
		rcu_alloc_or_null(sizeof(*table) + slots * sizeof(table->slots[0]));

	if (!table)
		return NULL;
	table->mask = slots - 1;
	for (uint32_t i = 0; i < slots; i++)
		table->slots[i].iface = SLOT_EMPTY;
	return table;
}

struct neigh_table *neigh_table_create(void)
{
	struct neigh_table *table = table_alloc_or_null(0);

	if (table)
		table->version = 1; /* 0 is nobody's */
	return table;
}

static uint32_t home(const struct neigh_table *table, uint16_t iface, struct ip_addr addr)
{
	return mix32(addr.v4 + iface) & table->mask;
}

/* The slot that holds the entry, or the empty one where it would go. */
static uint32_t find(const struct neigh_table *table, uint16_t iface, struct ip_addr addr)
{
	uint32_t i = home(table, iface, addr);

	while (table->slots[i].iface != SLOT_EMPTY &&
	       (table->slots[i].iface != iface || !ip_addr_eq(table->slots[i].addr, addr)))
		i = (i + 1) & table->mask;
	return i;
}

static void insert(struct neigh_table *table, const struct net_neigh *neigh)
{
	uint32_t i = find(table, neigh->iface, neigh->addr);

	table->count += table->slots[i].iface == SLOT_EMPTY;
	table->slots[i] = *neigh;
	DEBUG_CHECK(2 * table->count <= table->mask + 1);
}

/* Knuth's algorithm R: entries behind the hole that may move into it do. */
static void erase(struct neigh_table *table, uint32_t hole)
{
	uint32_t i = hole;

	for (;;) {
		const struct net_neigh *slot;

		i = (i + 1) & table->mask;
		slot = &table->slots[i];
		if (slot->iface == SLOT_EMPTY)
			break;
		if (((i - home(table, slot->iface, slot->addr)) & table->mask) >=
		    ((i - hole) & table->mask)) {
			table->slots[hole] = *slot;
			hole = i;
		}
	}
	table->slots[hole].iface = SLOT_EMPTY;
	table->count--;
}

/* The entry that gives way when the table is full; SLOT_EMPTY-like UINT32_MAX: all are fixed. */
static uint32_t oldest(const struct neigh_table *table)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i <= table->mask; i++) {
		const struct net_neigh *slot = &table->slots[i];

		if (slot->iface == SLOT_EMPTY || slot->fixed)
			continue;
		if (best == UINT32_MAX || slot->confirmed_ns < table->slots[best].confirmed_ns)
			best = i;
	}
	return best;
}

static struct neigh_table *clone_or_null(const struct neigh_table *old, uint32_t room)
{
	struct neigh_table *new = table_alloc_or_null(old->count + room);

	if (!new)
		return NULL;
	new->version = old->version + 1;
	for (uint32_t i = 0; i <= old->mask; i++)
		if (old->slots[i].iface != SLOT_EMPTY)
			insert(new, &old->slots[i]);
	return new;
}

enum verdict { IGNORE, CONFIRM, INSERT, DELETE };

/* What a piece of news does to an entry (NULL: there is none); RFC 826, RFC 5227. */
static enum verdict judge(const struct net_neigh *entry, const struct net_neigh_event *event)
{
	const struct net_neigh *neigh = &event->neigh;
	bool same = entry && rte_is_same_ether_addr(&entry->mac, &neigh->mac);

	switch (event->news) {
	case NEIGH_FIXED:
		return INSERT;
	case NEIGH_CONFLICT:
		return IGNORE;
	case NEIGH_GONE:
		/* Somebody heard of it since the prober looked: it is not gone. */
		return entry && !entry->fixed && entry->confirmed_ns <= neigh->confirmed_ns
			       ? DELETE
			       : IGNORE;
	case NEIGH_ANSWERED:
	case NEIGH_SEEN:
		break;
	}
	if (!entry)
		return INSERT;
	if (entry->fixed || neigh->confirmed_ns < entry->confirmed_ns)
		return IGNORE;
	if (same)
		return CONFIRM;
	return event->news == NEIGH_ANSWERED ||
			       neigh->confirmed_ns - entry->confirmed_ns >= NEIGH_FRESH_NS
		       ? INSERT
		       : IGNORE;
}

static bool legal(const struct net_tables *tables, const struct net_neigh_event *event)
{
	const struct net_neigh *neigh = &event->neigh;

	return neigh->iface < tables->iface_count && !ip_addr_is_any(neigh->addr) &&
	       (event->news == NEIGH_GONE || rte_is_valid_assigned_ether_addr(&neigh->mac));
}

/* Carries out INSERT or DELETE on a table that nobody reads yet. */
static void change(struct neigh_table *table, const struct net_neigh_event *event,
		   enum verdict verdict)
{
	struct net_neigh neigh = event->neigh;
	uint32_t i = find(table, neigh.iface, neigh.addr);
	bool fresh = table->slots[i].iface == SLOT_EMPTY;

	if (verdict == DELETE) {
		erase(table, i);
		return;
	}
	if (fresh && table->count >= NET_NEIGH_MAX) {
		uint32_t victim = oldest(table);

		if (victim == UINT32_MAX)
			return;
		erase(table, victim);
	}
	neigh.fixed = event->news == NEIGH_FIXED;
	insert(table, &neigh);
}

static void apply(struct net_tables *tables, const struct net_neigh_event *events, unsigned count)
{
	struct neigh_table *old = tables->neighs, *new = NULL;

	for (unsigned i = 0; i < count; i++) {
		struct neigh_table *table = new ? new : old;
		const struct net_neigh *neigh = &events[i].neigh;
		struct net_neigh *slot = &table->slots[find(table, neigh->iface, neigh->addr)];
		enum verdict verdict;

		if (!legal(tables, &events[i]))
			continue;
		verdict = judge(slot->iface == SLOT_EMPTY ? NULL : slot, &events[i]);
		if (verdict == IGNORE)
			continue;
		if (verdict == CONFIRM) {
			/* relaxed: a time that readers may see late, one writer */
			__atomic_store_n(&slot->confirmed_ns, neigh->confirmed_ns,
					 __ATOMIC_RELAXED);
			continue;
		}
		if (!new)
			new = clone_or_null(old, count - i);
		if (!new)
			return; /* out of memory: news may be lost, ARP asks again */
		change(new, &events[i], verdict);
	}
	if (!new)
		return;
	/* release; pairs with the acquire in current() */
	__atomic_store_n(&tables->neighs, new, __ATOMIC_RELEASE);
	rcu_retire_mt(tables->retired, old);
}

void net_neigh_apply_mt(struct net_tables *tables, const struct net_neigh_event *events,
			unsigned count)
{
	pthread_mutex_lock(&tables->mutex);
	apply(tables, events, count);
	pthread_mutex_unlock(&tables->mutex);
}

static const struct neigh_table *current(const struct net_tables *tables)
{
	/* acquire; pairs with the release in apply() */
	return __atomic_load_n(&tables->neighs, __ATOMIC_ACQUIRE);
}

const struct net_neigh *net_neigh_lookup_rcu(const struct net_tables *tables, uint16_t iface,
					     struct ip_addr addr)
{
	const struct neigh_table *table = current(tables);
	const struct net_neigh *slot = &table->slots[find(table, iface, addr)];

	return slot->iface == SLOT_EMPTY ? NULL : slot;
}

uint64_t net_neigh_version_rcu(const struct net_tables *tables)
{
	return current(tables)->version;
}

void net_neigh_each_mt(const struct net_tables *tables,
		       void (*fn)(const struct net_neigh *, void *), void *arg)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)&tables->mutex;
	const struct neigh_table *table;

	pthread_mutex_lock(mutex);
	table = tables->neighs;
	for (uint32_t i = 0; i <= table->mask; i++)
		if (table->slots[i].iface != SLOT_EMPTY)
			fn(&table->slots[i], arg);
	pthread_mutex_unlock(mutex);
}
