/* Options and endings as a program asks for them through demi_*, and what is on the wire then: one
 * host, and a peer made by hand on an open wire end. */
#include "tests/sim/harness.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>

enum {
	FIN = RTE_TCP_FIN_FLAG,
	SYN = RTE_TCP_SYN_FLAG,
	RST = RTE_TCP_RST_FLAG,
	PSH = RTE_TCP_PSH_FLAG,
	ACK = RTE_TCP_ACK_FLAG,
	PEER_PORT = 4000,
	HOST_PORT = 4001,
	PEER_ISS = 1000,
	FRAME_LEN_MAX = 1600,
};

static const char config[] = "[[port]]\ndevice = \"sim0\"\naddress = \"10.0.0.1/24\"\n"
			     "[[neighbour]]\naddress = \"10.0.0.9\"\nmac = \"02:09:09:09:09:09\"\n";

/* Sequence numbers are relative: both sides' SYN has number 0. */
struct talk {
	struct demi_sim *world;
	int host, end, qd;
	uint16_t host_port;
	uint32_t irs; /* of the host */
	uint16_t wnd;
};

/* What the host sent. */
struct said {
	uint64_t at_ns;
	uint32_t seq, ack, len;
	uint16_t wnd, mss;
	uint8_t flags, ttl, tos;
};

static const struct sockaddr_in peer_address = {.sin_family = AF_INET,
						.sin_port = RTE_BE16(PEER_PORT),
						.sin_addr.s_addr = RTE_BE32(0x0a000009)};
static const struct sockaddr_in host_address = {.sin_family = AF_INET,
						.sin_port = RTE_BE16(HOST_PORT),
						.sin_addr.s_addr = RTE_BE32(0x0a000001)};

/* --- the peer --- */

static struct rte_ipv4_hdr *write_headers(uint8_t *frame, uint8_t proto, uint16_t ip_len)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

	memset(frame, 0, sizeof(*eth) + ip_len);
	eth->dst_addr.addr_bytes[0] = 2;
	eth->src_addr = (struct rte_ether_addr){{2, 9, 9, 9, 9, 9}};
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = htons(ip_len);
	ip->time_to_live = 64;
	ip->next_proto_id = proto;
	ip->src_addr = peer_address.sin_addr.s_addr;
	ip->dst_addr = host_address.sin_addr.s_addr;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return ip;
}

/* An MSS of 1460 in a SYN; bytes of payload are 'x'. */
static void say(struct talk *t, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t len)
{
	uint8_t frame[FRAME_LEN_MAX];
	const uint16_t options_len = flags & SYN ? 4 : 0;
	struct rte_ipv4_hdr *ip =
		write_headers(frame, IPPROTO_TCP, (uint16_t)(40 + options_len + len));
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	tcp->src_port = peer_address.sin_port;
	tcp->dst_port = t->host_port;
	tcp->sent_seq = htonl(PEER_ISS + seq);
	tcp->recv_ack = flags & ACK ? htonl(t->irs + ack) : 0;
	tcp->data_off = (uint8_t)((20 + options_len) / 4 << 4);
	tcp->tcp_flags = flags;
	tcp->rx_win = htons(t->wnd);
	if (options_len)
		memcpy(tcp + 1, (const uint8_t[]){2, 4, 1460 >> 8, 1460 & 255}, 4);
	memset((uint8_t *)(tcp + 1) + options_len, 'x', len);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	assert_int_equal(demi_sim_inject(t->world, t->end, frame,
					 sizeof(struct rte_ether_hdr) + 40 + options_len + len),
			 0);
	assert_int_equal(demi_sim_advance(t->world, 10000), 0);
}

