#include "below_tcp.h"

#include "eal_group.h"

#include <rte_arp.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <stdlib.h>

int eal_setup(void **state)
{
	if (eal_group_setup(state) != 0)
		return -1;
	rcu_register_thread();
	return 0;
}

int eal_teardown(void **state)
{
	rcu_unregister_thread();
	return eal_group_teardown(state);
}

/* --- env --- */

static uint64_t env_random(void *ctx)
{
	struct world *w = ((struct world_shard *)ctx)->world;

	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return w->random >> 16;
}

/* The owner is the remote port, modulo shards. */
static void env_steer(void *ctx, const struct net_flow *flows, uint32_t *hashes, uint16_t *owners,
		      unsigned n)
{
	const struct world *w = ((struct world_shard *)ctx)->world;

	for (unsigned i = 0; i < n; i++) {
		uint16_t port = rte_be_to_cpu_16(flows[i].remote_port);

		owners[i] = port % w->shard_count;
		hashes[i] = port * 0x9e3779b1u;
	}
}

static uint16_t env_port_choose(void *ctx, const struct net_flow *flow, uint16_t low, uint16_t high,
				uint32_t attempt)
{
	(void)ctx, (void)flow, (void)high;
	return low + attempt;
}

static void env_hand_over(void *ctx, struct rte_mbuf *m, uint16_t shard)
{
	struct world_shard *from = ctx;
	struct world *w = from->world;

	assert_true(shard < w->shard_count && shard != from->index);
	assert_true(w->handed_count < WORLD_NOTE_MAX);
	w->handed[w->handed_count++] = (struct handed){m, from->index, shard};
}

static void env_neigh_news(void *ctx, const struct net_neigh_event *event)
{
	struct world *w = ((struct world_shard *)ctx)->world;

	assert_true(w->news_count < WORLD_NOTE_MAX);
	w->news[w->news_count++] = *event;
}

/* --- the world --- */

static void begin_shard(struct world *w, uint16_t i)
{
	const struct net_config config = {
		.shard = i,
		.shard_count = w->shard_count,
		.udp_max = 8,
		.udp_queue_len = 4,
		.icmp_per_second = 10,
		.reassembly = {.datagram_max = 16,
			       .fragment_max = 8,
			       .len_max = 128 * 1024,
			       .timeout_ns = 30 * S},
		.tcp = {.ttl = 64, .port_low = 49152, .port_high = 49159},
	};
	const struct net_env env = {
		.ctx = &w->shards[i],
		.random = env_random,
		.steer = env_steer,
		.port_choose = env_port_choose,
		.hand_over = env_hand_over,
		.neigh_news = env_neigh_news,
	};
	struct frame f;

	w->shards[i].world = w;
	w->shards[i].index = i;
	assert_int_equal(net_create(&w->shards[i].net, &config, &env, w->tables, &w->mem,
				    &w->shards[i].counters, w->now_ns),
			 0);
	for (unsigned n = 0; n < 3; n++)
		net_poll(w->shards[i].net, w->now_ns + n * 2 * S);
	while (world_output(w, i, 0, &f) || world_output(w, i, 1, &f))
		;
}

struct world *world_begin(uint16_t shard_count)
{
	const struct mem_config mem = {.numa_node = SOCKET_ID_ANY,
				       .data_count = 1023,
				       .small_count = 1023,
				       .large_count = 8,
				       .data_room = 1536};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	fake_tcp = (struct fake_tcp){.knows = UINT64_MAX, .deadline_ns = UINT64_MAX};
	w->shard_count = shard_count;
	w->now_ns = 1000 * S;
	w->random = 1;
	for (unsigned i = 0; i < 2; i++)
		w->ifaces[i] = (struct net_iface){
			.mac = i ? OUR_MAC_2 : OUR_MAC,
			.addr = i ? OUR_IP_2 : OUR_IP,
			.prefix_len = 24,
			.mtu = 1500,
			.tx_multi_segs = true,
		};
	w->tables = net_tables_create(w->ifaces, 2);
	assert_non_null(w->tables);
	assert_int_equal(mem_create(&w->mem, &mem), 0);
	mem_use_mt(&w->mem, &w->use);
	w->now_ns += 10 * S;
	for (uint16_t i = 0; i < shard_count; i++)
		begin_shard(w, i);
	world_poll(w, 10 * S);
	fake_tcp.poll_count = 0;
	return w;
}

