#include "tcp_peer.h"

#include <errno.h>
#include <rte_ether.h>
#include <rte_ip.h>

enum { PEER_INDEX = 1 };

struct peer peer_begin(const struct tcp_config *config)
{
	struct peer p = {.port = PEER_PORT,
			 .host_port = HOST_PORT,
			 .iss = PEER_ISS,
			 .wnd = PEER_WND,
			 .ts_val = 5000};

	p.h = host_begin(0, config, 1000 * S);
	p.listener = host_listen(p.h, HOST_PORT, 4);
	return p;
}

void peer_end(struct peer *p)
{
	host_end(p->h);
}

void peer_handshake(struct peer *p, const uint8_t *opts, unsigned opts_len)
{
	const struct seg syn = {.flags = SYN, .wnd = p->wnd, .opts = opts, .opts_len = opts_len};

	peer_send_seg(p, &syn);
	peer_expect(p, SYN | ACK, 0, 1, 0);
	peer_send(p, ACK, 1, 1, 0);
	p->conn = tcp_accept_or_null(p->h->net, p->listener, p);
	assert_non_null(p->conn);
	peer_expect_nothing(p);
}

struct peer peer_established(const struct tcp_config *config)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	struct peer p = peer_begin(config);

	peer_handshake(&p, mss, sizeof(mss));
	return p;
}

struct peer peer_connected(const struct tcp_config *config)
{
	static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 255};
	const struct net_endpoint remote = {host_addr(PEER_INDEX), RTE_BE16(PEER_PORT)};
	const struct seg answer = {.flags = SYN | ACK,
				   .ack = 1,
				   .wnd = PEER_WND,
				   .opts = mss,
				   .opts_len = sizeof(mss)};
	struct peer p = peer_begin(config);

	assert_int_equal(tcp_connect(p.h->net, NULL, &remote, &p, &p.conn), 0);
	p.host_port = rte_be_to_cpu_16(tcp_conn_local(p.conn).port);
	peer_expect(&p, SYN, 0, 0, 0);
	peer_send_seg(&p, &answer);
	assert_int_equal(tcp_conn_state(p.conn), TCP_ESTABLISHED);
	peer_expect(&p, ACK, 1, 1, 0);
	return p;
}

/* --- frames --- */

static uint32_t write_options(struct peer *p, const struct seg *seg, uint8_t *bytes)
{
	uint32_t len = seg->opts_len;

	if (len)
		memcpy(bytes, seg->opts, len);
	if (p->ts)
		len += tcp_opt_write_timestamps(bytes + len, p->ts_val, p->ts_ecr);
	while (len % 4)
		bytes[len++] = 0;
	return len;
}

void peer_send_seg(struct peer *p, const struct seg *seg)
{
	struct host_frame f = {0};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f.bytes;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t opts_len = write_options(p, seg, (uint8_t *)(tcp + 1));
	uint8_t *payload = (uint8_t *)(tcp + 1) + opts_len;
	const uint32_t total = 40 + opts_len + seg->len;

	f.len = sizeof(*eth) + total;
	assert_true(f.len <= sizeof(f.bytes));
	eth->dst_addr = p->h->mac;
	eth->src_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, PEER_INDEX + 1}};
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	if (p->multicast)
		eth->dst_addr = (struct rte_ether_addr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .type_of_service = seg->tos,
				    .total_length = rte_cpu_to_be_16((uint16_t)total),
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_TCP,
				    .src_addr = host_addr(PEER_INDEX).v4,
				    .dst_addr = p->h->addr.v4};
	*tcp = (struct rte_tcp_hdr){
		.src_port = rte_cpu_to_be_16(p->port),
		.dst_port = rte_cpu_to_be_16(p->host_port),
		.sent_seq = rte_cpu_to_be_32(p->iss + seg->seq),
		.recv_ack = seg->flags & ACK ? rte_cpu_to_be_32(p->irs + seg->ack) : 0,
		.data_off = (uint8_t)((20 + opts_len) / 4 << 4),
		.tcp_flags = seg->flags,
		.rx_win = rte_cpu_to_be_16(seg->wnd),
		.tcp_urp = rte_cpu_to_be_16(seg->urgent)};
	for (uint32_t i = 0; i < seg->len; i++) /* the stream begins after the SYN */
		payload[i] = host_pattern(seg->seq - !(seg->flags & SYN) + i);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	host_input(p->h, &f);
}

void peer_send(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	const struct seg seg = {.flags = flags, .seq = seq, .ack = ack, .len = len, .wnd = p->wnd};

	peer_send_seg(p, &seg);
}