/* The next TCP segment of the host, if one came. */
static bool hear(struct talk *t, struct said *said)
{
	uint8_t frame[FRAME_LEN_MAX];
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(frame + sizeof(*eth) + sizeof(*ip));
	const uint8_t *options = (const uint8_t *)(tcp + 1);
	uint16_t sum;
	size_t len;

	do {
		if (demi_sim_take(t->world, t->end, frame, sizeof(frame), &len, &said->at_ns) != 0)
			return false;
	} while (eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		 ip->next_proto_id != IPPROTO_TCP);
	sum = tcp->cksum;
	tcp->cksum = 0;
	assert_int_equal(rte_ipv4_udptcp_cksum(ip, tcp), sum);
	t->host_port = tcp->src_port;
	if (tcp->tcp_flags & SYN)
		t->irs = ntohl(tcp->sent_seq);
	said->seq = ntohl(tcp->sent_seq) - t->irs;
	said->ack = ntohl(tcp->recv_ack) - PEER_ISS;
	said->len = ntohs(ip->total_length) - 20u - (tcp->data_off >> 4) * 4u;
	said->wnd = ntohs(tcp->rx_win);
	said->mss = tcp->tcp_flags & SYN && options[0] == 2
			    ? (uint16_t)(options[2] << 8 | options[3])
			    : 0;
	said->flags = tcp->tcp_flags;
	said->ttl = ip->time_to_live;
	said->tos = ip->type_of_service;
	return true;
}

static struct said expect_at(struct talk *t, uint8_t flags, uint32_t seq, uint32_t len, int line)
{
	struct said said;

	if (!hear(t, &said))
		fail_msg("line %d: nothing was sent", line);
	if (said.flags != flags || said.seq != seq || said.len != len)
		fail_msg("line %d: flags %#x seq %u len %u", line, said.flags, said.seq, said.len);
	return said;
}
#define expect(t, flags, seq, len) expect_at(t, flags, seq, len, __LINE__)

static void expect_silence(struct talk *t)
{
	struct said said;

	assert_false(hear(t, &said));
}

static void pass(struct talk *t, uint64_t ns)
{
	assert_int_equal(demi_sim_advance(t->world, ns), 0);
}

/* --- the program --- */

static struct talk talk_begin(void)
{
	const struct demi_sim_host_options options = {.size = sizeof(options), .config = config};
	struct talk t = {.wnd = 30000, .host_port = RTE_BE16(HOST_PORT)};
	int link;

	assert_int_equal(demi_sim_create(&t.world, 5), 0);
	assert_int_equal(demi_sim_host(t.world, &options, &t.host), 0);
	assert_int_equal(demi_sim_open_end(t.world, &t.end), 0);
	assert_int_equal(demi_sim_link(t.world, t.end, 0, t.host, 0, &link), 0);
	assert_int_equal(demi_sim_enter(t.world, t.host, 0), 0);
	assert_int_equal(demi_socket(&t.qd, AF_INET, SOCK_STREAM, 0), 0);
	pass(&t, 10 * SEC); /* announcements are over */
	return t;
}

static void talk_end(struct talk *t)
{
	assert_int_equal(demi_sim_destroy(t->world), 0);
}

static void set(int qd, int level, int name, int value)
{
	assert_int_equal(demi_setsockopt(qd, level, name, &value, sizeof(value)), 0);
}

static int get(int qd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	assert_int_equal(demi_getsockopt(qd, level, name, &value, &len), 0);
	return value;
}

