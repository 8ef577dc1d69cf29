/*
 * What bench_instructions counts: an echo server on the public calls, one shard on net_ring, and in
 * the same thread its client, a bare stack on the other end of the rings, with the options that the
 * kernel's TCP has. 64 connections, 64 bytes, one request in flight on each. All that the server
 * does happens inside server_turn(). It prints how long that took, too: in the median of many
 * rounds, as others use the machine, too.
 *
 *      ring_echo REQUESTS
 */
#include "mem/mem.h"
#include "net/net.h"
#include "net/tables.h"
#include "net/tcp.h"
#include "nic/nic.h"
#include "sdk/world.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONN_COUNT = 64,
	SIZE = 64,
	RING_LEN = 1024,
	RESULT_COUNT = 64,
	PORT = 7000,
	END_TURNS = 100,
	ROUND_NS_MAX = 1 << 20, /* longer ones count as that */
	CLIENT_SHARD = 1,	/* the server's is 0, and names are by shard */
};

static const char config_text[] = "[runtime]\nidle = \"poll\"\nname = \"ring_echo\"\n"
				  "[memory]\nhugepages = \"never\"\n"
				  "[tcp]\nconn_max = 256\nnodelay = true\n"
				  "[udp]\nsocket_max = 1\n"
				  "[telemetry]\nenabled = false\n"
				  "[[port]]\ndevice = \"net_ring_bench\"\n"
				  "address = \"10.99.0.2/24\"\nmac = \"02:00:00:00:00:02\"\n"
				  "[[neighbour]]\naddress = \"10.99.0.1\"\n"
				  "mac = \"02:00:00:00:00:01\"\n";

static struct {
	struct rte_ring *in, *out; /* as the client sees them */
	struct mem mem;
	struct net_tables *tables;
	struct counters counters;
	struct net *net;
	struct tcp_conn *conns[CONN_COUNT];
	uint32_t got_len[CONN_COUNT];
	bool begun[CONN_COUNT];
	struct rte_mbuf *message;
	uint64_t random, asked, answered, goal;
} client;

/* A round of the server is what it needs to answer every connection once. */
static struct {
	uint64_t answered, tsc;
	uint32_t count, by_ns[ROUND_NS_MAX];
} rounds;

static void must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "ring_echo: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	inet_pton(AF_INET, text, &a.v4);
	return a;
}

/* --- the server --- */

static void serve(demi_qresult_t *result, int listener)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	demi_qtoken_t qt;

	if (result->qr_opcode == DEMI_OPC_ACCEPT) {
		demi_pop(&qt, result->qr_value.ares.qd);
		demi_accept(&qt, listener);
	} else if (result->qr_opcode == DEMI_OPC_POP) {
		if (sga->sga_segs[0].sgaseg_len == 0) {
			demi_close(result->qr_qd);
		} else {
			must(demi_push(&qt, result->qr_qd, sga), "push");
			demi_pop(&qt, result->qr_qd);
		}
		demi_sgafree(sga);
	}
}

/* Takes in what the client sent, and answers. Never inlined: its name is what is counted. */
__attribute__((noinline)) static void server_turn(int listener)
{
	static const struct timespec none;
	demi_qresult_t results[RESULT_COUNT];
	int n;

	demi_wait_next_n(results, RESULT_COUNT, &n, &none);
	for (int i = 0; i < n; i++)
		serve(&results[i], listener);
}

static int server_start(void)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qtoken_t qt;
	int listener;

	must(demi_init(NULL), "init");
	must(demi_socket(&listener, AF_INET, SOCK_STREAM, 0), "socket");
	must(demi_bind(listener, (struct sockaddr *)&local, sizeof(local)), "bind");
	must(demi_listen(listener, CONN_COUNT), "listen");
	must(demi_accept(&qt, listener), "accept");
	return listener;
}

/* --- the client --- */

static uint64_t env_random(void *ctx)
{
	(void)ctx;
	client.random = client.random * UINT64_C(6364136223846793005) + 1;
	return client.random ^ client.random >> 31;
}

static void env_steer(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		      unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++) {
		hashes[i] = flows[i].local_port * 0x9e3779b1u;
		owners[i] = CLIENT_SHARD;
	}
}

static uint16_t env_port_choose(void *ctx, const struct net_flow *flow, uint16_t low, uint16_t high,
				uint32_t attempt)
{
	(void)ctx;
	(void)flow;
	return attempt <= (uint32_t)(high - low) ? (uint16_t)(low + attempt) : 0;
}

static void env_hand_over(void *ctx, struct rte_mbuf *m, uint16_t shard)
{
	(void)ctx;
	(void)shard;
	rte_pktmbuf_free(m);
}