void world_end(struct world *w)
{
	struct mem_use use;

	assert_int_equal(w->handed_count, 0);
	for (uint16_t i = 0; i < w->shard_count; i++)
		net_destroy(w->shards[i].net);
	mem_use_mt(&w->mem, &use);
	assert_memory_equal(&use, &w->use, sizeof(use));
	net_tables_destroy(w->tables);
	mem_destroy(&w->mem);
	free(w);
}

uint64_t world_drops(const struct world *w, enum drop_reason reason)
{
	uint64_t count = 0;

	for (uint16_t i = 0; i < w->shard_count; i++)
		count += w->shards[i].counters.drop[reason];
	return count;
}

uint64_t world_drops_all(const struct world *w)
{
	uint64_t count = 0;

	for (unsigned reason = 0; reason < DROP_COUNT; reason++)
		count += world_drops(w, reason);
	return count;
}

void world_apply_news(struct world *w)
{
	net_neigh_apply_mt(w->tables, w->news, w->news_count);
	w->news_count = 0;
}

void world_know(struct world *w, struct ip_addr addr, struct rte_ether_addr mac,
		enum net_neigh_news news)
{
	const struct net_neigh_event event = {
		.neigh = {.addr = addr, .mac = mac, .confirmed_ns = w->now_ns}, .news = news};

	net_neigh_apply_mt(w->tables, &event, 1);
}

void world_deliver(struct world *w)
{
	while (w->handed_count) {
		struct handed first = w->handed[0];

		w->handed_count--;
		memmove(&w->handed[0], &w->handed[1], w->handed_count * sizeof(w->handed[0]));
		net_input(world_net(w, first.to), &first.m, 1, NET_FROM_SHARD, w->now_ns);
	}
}

void world_poll(struct world *w, uint64_t after_ns)
{
	w->now_ns += after_ns;
	for (uint16_t i = 0; i < w->shard_count; i++)
		net_poll(world_net(w, i), w->now_ns);
}

struct rte_mbuf *frame_to_mbuf(struct world *w, const struct frame *f)
{
	struct rte_mbuf *m = mem_data_or_null(&w->mem);
	char *bytes;

	assert_non_null(m);
	/* What lies behind the frame is no part of it: make it recognisable. */
	memset(rte_pktmbuf_mtod(m, void *), 0xa5, rte_pktmbuf_tailroom(m));
	bytes = rte_pktmbuf_append(m, f->len);
	assert_non_null(bytes);
	memcpy(bytes, f->bytes, f->len);
	m->port = 0;
	return m;
}

void world_input(struct world *w, uint16_t shard, const struct frame *f)
{
	struct rte_mbuf *m = frame_to_mbuf(w, f);

	net_input(world_net(w, shard), &m, 1, NET_FROM_WIRE, w->now_ns);
}

bool world_output(struct world *w, uint16_t shard, uint16_t iface, struct frame *f)
{
	struct net *net = world_net(w, shard);
	struct rte_mbuf *m;

	if (!net_output(net, iface, &m, 1, RTE_MAX(w->now_ns, net->now_ns)))
		return false;
	f->len = m->pkt_len;
	assert_true(f->len <= sizeof(f->bytes));
	assert_int_equal(rte_pktmbuf_linearize(m), 0);
	memcpy(f->bytes, rte_pktmbuf_mtod(m, void *), f->len);
	rte_pktmbuf_free(m);
	return true;
}

/* --- frames --- */

struct rte_ipv4_hdr *frame_ip(struct frame *f)
{
	return (struct rte_ipv4_hdr *)(f->bytes + 14);
}

void *frame_l4(struct frame *f)
{
	return f->bytes + 14 + (f->bytes[14] & 15) * 4;
}

/* RFC 1071, byte by byte: nothing shared with the code under test. */
static uint32_t sum(const uint8_t *bytes, unsigned len, uint32_t start)
{
	for (unsigned i = 0; i < len; i++)
		start += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return start;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return s;
}

static unsigned l4_len(struct frame *f)
{
	return (f->bytes[16] << 8 | f->bytes[17]) - (f->bytes[14] & 15) * 4;
}

static uint16_t l4_sum(struct frame *f)
{
	uint8_t *l4 = frame_l4(f), proto = f->bytes[23];
	unsigned len = l4_len(f);
	uint32_t s = sum(l4, len, 0);

	if (proto != IPPROTO_ICMP)
		s = sum(f->bytes + 26, 8, s + proto + len);
	return fold(s);
}