static struct tcp_info info_of(int qd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(demi_getsockopt(qd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof(info));
	return info;
}

static demi_qtoken_t start_connect(struct talk *t)
{
	demi_qtoken_t qt;

	assert_int_equal(demi_connect(&qt, t->qd, (const struct sockaddr *)&peer_address,
				      sizeof(peer_address)),
			 0);
	pass(t, 10000);
	return qt;
}

/* Connects; returns the SYN. */
static struct said talk_connect(struct talk *t)
{
	demi_qtoken_t qt = start_connect(t);
	struct said syn = expect(t, SYN, 0, 0);
	demi_qresult_t qr;

	say(t, SYN | ACK, 0, 1, 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	expect(t, ACK, 1, 0);
	return syn;
}

static demi_qtoken_t push(struct talk *t, uint32_t len)
{
	demi_sgarray_t sga = demi_sgaalloc(len);
	demi_qtoken_t qt;

	memset(sga.sga_segs[0].sgaseg_buf, 'y', len);
	assert_int_equal(demi_push(&qt, t->qd, &sga), 0);
	assert_int_equal(demi_sgafree(&sga), 0);
	pass(t, 10000);
	return qt;
}

static demi_qtoken_t pop(struct talk *t)
{
	demi_qtoken_t qt;

	assert_int_equal(demi_pop(&qt, t->qd), 0);
	return qt;
}

/* The pop is done, with so many bytes. */
static void popped(demi_qtoken_t qt, uint32_t len)
{
	demi_qresult_t qr;

	assert_int_equal(wait_for(qt, &qr), 0);
	assert_int_equal(qr.qr_opcode, DEMI_OPC_POP);
	assert_int_equal(qr.qr_value.sga.sga_segs[0].sgaseg_len, len);
	assert_int_equal(demi_sgafree(&qr.qr_value.sga), 0);
}

/* --- endings --- */

/* MUST-12, RFC 9293 3.10.5 */
static void a_hard_close_is_an_rst_at_once(void **state)
{
	struct talk t = talk_begin();
	const struct linger hard = {.l_onoff = 1};
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	talk_connect(&t);
	qt = push(&t, 100);
	expect(&t, ACK | PSH, 1, 100);
	assert_int_equal(demi_setsockopt(t.qd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	assert_int_equal(demi_close(t.qd), 0);
	pass(&t, 10000);
	expect(&t, RST | ACK, 101, 0);
	assert_int_equal(wait_for(qt, &qr), ECANCELED);
	pass(&t, 300 * SEC);
	expect_silence(&t);
	say(&t, ACK, 1, 101, 0); /* nobody is there any more */
	expect(&t, RST, 101, 0);
	talk_end(&t);
}

/* SHLD-3, RFC 2525 2.17 */
static void a_close_with_unread_bytes_is_an_rst(void **state)
{
	struct talk t = talk_begin();

	(void)state;
	talk_connect(&t);
	say(&t, ACK | PSH, 1, 1, 50);
	expect(&t, ACK, 1, 0);
	assert_int_equal(demi_close(t.qd), 0);
	pass(&t, 10000);
	assert_int_equal(expect(&t, RST | ACK, 1, 0).ack, 51);
	talk_end(&t);
}

/* MUST-13 */
static void a_close_is_a_fin_and_then_time_wait_for_a_minute(void **state)
{
	struct talk t = talk_begin();

	(void)state;
	talk_connect(&t);
	push(&t, 100);
	expect(&t, ACK | PSH, 1, 100);
	assert_int_equal(demi_close(t.qd), 0);
	pass(&t, 10000);
	expect(&t, ACK | FIN, 101, 0);
	say(&t, ACK | FIN, 1, 102, 0);
	assert_int_equal(expect(&t, ACK, 102, 0).ack, 2);
	pass(&t, 59 * SEC);
	say(&t, ACK | FIN, 1, 102, 0);
	assert_int_equal(expect(&t, ACK, 102, 0).ack, 2);
	pass(&t, 61 * SEC);
	say(&t, ACK | FIN, 1, 102, 0);
	expect(&t, RST, 102, 0);
	talk_end(&t);
}

/* RFC 9293 3.6, 3.9.1.4 */
static void a_half_close_sends_a_fin_and_goes_on_receiving(void **state)
{
	struct talk t = talk_begin();
	demi_qtoken_t qt;
	demi_sgarray_t sga;

	(void)state;
	talk_connect(&t);
	push(&t, 10);
	expect(&t, ACK | PSH, 1, 10);
	assert_int_equal(demi_shutdown(t.qd, SHUT_WR), 0);
	pass(&t, 10000);
	expect(&t, ACK | FIN, 11, 0);
	sga = demi_sgaalloc(1);
	assert_int_equal(demi_push(&qt, t.qd, &sga), EPIPE);
	demi_sgafree(&sga);
	say(&t, ACK, 1, 12, 0);
	pass(&t, 600 * SEC); /* however long the answer takes */
	for (uint32_t i = 0; i < 3; i++) {
		qt = pop(&t);
		say(&t, ACK | PSH, 1 + 100 * i, 12, 100);
		popped(qt, 100);
		assert_int_equal(expect(&t, ACK, 12, 0).ack, 101 + 100 * i);
	}
	qt = pop(&t);
	say(&t, ACK | FIN, 301, 12, 0);
	popped(qt, 0);
	assert_int_equal(expect(&t, ACK, 12, 0).ack, 302);
	assert_int_equal(demi_close(t.qd), 0);
	pass(&t, 10000);
	expect_silence(&t);
	talk_end(&t);
}

static void a_lingering_close_waits_just_so_long(void **state)
{
	struct talk t = talk_begin();
	const struct linger linger = {.l_onoff = 1, .l_linger = 3};
	uint64_t begin_ns;

	(void)state;
	talk_connect(&t);
	push(&t, 100);
	assert_int_equal(demi_setsockopt(t.qd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	begin_ns = demi_sim_now(t.world);
	assert_int_equal(demi_close(t.qd), 0);
	assert_in_range(demi_sim_now(t.world) - begin_ns, 3 * SEC, 3 * SEC + 10 * MS);
	talk_end(&t);
}

/* --- the IP header, sizes --- */

/* MUST-48, MUST-49 */
static void ttl_and_tos_are_in_every_packet_of_the_connection(void **state)
{
	struct talk t = talk_begin();
	struct said said;

	(void)state;
	set(t.qd, IPPROTO_IP, IP_TTL, 7);
	set(t.qd, IPPROTO_IP, IP_TOS, 0xb8);
	said = talk_connect(&t);
	assert_true(said.ttl == 7 && said.tos == 0xb8);
	push(&t, 10);
	said = expect(&t, ACK | PSH, 1, 10);
	assert_true(said.ttl == 7 && said.tos == 0xb8);
	pass(&t, 2 * SEC); /* again */
	while (hear(&t, &said))
		assert_true(said.ttl == 7 && said.tos == 0xb8 && said.seq == 1);
	say(&t, ACK | PSH, 1, 11, 10);
	said = expect(&t, ACK, 11, 0);
	assert_true(said.ttl == 7 && said.tos == 0xb8);
	assert_int_equal(demi_close(t.qd), 0);
	pass(&t, 10000);
	said = expect(&t, RST | ACK, 11, 0);
	assert_true(said.ttl == 7 && said.tos == 0xb8);
	talk_end(&t);
}

/* MUST-14, MUST-16, RFC 9293 3.7.1 */
static void a_listeners_ttl_and_segment_size_are_its_connections(void **state)
{
	struct talk t = talk_begin();
	demi_qresult_t qr;
	demi_qtoken_t qt;
	struct said said;

	(void)state;
	set(t.qd, IPPROTO_IP, IP_TTL, 99);
	set(t.qd, IPPROTO_TCP, TCP_MAXSEG, 700);
	assert_int_equal(
		demi_bind(t.qd, (const struct sockaddr *)&host_address, sizeof(host_address)), 0);
	assert_int_equal(demi_listen(t.qd, 4), 0);
	assert_int_equal(demi_accept(&qt, t.qd), 0);
	say(&t, SYN, 0, 0, 0);
	said = expect(&t, SYN | ACK, 0, 0);
	assert_true(said.ttl == 99 && said.mss == 700);
	say(&t, ACK, 1, 1, 0);
	assert_int_equal(wait_for(qt, &qr), 0);
	t.qd = qr.qr_value.ares.qd;
	assert_int_equal(get(t.qd, IPPROTO_TCP, TCP_MAXSEG), 700);
	push(&t, 1000);
	expect(&t, ACK, 1, 700);
	assert_int_equal(expect(&t, ACK | PSH, 701, 300).ttl, 99);
	talk_end(&t);
}

static void a_segment_size_before_connect_is_told_and_kept(void **state)
{
	struct talk t = talk_begin();

	(void)state;
	assert_int_equal(get(t.qd, IPPROTO_TCP, TCP_MAXSEG), 536); /* as Linux says it */
	set(t.qd, IPPROTO_TCP, TCP_MAXSEG, 1000);
	assert_int_equal(talk_connect(&t).mss, 1000);
	push(&t, 1500);
	expect(&t, ACK, 1, 1000);
	expect(&t, ACK | PSH, 1001, 500);
	talk_end(&t);
}

static void nodelay_lets_small_pushes_go_one_by_one(void **state)
{
	struct talk t = talk_begin();

	(void)state;
	talk_connect(&t);
	push(&t, 10);
	push(&t, 10);
	expect(&t, ACK | PSH, 1, 10);
	expect_silence(&t);
	set(t.qd, IPPROTO_TCP, TCP_NODELAY, 1);
	pass(&t, 10000);
	expect(&t, ACK | PSH, 11, 10);
	push(&t, 10);
	expect(&t, ACK | PSH, 21, 10);
	talk_end(&t);
}

/* --- patience --- */

/* MUST-21, RFC 5482 2 */
static void a_user_timeout_is_when_the_push_fails(void **state)
{
	struct talk t = talk_begin();
	uint64_t begin_ns;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	struct said said;
	unsigned sent = 0;

	(void)state;
	talk_connect(&t);
	set(t.qd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	begin_ns = demi_sim_now(t.world);
	qt = push(&t, 10);
	assert_int_equal(wait_for(qt, &qr), ETIMEDOUT);
	assert_in_range(demi_sim_now(t.world) - begin_ns, 5 * SEC, 5 * SEC + 10 * MS);
	pass(&t, 10000);
	while (hear(&t, &said))
		sent += said.flags == (ACK | PSH);
	assert_in_range(sent, 4, 6);
	assert_int_equal(said.flags, RST | ACK); /* the last word */
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), 0);
	talk_end(&t);
}

/* MUST-24, MUST-26, MUST-27, MUST-29, SHLD-12 */
static void keepalive_asks_at_the_times_that_were_set(void **state)
{
	struct talk t = talk_begin();
	uint64_t begin_ns;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	struct said said;

	(void)state;
	talk_connect(&t);
	set(t.qd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	set(t.qd, IPPROTO_TCP, TCP_KEEPINTVL, 3);
	set(t.qd, IPPROTO_TCP, TCP_KEEPCNT, 2);
	set(t.qd, SOL_SOCKET, SO_KEEPALIVE, 1);
	begin_ns = demi_sim_now(t.world);
	pass(&t, 11 * SEC);
	said = expect(&t, ACK, 0, 0); /* one before the next */
	assert_in_range(said.at_ns - begin_ns, 9900 * MS, 10100 * MS);
	say(&t, ACK, 1, 1, 0);
	begin_ns = demi_sim_now(t.world);
	qt = pop(&t);
	assert_int_equal(wait_for(qt, &qr), ETIMEDOUT);
	assert_in_range(demi_sim_now(t.world) - begin_ns, 15900 * MS, 16100 * MS);
	pass(&t, 10000);
	assert_in_range(expect(&t, ACK, 0, 0).at_ns - begin_ns, 9900 * MS, 10100 * MS);
	assert_in_range(expect(&t, ACK, 0, 0).at_ns - begin_ns, 12900 * MS, 13100 * MS);
	expect(&t, RST | ACK, 1, 0);
	expect_silence(&t);
	talk_end(&t);
}

/* MUST-40, SHLD-18: and an ACK goes at once to who has read everything and waits. */
static void acks_wait_forty_milliseconds_for_an_answer_and_not_for_a_reader(void **state)
{
	struct talk t = talk_begin();
	uint64_t at_ns;
	demi_qtoken_t qt;
	struct said said;
	uint32_t at = 1;

	(void)state;
	talk_connect(&t);
	for (; at < 1 + 16 * 10; at += 10) { /* the quick ones */
		say(&t, ACK | PSH, at, 1, 10);
		assert_int_equal(expect(&t, ACK, 1, 0).ack, at + 10);
	}
	for (unsigned i = 0; i < 2; i++, at += 10) {
		at_ns = demi_sim_now(t.world);
		say(&t, ACK | PSH, at, 1, 10);
		expect_silence(&t);
		pass(&t, 100 * MS);
		said = expect(&t, ACK, 1, 0);
		assert_in_range(said.at_ns - at_ns, 30 * MS, 41 * MS);
	}
	popped(pop(&t), at - 1); /* so small that they were put together */
	qt = pop(&t);
	say(&t, ACK | PSH, at, 1, 10);
	popped(qt, 10);
	pop(&t);
	pass(&t, 1 * MS);
	expect(&t, ACK, 1, 0);
	talk_end(&t);
}

/* --- what is told --- */

/* MUST-47, MUST-54, SHLD-25: what a router says of a way that may come back. */
static void so_error_tells_what_happened_once(void **state)
{
	struct talk t = talk_begin();
	uint8_t frame[FRAME_LEN_MAX];
	struct rte_ipv4_hdr *ip, *quoted;
	struct rte_icmp_hdr *icmp;
	struct rte_tcp_hdr *tcp;
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	talk_connect(&t);
	push(&t, 10);
	expect(&t, ACK | PSH, 1, 10);
	ip = write_headers(frame, IPPROTO_ICMP, 20 + 8 + 28);
	icmp = (struct rte_icmp_hdr *)(ip + 1);
	icmp->icmp_type = 3;
	icmp->icmp_code = 1;
	quoted = (struct rte_ipv4_hdr *)(icmp + 1);
	*quoted = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
					.total_length = RTE_BE16(50),
					.next_proto_id = IPPROTO_TCP,
					.src_addr = host_address.sin_addr.s_addr,
					.dst_addr = peer_address.sin_addr.s_addr};
	tcp = (struct rte_tcp_hdr *)(quoted + 1);
	tcp->src_port = t.host_port;
	tcp->dst_port = peer_address.sin_port;
	tcp->sent_seq = htonl(t.irs + 1);
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, 36);
	assert_int_equal(demi_sim_inject(t.world, t.end, frame, 14 + 56), 0);
	pass(&t, 10000);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), 0);
	say(&t, ACK, 1, 11, 0); /* it did come back */
	qt = pop(&t);
	say(&t, RST, 1, 0, 0);
	assert_int_equal(wait_for(qt, &qr), ECONNRESET);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), ECONNRESET);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_ERROR), 0);
	talk_end(&t);
}