static void env_neigh_news(void *ctx, const struct net_neigh_event *event)
{
	(void)ctx;
	(void)event;
}

static void make_tables(void)
{
	struct net_iface iface = {.mac.addr_bytes = {2, 0, 0, 0, 0, 1},
				  .addr = address("10.99.0.1"),
				  .prefix_len = 24,
				  .mtu = 1500,
				  .tx_multi_segs = true};
	struct net_neigh_event server = {.neigh = {.addr = address("10.99.0.2"),
						   .fixed = true,
						   .mac.addr_bytes = {2, 0, 0, 0, 0, 2}},
					 .news = NEIGH_FIXED};

	client.tables = net_tables_create(&iface, 1);
	if (!client.tables)
		must(ENOMEM, "tables");
	net_neigh_apply_mt(client.tables, &server, 1);
}

static void client_start(uint64_t now)
{
	const uint64_t s = 1000000000;
	const struct mem_config mem = {.shard = CLIENT_SHARD,
				       .numa_node = SOCKET_ID_ANY,
				       .data_count = 4096,
				       .small_count = 4096,
				       .data_room = 1600};
	const struct net_env env = {.random = env_random,
				    .steer = env_steer,
				    .port_choose = env_port_choose,
				    .hand_over = env_hand_over,
				    .neigh_news = env_neigh_news};
	const struct net_config config = {
		.shard = CLIENT_SHARD,
		.shard_count = CLIENT_SHARD + 1,
		.udp_max = 1,
		.udp_queue_len = 1,
		.icmp_per_second = 1,
		.tcp = {.conn_max = CONN_COUNT,
			.timewait_max = CONN_COUNT,
			.listener_max = 1,
			.syn_max = 1,
			.push_max = 2 * CONN_COUNT,
			.rcvbuf_len = 65536,
			.sndbuf_len = 65536,
			.reassembly_len = 65536,
			.rto_ns_min = s,
			.rto_ns_max = 60 * s,
			.rto_ns_initial = s,
			.delack_ns = s / 25,
			.msl_ns = 1,
			.fin_wait2_ns = s,
			.user_timeout_ns = 100 * s,
			.syn_timeout_ns = 100 * s,
			.keepalive_idle_ns = 7200 * s,
			.keepalive_interval_ns = 75 * s,
			.keepalive_count = 9,
			.port_low = 32768,
			.port_high = 65535,
			.ttl = 64,
			.timestamps = true,
			.window_scale = true,
			.sack = true,
			.nodelay = true},
	};
	const struct net_endpoint server = {.addr = address("10.99.0.2"), .port = htons(PORT)};

	must(mem_create(&client.mem, &mem), "client's memory");
	make_tables();
	must(net_create(&client.net, &config, &env, client.tables, &client.mem, &client.counters,
			now),
	     "client's stack");
	client.message = mem_handle_alloc_or_null(&client.mem, SIZE);
	if (!client.message)
		must(ENOMEM, "client's message");
	memset(rte_pktmbuf_mtod(client.message, void *), 'c', SIZE);
	for (uintptr_t i = 0; i < CONN_COUNT; i++)
		must(tcp_connect(client.net, NULL, &server, &client.conns[i], &client.conns[i]),
		     "connect");
}

static void ask(struct tcp_conn *conn)
{
	if (client.asked == client.goal)
		return;
	client.asked++;
	must(tcp_push(client.net, conn, client.message, rte_pktmbuf_mtod(client.message, void *),
		      SIZE, 0),
	     "client's push");
}

/* Everything that has come for one connection; a whole answer brings the next request. */
static void client_ready(struct tcp_conn **slot)
{
	ptrdiff_t i = slot - client.conns;
	uint32_t *got_len = &client.got_len[i];
	struct rte_mbuf *m;
	int rc;

	must(tcp_conn_error(*slot), "client's connection");
	if (!client.begun[i] && tcp_conn_state(*slot) == TCP_ESTABLISHED) {
		client.begun[i] = true;
		ask(*slot);
	}
	while ((rc = tcp_pop(client.net, *slot, &m)) == 1) {
		*got_len += m->data_len;
		rte_pktmbuf_free(m);
		if (*got_len % SIZE == 0) {
			client.answered++;
			ask(*slot);
		}
	}
	if (rc != -EAGAIN)
		must(rc ? rc : EPIPE, "client's pop");
}

/* As a device receives: each frame in one buffer of the server's pool. Rings alone would bring the
 * client's own, in chains, for the server to copy. */
