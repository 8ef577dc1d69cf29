#include "tcp_host.h"

#include "eal_group.h"

#include <errno.h>
#include <rte_ether.h>
#include <stdlib.h>

static TAILQ_HEAD(, host) hosts = TAILQ_HEAD_INITIALIZER(hosts);

int host_group_setup(void **state)
{
	if (eal_group_setup(state) != 0)
		return -1;
	rcu_register_thread();
	return 0;
}

int host_group_teardown(void **state)
{
	rcu_unregister_thread();
	return eal_group_teardown(state);
}

struct tcp_config host_config(void)
{
	return (struct tcp_config){
		.conn_max = 64,
		.timewait_max = 16,
		.listener_max = 8,
		.syn_max = 32,
		.challenge_acks_per_second = 1000,
		.push_max = 4096,
		.rcvbuf_len = 64 * 1024,
		.sndbuf_len = 256 * 1024,
		.reassembly_len = 4 << 20,
		.rto_ns_min = 200 * MS,
		.rto_ns_max = 120 * S,
		.rto_ns_initial = 1 * S,
		.delack_ns = 40 * MS,
		.msl_ns = 30 * S,
		.fin_wait2_ns = 60 * S,
		.user_timeout_ns = 100 * S,
		.syn_timeout_ns = 180 * S,
		.keepalive_idle_ns = 7200 * S,
		.keepalive_interval_ns = 75 * S,
		.keepalive_count = 9,
		.port_low = 40000,
		.port_high = 40099,
		.ttl = 64,
		.refuse_with_rst = true,
		.congestion = TCP_CONGESTION_NEWRENO, /* half a window is told at sight */
	};
}

/* --- env --- */

static uint64_t env_random(void *ctx)
{
	struct host *h = ctx;

	h->random = h->random * 6364136223846793005u + 1442695040888963407u;
	return h->random >> 16;
}

static void env_steer(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		      unsigned n)
{
	const struct host *h = ctx;

	for (unsigned i = 0; i < n; i++) {
		hashes[i] = flows[i].remote_port * 0x9e3779b1u;
		owners[i] = h->away ? h->index + 1 : h->index;
	}
}

static uint16_t env_port_choose(void *ctx, const struct net_flow *flow, uint16_t low, uint16_t high,
				uint32_t attempt)
{
	(void)ctx, (void)flow;
	return attempt > (uint32_t)(high - low) ? 0 : (uint16_t)(low + attempt);
}

static void env_hand_over(void *ctx, struct rte_mbuf *m, uint16_t shard)
{
	struct host *h = ctx;

	(void)shard;
	if (h->beside)
		net_input(h->beside->net, &m, 1, NET_FROM_SHARD, h->beside->now_ns);
	else
		rte_pktmbuf_free(m);
}

static void env_neigh_news(void *ctx, const struct net_neigh_event *event)
{
	(void)ctx, (void)event;
}

/* --- the host --- */

struct ip_addr host_addr(uint16_t index)
{
	return (struct ip_addr){RTE_BE32(0x0a000001u) + rte_cpu_to_be_32(index)};
}

static struct rte_ether_addr host_mac(uint16_t index)
{
	return (struct rte_ether_addr){{2, 0, 0, 0, 0, (uint8_t)(index + 1)}};
}

static void know_neighbours(struct host *h)
{
	for (uint16_t i = 0; i < 4; i++) {
		const struct net_neigh_event event = {
			.neigh = {.addr = host_addr(i), .mac = host_mac(i), .fixed = true},
			.news = NEIGH_FIXED};

		if (i != h->index)
			net_neigh_apply_mt(h->tables, &event, 1);
	}
}

static struct host *begin(uint16_t index, const struct tcp_config *config, uint64_t now_ns,
			  uint32_t buffer_count, struct host *first)
{
	struct host *h = calloc(1, sizeof(*h));
	const uint16_t machine = first ? first->index : index;
	const struct net_iface iface = {.mac = host_mac(machine),
					.addr = host_addr(machine),
					.prefix_len = 24,
					.mtu = 1500,
					.tx_multi_segs = true};
	const struct mem_config mem = {.shard = index,
				       .numa_node = SOCKET_ID_ANY,
				       .data_count = buffer_count,
				       .small_count = buffer_count,
				       .large_count = 15,
				       .data_room = 2048};
	const struct net_config net = {.shard = index,
				       .shard_count = 4,
				       .udp_max = 4,
				       .udp_queue_len = 4,
				       .icmp_per_second = 10,
				       .tcp = *config};
	const struct net_env env = {.ctx = h,
				    .random = env_random,
				    .steer = env_steer,
				    .port_choose = env_port_choose,
				    .hand_over = env_hand_over,
				    .neigh_news = env_neigh_news};
	struct host_frame f;

	assert_non_null(h);
	TAILQ_INSERT_HEAD(&hosts, h, link);
	h->index = index;
	h->random = index + 1;
	h->now_ns = now_ns;
	h->addr = host_addr(machine);
	h->mac = host_mac(machine);
	h->tables = first ? first->tables : net_tables_create(&iface, 1);
	h->tables_shared = first != NULL;
	assert_non_null(h->tables);
	if (!first)
		know_neighbours(h);
	assert_int_equal(mem_create(&h->mem, &mem), 0);
	mem_use_mt(&h->mem, &h->idle_use);
	assert_int_equal(net_create(&h->net, &net, &env, h->tables, &h->mem, &h->counters, now_ns),
			 0);
	/* It announces itself first. */
	for (unsigned i = 0; i < 10; i++) {
		host_after(h, 1 * S);
		while (host_output(h, &f))
			;
	}
	return h;
}