static void a_refused_connect_says_so(void **state)
{
	struct talk t = talk_begin();
	demi_qresult_t qr;
	demi_qtoken_t qt;

	(void)state;
	qt = start_connect(&t);
	expect(&t, SYN, 0, 0);
	say(&t, RST | ACK, 0, 1, 0);
	assert_int_equal(wait_for(qt, &qr), ECONNREFUSED);
	talk_end(&t);
}

/* RFC 6056 3.3.1: whoever sees one cannot tell the next. */
static void opens_come_from_ports_that_do_not_follow_each_other(void **state)
{
	enum { OPENS = 32 };
	struct talk t = talk_begin();
	unsigned near = 0;
	uint16_t last = 0;
	struct said said;

	(void)state;
	for (unsigned i = 0; i < OPENS; i++) {
		assert_int_equal(demi_socket(&t.qd, AF_INET, SOCK_STREAM, 0), 0);
		start_connect(&t);
		said = expect(&t, SYN, 0, 0);
		near += (uint16_t)(ntohs(t.host_port) - last + 64) < 128;
		last = ntohs(t.host_port);
		say(&t, RST | ACK, 0, 1, 0);
		assert_int_equal(said.len, 0);
	}
	assert_true(near <= 2); /* of 28,000 ports, 128 are near: one in 220 */
	talk_end(&t);
}

