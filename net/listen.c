/*
 * Who listens where. The table is a hash of pointers to entries, cloned when an entry comes or
 * goes; inside an entry the set of shards and the counts of foreign flows change in place, each bit
 * and each count by its own shard alone.
 */
#include "mem/check.h"
#include "net/tables_inside.h"

#include <errno.h>
#include <rte_common.h>
#include <string.h>

struct listen_entry {
	struct net_endpoint local;
	uint8_t proto;
	bool exclusive;	  /* under the mutex; of those who have it open */
	uint64_t shards;  /* who has it open */
	uint64_t foreign; /* who holds flows on it that are not theirs by hash */
	uint32_t foreign_count[NET_SHARD_MAX];
};

enum { SLOTS_MIN = 16 };

struct listen_table {
	uint32_t count, mask;
	struct listen_entry *slots[]; /* NULL: none */
};

static uint64_t load(const uint64_t *set)
{
	return __atomic_load_n(set, __ATOMIC_RELAXED);
}

static uint64_t bit(uint16_t shard)
{
	return UINT64_C(1) << shard;
}

static struct listen_table *table_alloc_or_null(uint32_t room)
{
	uint32_t slots = rte_align32pow2(RTE_MAX(2 * room, (uint32_t)SLOTS_MIN));
	struct listen_table *table = rcu_alloc_or_null(sizeof(*table) + slots * sizeof(void *));

	if (table)
		table->mask = slots - 1;
	return table;
}

struct listen_table *listen_table_create(void)
{
	return table_alloc_or_null(0);
}

void listen_table_destroy(struct listen_table *table)
{
	for (uint32_t i = 0; i <= table->mask; i++)
		rcu_free(table->slots[i]);
	rcu_free(table);
}

/* Only by what an exact address and any have in common, so that one chain holds both. */
static uint32_t home(const struct listen_table *table, uint8_t proto, rte_be16_t port)
{
	return mix32((uint32_t)proto << 16 | port) & table->mask;
}

/* The next entry of the protocol and port from slot *at on; NULL: no more. */
static struct listen_entry *next(const struct listen_table *table, uint32_t *at, uint8_t proto,
				 rte_be16_t port)
{
	struct listen_entry *entry;

	while ((entry = table->slots[*at])) {
		*at = (*at + 1) & table->mask;
		if (entry->proto == proto && entry->local.port == port)
			return entry;
	}
	return NULL;
}

static struct listen_entry *find(const struct listen_table *table, uint8_t proto,
				 struct net_endpoint local)
{
	struct listen_entry *entry;
	uint32_t at = home(table, proto, local.port);

	while ((entry = next(table, &at, proto, local.port)))
		if (ip_addr_eq(entry->local.addr, local.addr))
			return entry;
	return NULL;
}

static void insert(struct listen_table *table, struct listen_entry *entry)
{
	uint32_t i = home(table, entry->proto, entry->local.port);

	while (table->slots[i])
		i = (i + 1) & table->mask;
	table->slots[i] = entry;
	table->count++;
}

static void publish(struct net_tables *tables, struct listen_table *new)
{
	struct listen_table *old = tables->listens;

	/* release; pairs with the acquire in current() */
	__atomic_store_n(&tables->listens, new, __ATOMIC_RELEASE);
	rcu_retire_mt(tables->retired, old);
}

static bool needless(const struct listen_entry *entry)
{
	return !load(&entry->shards) && !load(&entry->foreign);
}

void listen_table_purge(struct net_tables *tables)
{
	struct listen_table *old = tables->listens, *new;
	uint32_t needless_count = 0;

	for (uint32_t i = 0; i <= old->mask; i++)
		needless_count += old->slots[i] && needless(old->slots[i]);
	if (!needless_count)
		return;
	new = table_alloc_or_null(old->count - needless_count);
	if (!new)
		return;
	for (uint32_t i = 0; i <= old->mask; i++) {
		struct listen_entry *entry = old->slots[i];

		if (!entry)
			continue;
		/* A set can become empty meanwhile, but what was empty stays so: see
		 * net_listen_foreign_mt(). */
		if (needless_count && needless(entry)) {
			needless_count--;
			rcu_retire_mt(tables->retired, entry);
		} else {
			insert(new, entry);
		}
	}
	publish(tables, new);
}

/* A new entry, published; NULL: no room. */
static struct listen_entry *add_entry(struct net_tables *tables, uint8_t proto,
				      struct net_endpoint local)
{
	struct listen_table *old, *new;
	struct listen_entry *entry;

	if (tables->listens->count >= NET_LISTEN_MAX)
		listen_table_purge(tables);
	old = tables->listens;
	if (old->count >= NET_LISTEN_MAX)
		return NULL;
	entry = rcu_alloc_or_null(sizeof(*entry));
	new = table_alloc_or_null(old->count + 1);
	if (!entry || !new) {
		rcu_free(entry);
		rcu_free(new);
		return NULL;
	}
	entry->local = local;
	entry->proto = proto;
	for (uint32_t i = 0; i <= old->mask; i++)
		if (old->slots[i])
			insert(new, old->slots[i]);
	insert(new, entry);
	publish(tables, new);
	return entry;
}

