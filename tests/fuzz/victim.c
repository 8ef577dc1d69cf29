#include "victim.h"

#include "mem/rcu.h"
#include "net/eth.h"
#include "net/tcp_conn.h"
#include "poison.h"

#include <rte_eal.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <string.h>

enum { BUFFER_COUNT = 511, PEER_COUNT = 3 };

static struct mem mem;
static struct mem_use idle_use;

/* --- env --- */

static uint64_t env_random(void *ctx)
{
	struct victim *v = ctx;

	v->random = v->random * 6364136223846793005u + 1442695040888963407u;
	return v->random >> 16;
}

static void env_steer(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		      unsigned n)
{
	(void)ctx;
	for (unsigned i = 0; i < n; i++) {
		hashes[i] = flows[i].remote_port * 0x9e3779b1u;
		owners[i] = 0;
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
	(void)ctx, (void)shard;
	rte_pktmbuf_free(m);
}

static void env_neigh_news(void *ctx, const struct net_neigh_event *event)
{
	struct victim *v = ctx;

	if (v->news_count < VICTIM_NEWS_MAX)
		v->news[v->news_count++] = *event;
}

/* What the control thread does. */
static void apply_news(struct victim *v)
{
	if (v->news_count == 0)
		return;
	net_neigh_apply_mt(v->tables, v->news, v->news_count);
	v->news_count = 0;
	rcu_quiescent_state();
	net_tables_reclaim(v->tables);
}

/* --- the host --- */

void victim_setup(void)
{
	static char *args[] = {
		"fuzz",		  "--no-huge",	   "-m",	  "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=4", "--lcores=0@0"};
	const struct mem_config config = {.numa_node = SOCKET_ID_ANY,
					  .data_count = BUFFER_COUNT,
					  .small_count = BUFFER_COUNT,
					  .large_count = 15,
					  .data_room = VICTIM_FRAME_LEN_MAX};

	CHECK(rte_eal_init(RTE_DIM(args), args) >= 0);
	rcu_register_thread();
	CHECK(mem_create(&mem, &config) == 0);
	mem_use_mt(&mem, &idle_use);
	poison_pools(&mem);
}

struct mem *victim_mem(void)
{
	return &mem;
}

struct net_config victim_config(void)
{
	return (struct net_config){.shard_count = 1,
				   .udp_max = 4,
				   .udp_queue_len = 4,
				   .icmp_per_second = 1000,
				   .tcp = {
					   .conn_max = 8,
					   .timewait_max = 3,
					   .listener_max = 2,
					   .syn_max = 4,
					   .push_max = 40,
					   .rcvbuf_len = 8192,
					   .sndbuf_len = 64 * 1024,
					   .reassembly_len = 20000,
					   .rto_ns_min = 200 * MS,
					   .rto_ns_max = 60 * S,
					   .rto_ns_initial = 1 * S,
					   .delack_ns = 40 * MS,
					   .msl_ns = 2 * S,
					   .fin_wait2_ns = 20 * S,
					   .user_timeout_ns = 20 * S,
					   .syn_timeout_ns = 20 * S,
					   .keepalive_idle_ns = 7200 * S,
					   .keepalive_interval_ns = 75 * S,
					   .keepalive_count = 9,
					   .port_low = 40000,
					   .port_high = 40099,
					   .ttl = 64,
					   .refuse_with_rst = true,
					   .timestamps = true,
					   .window_scale = true,
				   }};
}

static void know_peers(struct victim *v)
{
	for (uint8_t i = 0; i < PEER_COUNT; i++) {
		const struct net_neigh_event event = {
			.neigh = {.addr = {PEER_ADDR + rte_cpu_to_be_32(i)},
				  .mac = {{2, 0, 0, 0, 0, (uint8_t)(2 + i)}},
				  .fixed = true},
			.news = NEIGH_FIXED};

		net_neigh_apply_mt(v->tables, &event, 1);
	}
}

void victim_begin(struct victim *v, const struct net_config *config)
{
	const struct net_iface iface = {.mac = {{2, 0, 0, 0, 0, 1}},
					.addr = {VICTIM_ADDR},
					.prefix_len = 24,
					.mtu = 1500,
					.tx_multi_segs = true};
	const struct net_env env = {.ctx = v,
				    .random = env_random,
				    .steer = env_steer,
				    .port_choose = env_port_choose,
				    .hand_over = env_hand_over,
				    .neigh_news = env_neigh_news};
	uint8_t frame[VICTIM_FRAME_LEN_MAX];

	*v = (struct victim){.now_ns = 1000 * S, .random = 1};
	v->tables = net_tables_create(&iface, 1);
	CHECK(v->tables);
	know_peers(v);
	mem_level_update(&mem);
	CHECK(net_create(&v->net, config, &env, v->tables, &mem, &v->counters, v->now_ns) == 0);
	/* It announces its address first. */
	for (unsigned i = 0; i < 10; i++) {
		victim_after(v, 1 * S);
		while (victim_output(v, frame))
			;
	}
}

void victim_end(struct victim *v)
{
	struct mem_use use;

	net_destroy(v->net);
	apply_news(v);
	net_tables_destroy(v->tables);
	mem_use_mt(&mem, &use);
	CHECK(memcmp(&use, &idle_use, sizeof(use)) == 0);
}

void victim_check(const struct victim *v)
{
	const struct tcp_conn *conn;

	TAILQ_FOREACH (conn, &v->net->tcp.all, all_link)
		tcp_conn_check(conn);
}

void victim_input(struct victim *v, const struct victim_frame *frames, unsigned n)
{
	struct rte_mbuf *pkts[NET_BURST_MAX], *m;
	unsigned count = 0;

	for (unsigned i = 0; i < n && count < NET_BURST_MAX; i++) {
		if (frames[i].len > VICTIM_FRAME_LEN_MAX || !(m = mem_data_or_null(&mem)))
			continue;
		memcpy(rte_pktmbuf_append(m, (uint16_t)frames[i].len), frames[i].bytes,
		       frames[i].len);
		m->port = 0;
		poison_behind(m);
		pkts[count++] = m;
	}
	mem_level_update(&mem);
	net_input(v->net, pkts, count, NET_FROM_WIRE, v->now_ns);
	apply_news(v);
	victim_check(v);
}

void victim_after(struct victim *v, uint64_t ns)
{
	const uint64_t end_ns = v->now_ns + ns;
	uint64_t next_ns;

	/* The wheel fires up to a tick late. */
	while ((next_ns = net_poll(v->net, v->now_ns)) < end_ns) {
		v->now_ns = RTE_MIN(RTE_MAX(next_ns, v->now_ns + 1) + WHEEL_TICK_NS, end_ns);
		if (v->now_ns == end_ns)
			break;
	}
	v->now_ns = end_ns;
	net_poll(v->net, v->now_ns);
	apply_news(v);
	victim_check(v);
}

/* --- checksums --- */

static void sum_l4(struct rte_ipv4_hdr *ip, uint8_t *l4, uint32_t len)
{
	if (ip->next_proto_id == IPPROTO_TCP && len >= sizeof(struct rte_tcp_hdr)) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->cksum = 0;
		tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	} else if (ip->next_proto_id == IPPROTO_UDP && len >= sizeof(struct rte_udp_hdr)) {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		udp->dgram_cksum = 0;
		if (rte_be_to_cpu_16(udp->dgram_len) == len)
			udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	} else if (ip->next_proto_id == IPPROTO_ICMP && len >= sizeof(struct rte_icmp_hdr)) {
		struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)l4;

		icmp->icmp_cksum = 0;
		icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(l4, len);
	}
}