/* Linux's struct, to its last member; what happened is what it says. */
static void tcp_info_says_what_happened_on_the_wire(void **state)
{
	struct talk t = talk_begin();
	struct tcp_info info;
	struct said said;
	uint32_t i;

	(void)state;
	talk_connect(&t);
	info = info_of(t.qd);
	assert_int_equal(info.tcpi_state, 1);
	assert_int_equal(info.tcpi_snd_mss, 1460);
	assert_int_equal(info.tcpi_advmss, 1460);
	assert_int_equal(info.tcpi_pmtu, 1500);
	assert_int_equal(info.tcpi_snd_cwnd, 10);
	assert_int_equal(info.tcpi_snd_wnd, 30000);
	assert_int_equal(info.tcpi_options, 0); /* the peer offered none */
	push(&t, 30000);
	for (i = 0; i < 10; i++)
		expect(&t, ACK, 1 + i * 1460, 1460);
	pass(&t, 100 * MS);
	say(&t, ACK, 1, 1 + 2 * 1460, 0);
	info = info_of(t.qd);
	assert_in_range(info.tcpi_rtt, 10000, 101000); /* smoothed: the handshake took 10 us */
	assert_int_equal(info.tcpi_bytes_acked, 2 * 1460);
	assert_in_range(info.tcpi_unacked, 8, 14);
	assert_int_equal(info.tcpi_notsent_bytes + info.tcpi_bytes_sent, 30000);
	assert_int_equal(info.tcpi_total_retrans, 0);
	assert_true(info.tcpi_rto >= 200000);
	assert_in_range(info.tcpi_min_rtt, 1, 30);
	pass(&t, 1 * SEC);
	for (i = 0; hear(&t, &said);)
		i += said.seq == 1 + 2 * 1460;
	info = info_of(t.qd);
	assert_true(i >= 1);
	assert_int_equal(info.tcpi_total_retrans, i);
	assert_int_equal(info.tcpi_bytes_retrans, i * 1460);
	assert_int_equal(info.tcpi_retransmits, i);
	assert_int_equal(info.tcpi_ca_state, TCP_CA_Loss);
	assert_int_equal(info.tcpi_snd_cwnd, 1);
	say(&t, ACK | PSH, 1, 1 + 2 * 1460, 77);
	pass(&t, 500 * MS);
	info = info_of(t.qd);
	assert_int_equal(info.tcpi_bytes_received, 77);
	assert_int_equal(info.tcpi_data_segs_in, 1);
	assert_in_range(info.tcpi_last_data_recv, 350, 502); /* when its shard last looked */
	talk_end(&t);
}