static bool clashes(const struct net_tables *tables, uint8_t proto, struct net_endpoint local,
		    uint16_t shard, bool exclusive)
{
	struct listen_entry *entry;
	uint32_t at = home(tables->listens, proto, local.port);

	while ((entry = next(tables->listens, &at, proto, local.port))) {
		uint64_t shards = load(&entry->shards);
		bool overlap = ip_addr_eq(entry->local.addr, local.addr) ||
			       ip_addr_is_any(entry->local.addr) || ip_addr_is_any(local.addr);

		if (overlap && shards && (exclusive || entry->exclusive || shards & bit(shard)))
			return true;
	}
	return false;
}

int net_listen_add_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
		      uint16_t shard, bool exclusive)
{
	struct listen_entry *entry;
	int err = 0;

	CHECK(shard < NET_SHARD_MAX);
	pthread_mutex_lock(&tables->mutex);
	if (clashes(tables, proto, local, shard, exclusive)) {
		err = -EADDRINUSE;
	} else if (!(entry = find(tables->listens, proto, local)) &&
		   !(entry = add_entry(tables, proto, local))) {
		err = -ENOSPC;
	} else {
		entry->exclusive = exclusive;
		__atomic_or_fetch(&entry->shards, bit(shard), __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&tables->mutex);
	return err;
}

void net_listen_remove_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			  uint16_t shard)
{
	struct listen_entry *entry;

	pthread_mutex_lock(&tables->mutex);
	entry = find(tables->listens, proto, local);
	if (entry) {
		__atomic_and_fetch(&entry->shards, ~bit(shard), __ATOMIC_RELAXED);
		if (needless(entry))
			listen_table_purge(tables);
	}
	pthread_mutex_unlock(&tables->mutex);
}

static const struct listen_table *current(const struct net_tables *tables)
{
	/* acquire; pairs with the release in publish() */
	return __atomic_load_n(&tables->listens, __ATOMIC_ACQUIRE);
}

static const struct ip_addr any_addr;

uint64_t net_listen_shards_rcu(const struct net_tables *tables, uint8_t proto,
			       struct net_endpoint local)
{
	const struct listen_table *table = current(tables);
	const struct listen_entry *entry;
	uint64_t any_shards = 0;
	uint32_t at = home(table, proto, local.port);

	while ((entry = next(table, &at, proto, local.port))) {
		uint64_t shards = load(&entry->shards);

		if (shards && ip_addr_eq(entry->local.addr, local.addr))
			return shards;
		if (ip_addr_is_any(entry->local.addr))
			any_shards = shards;
	}
	return any_shards;
}

int net_listen_shard_rcu(const struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			 uint32_t hash, uint16_t owner)
{
	uint64_t shards = net_listen_shards_rcu(tables, proto, local);
	unsigned n;

	if (!shards)
		return -1;
	if (shards & bit(owner))
		return owner;
	/* The n-th of the set by the hash's upper half: the lower one chose the owner. */
	n = (uint64_t)hash * (unsigned)__builtin_popcountll(shards) >> 32;
	while (n--)
		shards &= shards - 1;
	return __builtin_ctzll(shards);
}

/* Counts for the shard that calls: one writer a count, and its bit follows. */
static void count_foreign(struct listen_entry *entry, uint16_t shard, int change)
{
	uint32_t *count = &entry->foreign_count[shard];

	CHECK(change > 0 || *count > 0);
	*count += change;
	if (*count == 1 && change > 0)
		__atomic_or_fetch(&entry->foreign, bit(shard), __ATOMIC_RELAXED);
	else if (*count == 0)
		__atomic_and_fetch(&entry->foreign, ~bit(shard), __ATOMIC_RELAXED);
}

/* The entry of this endpoint that this shard holds in existence, by having it open or by a flow. */
static struct listen_entry *held(const struct listen_table *table, uint8_t proto,
				 struct net_endpoint local, uint16_t shard, bool by_flow)
{
	struct listen_entry *entry;
	uint32_t at = home(table, proto, local.port);

	while ((entry = next(table, &at, proto, local.port))) {
		if (!ip_addr_eq(entry->local.addr, local.addr) &&
		    !ip_addr_is_any(entry->local.addr))
			continue;
		if (entry->foreign_count[shard] || (!by_flow && load(&entry->shards) & bit(shard)))
			return entry;
	}
	return NULL;
}

int net_listen_foreign_mt(struct net_tables *tables, uint8_t proto, struct net_endpoint local,
			  uint16_t shard, int change)
{
	struct listen_entry *entry = held(current(tables), proto, local, shard, change < 0);

	CHECK(change == 1 || change == -1);
	if (entry) {
		/* Nobody can purge it before this shard lets go of it. */
		count_foreign(entry, shard, change);
		return 0;
	}
	CHECK(change > 0);
	/* An active open from a port that the program chose: an entry that nobody listens on. */
	pthread_mutex_lock(&tables->mutex);
	entry = find(tables->listens, proto, local);
	if (!entry)
		entry = find(tables->listens, proto, (struct net_endpoint){any_addr, local.port});
	if (!entry)
		entry = add_entry(tables, proto, local);
	if (entry)
		count_foreign(entry, shard, change);
	pthread_mutex_unlock(&tables->mutex);
	return entry ? 0 : -ENOSPC;
}

uint64_t net_listen_foreign_rcu(const struct net_tables *tables, uint8_t proto,
				struct net_endpoint local)
{
	const struct listen_table *table = current(tables);
	const struct listen_entry *entry;
	uint64_t shards = 0;
	uint32_t at = home(table, proto, local.port);

	while ((entry = next(table, &at, proto, local.port)))
		if (ip_addr_eq(entry->local.addr, local.addr) || ip_addr_is_any(entry->local.addr))
			shards |= load(&entry->foreign);
	return shards;
}