struct host *host_begin_small(uint16_t index, const struct tcp_config *config, uint64_t now_ns,
			      uint32_t buffer_count)
{
	return begin(index, config, now_ns, buffer_count, NULL);
}

struct host *host_begin_beside(struct host *first, uint16_t index, const struct tcp_config *config)
{
	struct host *h = begin(index, config, first->now_ns, 1023, first);

	host_after(first, h->now_ns - first->now_ns);
	h->beside = first;
	first->beside = h;
	return h;
}

struct host *host_begin(uint16_t index, const struct tcp_config *config, uint64_t now_ns)
{
	return host_begin_small(index, config, now_ns, 4095);
}

static void destroy(struct host *h)
{
	if (!h->tables_shared)
		net_tables_destroy(h->tables);
	mem_destroy(&h->mem);
	TAILQ_REMOVE(&hosts, h, link);
	free(h);
}

void host_end(struct host *h)
{
	struct mem_use use;

	net_destroy(h->net);
	h->net = NULL;
	mem_use_mt(&h->mem, &use);
	assert_memory_equal(&use, &h->idle_use, sizeof(use));
	destroy(h);
}

int host_sweep(void **state)
{
	struct host *h;

	(void)state;
	while ((h = TAILQ_FIRST(&hosts))) {
		net_destroy(h->net);
		destroy(h);
	}
	return 0;
}

void host_input(struct host *h, const struct host_frame *f)
{
	struct rte_mbuf *m = mem_data_or_null(&h->mem);

	if (!m)
		return; /* as a device without descriptors */
	memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->bytes, f->len);
	m->port = 0;
	mem_level_update(&h->mem);
	net_input(h->net, &m, 1, NET_FROM_WIRE, h->now_ns);
}

bool host_output(struct host *h, struct host_frame *f)
{
	struct rte_mbuf *m;

	if (!net_output(h->net, 0, &m, 1, h->now_ns))
		return false;
	f->len = m->pkt_len;
	assert_true(f->len <= sizeof(f->bytes));
	if (m->nb_segs == 1)
		memcpy(f->bytes, rte_pktmbuf_mtod(m, void *), f->len);
	else
		assert_ptr_equal(rte_pktmbuf_read(m, 0, f->len, f->bytes), f->bytes);
	rte_pktmbuf_free(m);
	return true;
}

void host_after(struct host *h, uint64_t ns)
{
	const uint64_t end_ns = h->now_ns + ns;

	while (h->now_ns < end_ns) {
		uint64_t next_ns = net_poll(h->net, h->now_ns);

		/* The wheel fires up to a tick late. */
		next_ns = RTE_MIN(RTE_MAX(next_ns, h->now_ns + 1), end_ns);
		h->now_ns = RTE_MIN(next_ns + WHEEL_TICK_NS, end_ns);
	}
	net_poll(h->net, h->now_ns);
}

/* --- the program --- */

struct tcp_listener *host_listen(struct host *h, uint16_t port, uint32_t backlog)
{
	const struct net_endpoint local = {.port = rte_cpu_to_be_16(port)};
	struct tcp_listener *listener;

	assert_int_equal(tcp_listen(h->net, &local, backlog, h, &listener), 0);
	return listener;
}

int host_push(struct host *h, struct tcp_conn *conn, uint64_t start, uint32_t len, uint64_t cookie)
{
	struct rte_mbuf *m = mem_handle_alloc_or_null(&h->mem, len);
	uint8_t *bytes;
	int err;

	if (!m)
		return -ENOMEM;
	bytes = rte_pktmbuf_mtod(m, uint8_t *);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = host_pattern(start + i);
	err = tcp_push(h->net, conn, m, bytes, len, cookie);
	assert_int_equal(mem_handle_free(&h->mem, m), 0);
	return err;
}

uint64_t host_pop_all(struct host *h, struct tcp_conn *conn, uint64_t start, int *end)
{
	struct rte_mbuf *m;
	uint64_t at = start;

	while ((*end = tcp_pop(h->net, conn, &m)) == 1) {
		const uint8_t *bytes = rte_pktmbuf_mtod(m, uint8_t *);

		assert_int_equal(m->nb_segs, 1);
		assert_true(m->data_len > 0);
		for (uint16_t i = 0; i < m->data_len; i++, at++)
			if (bytes[i] != host_pattern(at))
				fail_msg("byte %lu of the stream is wrong", (unsigned long)at);
		rte_pktmbuf_free(m);
	}
	return at - start;
}

bool host_done(struct host *h, uint64_t *cookie, int *error)
{
	return net_done_take(h->net, cookie, error);
}