/* A window as large as SO_RCVBUF, and never beyond. */
static void a_receive_buffer_is_what_the_peer_is_offered(void **state)
{
	struct talk t = talk_begin();

	(void)state;
	set(t.qd, SOL_SOCKET, SO_RCVBUF, 8000);
	assert_int_equal(get(t.qd, SOL_SOCKET, SO_RCVBUF), 8000);
	assert_int_equal(talk_connect(&t).wnd, 8000);
	for (uint32_t i = 0; i < 5; i++)
		say(&t, ACK | PSH, 1 + 1460 * i, 1, 1460);
	for (struct said said; hear(&t, &said);)
		assert_true(said.ack + said.wnd <= 8001);
	say(&t, ACK | PSH, 1 + 7300, 1, 1000); /* 300 too many */
	assert_int_equal(expect(&t, ACK, 1, 0).ack, 8001);
	talk_end(&t);
}

static void what_is_no_option_is_refused(void **state)
{
	struct talk t = talk_begin();
	const int zero = 0, big = 256;

	(void)state;
	assert_int_equal(demi_setsockopt(t.qd, IPPROTO_IP, IP_TTL, &zero, sizeof(zero)), EINVAL);
	assert_int_equal(demi_setsockopt(t.qd, IPPROTO_IP, IP_TOS, &big, sizeof(big)), EINVAL);
	assert_int_equal(demi_setsockopt(t.qd, IPPROTO_TCP, TCP_KEEPIDLE, &zero, sizeof(zero)),
			 EINVAL);
	assert_int_equal(demi_setsockopt(t.qd, IPPROTO_TCP, TCP_INFO, &zero, sizeof(zero)),
			 ENOPROTOOPT);
	assert_int_equal(demi_setsockopt(t.qd, SOL_SOCKET, SO_ERROR, &zero, sizeof(zero)),
			 ENOPROTOOPT);
	set(t.qd, IPPROTO_IP, IP_TOS, 0xff);
	assert_int_equal(get(t.qd, IPPROTO_IP, IP_TOS), 0xfc); /* the ECN bits are TCP's */
	assert_int_equal(
		demi_getsockopt(t.qd, SOL_SOCKET, SO_RCVLOWAT, (int[]){0}, (socklen_t[]){4}),
		ENOPROTOOPT);
	talk_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hard_close_is_an_rst_at_once),
		cmocka_unit_test(a_close_with_unread_bytes_is_an_rst),
		cmocka_unit_test(a_close_is_a_fin_and_then_time_wait_for_a_minute),
		cmocka_unit_test(a_half_close_sends_a_fin_and_goes_on_receiving),
		cmocka_unit_test(a_lingering_close_waits_just_so_long),
		cmocka_unit_test(ttl_and_tos_are_in_every_packet_of_the_connection),
		cmocka_unit_test(a_listeners_ttl_and_segment_size_are_its_connections),
		cmocka_unit_test(a_segment_size_before_connect_is_told_and_kept),
		cmocka_unit_test(nodelay_lets_small_pushes_go_one_by_one),
		cmocka_unit_test(a_user_timeout_is_when_the_push_fails),
		cmocka_unit_test(keepalive_asks_at_the_times_that_were_set),
		cmocka_unit_test(acks_wait_forty_milliseconds_for_an_answer_and_not_for_a_reader),
		cmocka_unit_test(so_error_tells_what_happened_once),
		cmocka_unit_test(a_refused_connect_says_so),
		cmocka_unit_test(opens_come_from_ports_that_do_not_follow_each_other),
		cmocka_unit_test(tcp_info_says_what_happened_on_the_wire),
		cmocka_unit_test(a_receive_buffer_is_what_the_peer_is_offered),
		cmocka_unit_test(what_is_no_option_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