static void put_on_wire(struct rte_mbuf **pkts, unsigned n)
{
	struct rte_mempool *pool = shard_mem(world_shard_or_null())->data;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = rte_pktmbuf_copy(pkts[i], pool, 0, UINT32_MAX);

		if (!m)
			must(ENOMEM, "client's frame");
		rte_pktmbuf_free(pkts[i]);
		pkts[i] = m;
	}
	if (rte_ring_enqueue_bulk(client.out, (void **)pkts, n, NULL) != n)
		must(ENOBUFS, "client's ring");
}

static void client_turn(uint64_t now)
{
	struct rte_mbuf *pkts[NET_BURST_MAX];
	struct net_sock *sock;
	unsigned n;
	uint64_t cookie;
	int error;

	while ((n = rte_ring_dequeue_burst(client.in, (void **)pkts, NET_BURST_MAX, NULL)) > 0) {
		for (unsigned i = 0; i < n; i++)
			pkts[i]->port = 0;
		net_input(client.net, pkts, n, NET_FROM_WIRE, now);
	}
	net_poll(client.net, now);
	while ((sock = net_ready_take(client.net)))
		client_ready(sock->user);
	while (net_done_take(client.net, &cookie, &error))
		must(-error, "client's push");
	while ((n = net_output(client.net, 0, pkts, NET_BURST_MAX, now)) > 0)
		put_on_wire(pkts, n);
}

/* --- both --- */

static void timed_server_turn(int listener)
{
	uint64_t begin = rte_rdtsc_precise();

	server_turn(listener);
	rounds.tsc += rte_rdtsc_precise() - begin;
	if (client.answered < rounds.answered + CONN_COUNT)
		return;
	rounds.by_ns[RTE_MIN(rounds.tsc * 1000000000 / rte_get_tsc_hz(), ROUND_NS_MAX - 1ull)]++;
	rounds.count++;
	rounds.answered = client.answered;
	rounds.tsc = 0;
}

/* Of one request; 0 if there were too few. */
static double median_ns(void)
{
	uint32_t ns = 0;

	for (uint32_t before = rounds.by_ns[0]; 2 * before < rounds.count;
	     before += rounds.by_ns[ns])
		ns++;
	return (double)ns / CONN_COUNT;
}

/* Both ends close; what is still on the wire then is the client's to free. */
static int end(int listener)
{
	struct rte_mbuf *m = NULL;
	int error;

	for (int i = 0; i < CONN_COUNT; i++)
		tcp_close(client.net, client.conns[i]);
	for (int i = 0; i < END_TURNS; i++) {
		client_turn(now_ns());
		server_turn(listener);
	}
	error = demi_fini();
	while (rte_ring_dequeue(client.in, (void **)&m) == 0 ||
	       rte_ring_dequeue(client.out, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	mem_handle_free(&client.mem, client.message);
	net_destroy(client.net);
	net_tables_destroy(client.tables);
	mem_destroy(&client.mem);
	return error;
}

static void make_device(void)
{
	const struct nic_eal_config eal = {.program = "ring_echo",
					   .memory_len = (size_t)1 << 30,
					   .hugepages = NIC_HUGEPAGES_NEVER};
	const unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
	const char *why = "";
	int rc = nic_eal_start(&eal, &why);

	if (rc)
		fprintf(stderr, "ring_echo: %s\n", why);
	must(rc, "EAL");
	client.in = rte_ring_create("to_client", RING_LEN, SOCKET_ID_ANY, flags);
	client.out = rte_ring_create("to_server", RING_LEN, SOCKET_ID_ANY, flags);
	if (!client.in || !client.out ||
	    rte_eth_from_rings("bench", &client.out, 1, &client.in, 1, 0) < 0)
		must(ENOMEM, "rings");
}

static void write_config(char *path)
{
	int fd = mkstemp(path);
	ssize_t len = (ssize_t)strlen(config_text);

	if (fd < 0 || write(fd, config_text, (size_t)len) != len)
		must(EIO, path);
	close(fd);
	setenv("CONFIG_PATH", path, 1);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/ring_echo.XXXXXX";
	int listener;

	if (argc != 2) {
		fprintf(stderr, "usage: ring_echo REQUESTS\n");
		return 2;
	}
	client.goal = strtoull(argv[1], NULL, 10);
	write_config(path);
	make_device();
	listener = server_start();
	unlink(path);
	client_start(now_ns());
	while (client.answered < client.goal) {
		client_turn(now_ns());
		timed_server_turn(listener);
	}
	printf("ring_echo: %llu requests answered, %.1f ns each\n",
	       (unsigned long long)client.answered, median_ns());
	return end(listener) ? 1 : 0;
}