void victim_sum(uint8_t *frame, uint32_t len)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + sizeof(*eth));
	uint32_t header_len, total_len;

	if (len < sizeof(*eth) + sizeof(*ip) || eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return;
	header_len = rte_ipv4_hdr_len(ip);
	total_len = rte_be_to_cpu_16(ip->total_length);
	if (header_len < sizeof(*ip) || total_len < header_len || total_len > len - sizeof(*eth))
		return;
	if (!(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		sum_l4(ip, (uint8_t *)ip + header_len, total_len - header_len);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header_len);
}

/* --- what leaves --- */

static void check_output(uint8_t *bytes, uint32_t len)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	uint8_t again[VICTIM_FRAME_LEN_MAX];
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);

	CHECK(len >= sizeof(*eth) + 20 && len <= sizeof(*eth) + 1500);
	if (eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return;
	CHECK(ip->version_ihl == 0x45 && rte_be_to_cpu_16(ip->total_length) + sizeof(*eth) == len);
	CHECK(ip->src_addr == VICTIM_ADDR);
	if (ip->next_proto_id == IPPROTO_UDP && !udp->dgram_cksum)
		return;
	memcpy(again, bytes, len);
	victim_sum(again, len);
	CHECK(memcmp(again, bytes, len) == 0);
}

uint32_t victim_output(struct victim *v, uint8_t bytes[VICTIM_FRAME_LEN_MAX])
{
	struct rte_mbuf *m;
	uint32_t len;

	if (!net_output(v->net, 0, &m, 1, v->now_ns))
		return 0;
	len = m->pkt_len;
	CHECK(len > 0 && len <= VICTIM_FRAME_LEN_MAX);
	if (m->nb_segs == 1)
		memcpy(bytes, rte_pktmbuf_mtod(m, void *), len);
	else
		CHECK(rte_pktmbuf_read(m, 0, len, bytes) == bytes);
	rte_pktmbuf_free(m);
	check_output(bytes, len);
	return len;
}