bool peer_take(struct peer *p, struct seg *seg)
{
	struct host_frame f;
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)f.bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(f.bytes + sizeof(*eth) + sizeof(*ip));
	const uint8_t *payload;
	uint32_t header_len;
	uint16_t checksum;

	if (!host_output(p->h, &f))
		return false;
	assert_int_equal(eth->ether_type, RTE_BE16(RTE_ETHER_TYPE_IPV4));
	assert_int_equal(ip->next_proto_id, IPPROTO_TCP);
	assert_int_equal(rte_be_to_cpu_16(ip->total_length) + sizeof(*eth), f.len);
	assert_int_equal(ip->src_addr, p->h->addr.v4);
	assert_int_equal(ip->dst_addr, host_addr(PEER_INDEX).v4);
	assert_int_equal(rte_ipv4_cksum(ip), 0);
	checksum = tcp->cksum;
	tcp->cksum = 0;
	assert_int_equal(rte_ipv4_udptcp_cksum(ip, tcp), checksum);
	assert_int_equal(rte_be_to_cpu_16(tcp->src_port), p->host_port);
	assert_int_equal(rte_be_to_cpu_16(tcp->dst_port), p->port);
	header_len = (uint32_t)(tcp->data_off >> 4) * 4;
	*seg = (struct seg){.flags = tcp->tcp_flags,
			    .tos = ip->type_of_service,
			    .len = f.len - (uint32_t)sizeof(*eth) - 20 - header_len,
			    .wnd = rte_be_to_cpu_16(tcp->rx_win)};
	assert_true(tcp_opt_parse(&seg->parsed, (const uint8_t *)(tcp + 1), header_len - 20));
	if (seg->flags & SYN)
		p->irs = rte_be_to_cpu_32(tcp->sent_seq);
	if (seg->parsed.present & TCP_OPT_TIMESTAMPS)
		p->ts_ecr = seg->parsed.ts_val;
	seg->seq = rte_be_to_cpu_32(tcp->sent_seq) - p->irs;
	seg->ack = seg->flags & ACK ? rte_be_to_cpu_32(tcp->recv_ack) - p->iss : 0;
	payload = (const uint8_t *)tcp + header_len;
	seg->pattern_ok = true;
	for (uint32_t i = 0; i < seg->len; i++)
		seg->pattern_ok &= payload[i] == host_pattern(seg->seq - 1 + i);
	return true;
}

struct seg peer_expect_at(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len,
			  const char *file, int line)
{
	struct seg got;

	if (!peer_take(p, &got))
		_fail(file, line);
	if (got.flags != flags || got.seq != seq || got.ack != ack || got.len != len) {
		print_error("expected flags %#x seq %u ack %u len %u, got flags %#x seq %u ack %u "
			    "len %u\n",
			    flags, seq, ack, len, got.flags, got.seq, got.ack, got.len);
		_fail(file, line);
	}
	_assert_true(got.pattern_ok, "payload", file, line);
	return got;
}

void peer_expect_nothing_at(struct peer *p, const char *file, int line)
{
	struct seg got;

	if (!peer_take(p, &got))
		return;
	print_error("expected nothing, got flags %#x seq %u ack %u len %u\n", got.flags, got.seq,
		    got.ack, got.len);
	_fail(file, line);
}

unsigned peer_drain(struct peer *p)
{
	unsigned count = 0;
	struct seg seg;

	while (peer_take(p, &seg))
		count++;
	return count;
}

void peer_after(struct peer *p, uint64_t ns)
{
	host_after(p->h, ns);
}

/* --- the program --- */

void peer_push(struct peer *p, uint32_t len)
{
	assert_int_equal(host_push(p->h, p->conn, p->total, len, p->total), 0);
	p->total += len;
}

uint64_t peer_pop(struct peer *p)
{
	uint32_t start =
		p->conn->rxq.rcv_nxt - p->conn->rxq.len - p->conn->fin_received - p->iss - 1;
	int end;

	return host_pop_all(p->h, p->conn, start, &end);
}

unsigned peer_done(struct peer *p, int *error)
{
	unsigned count = 0;
	uint64_t cookie;
	int one;

	while (host_done(p->h, &cookie, &one)) {
		if (count++)
			assert_int_equal(one, *error);
		*error = one;
	}
	return count;
}

uint64_t peer_drops(const struct peer *p, enum drop_reason reason)
{
	return p->h->counters.drop[reason];
}

struct tcp_use peer_use(const struct peer *p)
{
	struct tcp_use use;

	tcp_use_mt(p->h->net, &use);
	return use;
}

void peer_close_actively(struct peer *p)
{
	tcp_close(p->h->net, p->conn);
	p->conn = NULL;
	peer_expect(p, ACK | FIN, 1, 1, 0);
	peer_send(p, ACK, 1, 2, 0);
	peer_send(p, ACK | FIN, 1, 2, 0);
	peer_expect(p, ACK, 2, 2, 0);
}

bool peer_ready(struct peer *p, const struct net_sock *sock)
{
	struct net_sock *ready;
	bool found = false;

	while ((ready = net_ready_take(p->h->net)))
		found |= ready == sock;
	return found;
}