void frame_seal(struct frame *f)
{
	uint8_t *l4 = frame_l4(f), *field;
	uint16_t s;

	f->bytes[24] = f->bytes[25] = 0;
	s = ~fold(sum(f->bytes + 14, (f->bytes[14] & 15) * 4, 0));
	f->bytes[24] = s >> 8;
	f->bytes[25] = s;
	switch (f->bytes[23]) {
	case IPPROTO_TCP:
		field = l4 + 16;
		break;
	case IPPROTO_UDP:
		field = l4 + 6;
		break;
	case IPPROTO_ICMP:
		field = l4 + 2;
		break;
	default:
		return;
	}
	field[0] = field[1] = 0;
	s = ~l4_sum(f);
	field[0] = s >> 8;
	field[1] = s;
}

bool frame_ip_valid(struct frame *f)
{
	struct rte_ipv4_hdr *ip = frame_ip(f);

	if (f->len < 34 || f->bytes[12] != 8 || f->bytes[13] != 0 || ip->version_ihl != 0x45 ||
	    rte_be_to_cpu_16(ip->total_length) != f->len - 14)
		return false;
	return fold(sum(f->bytes + 14, 20, 0)) == 0xffff && l4_sum(f) == 0xffff;
}

static struct frame frame_ip4(uint8_t proto, uint16_t len)
{
	struct frame f = {.len = 14 + 20 + len};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f.bytes;

	assert_true(f.len <= sizeof(f.bytes));
	eth->dst_addr = OUR_MAC;
	eth->src_addr = PEER_MAC;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*frame_ip(&f) = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(20 + len),
		.time_to_live = 64,
		.next_proto_id = proto,
		.src_addr = PEER_IP.v4,
		.dst_addr = OUR_IP.v4,
	};
	return f;
}

static void count_up(uint8_t *bytes, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		bytes[i] = i;
}

struct frame frame_udp(uint16_t src_port, uint16_t dst_port, uint16_t len)
{
	struct frame f = frame_ip4(IPPROTO_UDP, 8 + len);
	struct rte_udp_hdr *udp = frame_l4(&f);

	udp->src_port = rte_cpu_to_be_16(src_port);
	udp->dst_port = rte_cpu_to_be_16(dst_port);
	udp->dgram_len = rte_cpu_to_be_16(8 + len);
	count_up((uint8_t *)(udp + 1), len);
	frame_seal(&f);
	return f;
}

struct frame frame_tcp(uint16_t src_port, uint16_t dst_port, uint8_t flags, uint16_t len)
{
	struct frame f = frame_ip4(IPPROTO_TCP, 20 + len);
	struct rte_tcp_hdr *tcp = frame_l4(&f);

	tcp->src_port = rte_cpu_to_be_16(src_port);
	tcp->dst_port = rte_cpu_to_be_16(dst_port);
	tcp->sent_seq = RTE_BE32(0x01020304);
	tcp->recv_ack = RTE_BE32(0x05060708);
	tcp->data_off = 5 << 4;
	tcp->tcp_flags = flags;
	tcp->rx_win = RTE_BE16(0x1234);
	tcp->tcp_urp = RTE_BE16(0x4321);
	count_up((uint8_t *)(tcp + 1), len);
	frame_seal(&f);
	return f;
}

struct frame frame_icmp(uint8_t type, uint8_t code, uint32_t rest, const void *payload,
			uint16_t len)
{
	struct frame f = frame_ip4(IPPROTO_ICMP, 8 + len);
	uint8_t *icmp = frame_l4(&f);

	icmp[0] = type;
	icmp[1] = code;
	rest = rte_cpu_to_be_32(rest);
	memcpy(icmp + 4, &rest, 4);
	if (payload)
		memcpy(icmp + 8, payload, len);
	else
		count_up(icmp + 8, len);
	frame_seal(&f);
	return f;
}

struct frame frame_arp(uint16_t op, struct rte_ether_addr sha, struct ip_addr spa,
		       struct ip_addr tpa)
{
	struct frame f = {.len = 60};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f.bytes;

	eth->dst_addr = op == RTE_ARP_OP_REQUEST ? ALL_MAC : OUR_MAC;
	eth->src_addr = sha;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	*(struct rte_arp_hdr *)(eth + 1) = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(1),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = 6,
		.arp_plen = 4,
		.arp_opcode = rte_cpu_to_be_16(op),
		.arp_data = {.arp_sha = sha, .arp_sip = spa.v4, .arp_tip = tpa.v4},
	};
	return f;
}

void frame_add_options(struct frame *f, const uint8_t *options, unsigned len)
{
	memmove(f->bytes + 34 + len, f->bytes + 34, f->len - 34);
	memcpy(f->bytes + 34, options, len);
	f->len += len;
	f->bytes[14] += len / 4;
	frame_ip(f)->total_length = rte_cpu_to_be_16(f->len - 14);
	frame_seal(f);
}
