/* Writers and readers of the tables at once: what readers see is always whole. No EAL. */
#include "mem/rcu.h"
#include "net/tables.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 3000, HOSTS = 50, READERS = 2, PORTS = 40 };

struct shared {
	struct net_tables *tables;
	int stop;
	uint64_t errors[READERS], reads[READERS];
};

struct reader {
	struct shared *shared;
	unsigned index;
};

static struct ip_addr host(uint32_t n)
{
	return (struct ip_addr){rte_cpu_to_be_32(0x0a000100 + n)};
}

static struct net_endpoint port(uint16_t n)
{
	return (struct net_endpoint){.port = rte_cpu_to_be_16(1000 + n)};
}

/* Each entry's MAC says which host and time it belongs to: a torn one shows. */
static struct rte_ether_addr mac_of(uint32_t n, uint16_t round)
{
	return (struct rte_ether_addr){{2, n, round >> 8, round, n ^ round, n ^ round >> 8}};
}

static bool whole(const struct net_neigh *neigh, uint32_t n)
{
	const uint8_t *mac = neigh->mac.addr_bytes;

	return ip_addr_eq(neigh->addr, host(n)) && mac[1] == n && mac[4] == (uint8_t)(n ^ mac[3]) &&
	       mac[5] == (uint8_t)(n ^ mac[2]);
}

static void *read_all(void *arg)
{
	struct reader *self = arg;
	struct shared *shared = self->shared;
	const struct net_tables *tables = shared->tables;
	uint64_t version = 0;

	rcu_register_thread();
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		uint64_t now = net_neigh_version_rcu(tables);
		struct net_hop hop;

		shared->errors[self->index] += now < version;
		version = now;
		for (uint32_t n = 0; n < HOSTS; n++) {
			const struct net_neigh *neigh = net_neigh_lookup_rcu(tables, 0, host(n));

			shared->errors[self->index] += neigh && !whole(neigh, n);
			shared->errors[self->index] +=
				net_route_lookup_rcu(tables, host(n), &hop) != 0;
		}
		for (unsigned n = 0; n < PORTS; n++) {
			int shard =
				net_listen_shard_rcu(tables, IPPROTO_TCP, port(n), n * 77777u, 9);

			/* Port n is only ever open on shards n % 8 and 9. */
			shared->errors[self->index] +=
				shard != -1 && shard != (int)n % 8 && shard != 9;
		}
		shared->reads[self->index]++;
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	return NULL;
}

static void write_round(struct net_tables *tables, unsigned round)
{
	struct net_neigh_event events[4];
	struct net_route route = {.dst = {rte_cpu_to_be_32(0xac100000u + round)}, .prefix_len = 32};

	for (unsigned i = 0; i < 4; i++) {
		uint32_t n = (round * 7 + i * 13) % HOSTS;

		events[i] = (struct net_neigh_event){
			.neigh = {.addr = host(n), .mac = mac_of(n, round), .confirmed_ns = round},
			.news = round % 3 ? NEIGH_ANSWERED : NEIGH_GONE};
	}
	net_neigh_apply_mt(tables, events, 4);
	if (round < NET_ROUTE_MAX / 2)
		net_route_add_mt(tables, &route);
	net_listen_add_mt(tables, IPPROTO_TCP, port(round % PORTS), round % PORTS % 8, false);
	net_listen_add_mt(tables, IPPROTO_TCP, port(round % PORTS), 9, false);
	net_listen_remove_mt(tables, IPPROTO_TCP, port((round + 11) % PORTS),
			     (round + 11) % PORTS % 8);
	net_listen_remove_mt(tables, IPPROTO_TCP, port((round + 12) % PORTS), 9);
	if (round % 16 == 0)
		net_tables_reclaim(tables);
}

static void readers_see_whole_entries_while_a_writer_changes_all(void **state)
{
	const struct net_iface iface = {.addr = host(0xff), .prefix_len = 8, .mtu = 1500};
	struct shared shared = {.tables = net_tables_create(&iface, 1)};
	pthread_t threads[READERS];
	struct reader readers[READERS];

	(void)state;
	assert_non_null(shared.tables);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){&shared, i};
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		write_round(shared.tables, round);
	__atomic_store_n(&shared.stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(shared.errors[i], 0);
	}
	net_tables_destroy(shared.tables);
}

/* Shards count foreign flows without a lock while entries come and go around them. */
static void *hold_flows(void *arg)
{
	struct reader *self = arg;
	struct net_tables *tables = self->shared->tables;
	uint16_t shard = 20 + self->index;

	rcu_register_thread();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct net_endpoint local = port(round % PORTS);

		net_listen_add_mt(tables, IPPROTO_TCP, local, shard, false);
		for (unsigned i = 0; i < 3; i++)
			self->shared->errors[self->index] +=
				net_listen_foreign_mt(tables, IPPROTO_TCP, local, shard, 1) != 0;
		net_listen_remove_mt(tables, IPPROTO_TCP, local, shard);
		self->shared->errors[self->index] +=
			!(net_listen_foreign_rcu(tables, IPPROTO_TCP, local) >> shard & 1);
		for (unsigned i = 0; i < 3; i++)
			net_listen_foreign_mt(tables, IPPROTO_TCP, local, shard, -1);
		self->shared->errors[self->index] +=
			net_listen_foreign_rcu(tables, IPPROTO_TCP, local) >> shard & 1;
		rcu_quiescent_state();
	}
	rcu_unregister_thread();
	return NULL;
}

static void foreign_flows_are_counted_right_by_shards_at_once(void **state)
{
	const struct net_iface iface = {.addr = host(0xff), .prefix_len = 8, .mtu = 1500};
	struct shared shared = {.tables = net_tables_create(&iface, 1)};
	pthread_t threads[READERS];
	struct reader readers[READERS];

	(void)state;
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){&shared, i};
		assert_int_equal(pthread_create(&threads[i], NULL, hold_flows, &readers[i]), 0);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		write_round(shared.tables, round);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(shared.errors[i], 0);
	}
	for (unsigned n = 0; n < PORTS; n++)
		assert_int_equal(net_listen_foreign_rcu(shared.tables, IPPROTO_TCP, port(n)), 0);
	net_tables_destroy(shared.tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_entries_while_a_writer_changes_all),
		cmocka_unit_test(foreign_flows_are_counted_right_by_shards_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
