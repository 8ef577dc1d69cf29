#include "conversation.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { PORTS = 4, PUSH_LEN_MAX = 4000, END_STEPS_MAX = 20000 };

static struct net_config config_of(uint8_t flavour)
{
	struct net_config config = victim_config();

	config.tcp.timestamps = flavour & 1;
	config.tcp.window_scale = flavour & 2;
	config.tcp.nodelay = flavour & 4;
	config.tcp.refuse_with_rst = flavour & 8;
	config.tcp.sack = !(flavour & 32);
	config.tcp.congestion = flavour & 64 ? TCP_CONGESTION_NEWRENO : TCP_CONGESTION_CUBIC;
	config.tcp.syn_cookies = flavour & 128 ? TCP_SYN_COOKIES_ALWAYS : TCP_SYN_COOKIES_AUTO;
	if (flavour & 16)
		config.tcp.rcvbuf_len = 128 * 1024;
	return config;
}

void conversation_begin(struct conversation *c, uint8_t flavour)
{
	const struct net_endpoint local = {.port = rte_cpu_to_be_16(VICTIM_PORT)};
	const struct net_config config = config_of(flavour);

	memset(c, 0, sizeof(*c));
	victim_begin(&c->v, &config);
	CHECK(tcp_listen(c->v.net, &local, 3, c, &c->listener) == 0);
}

static struct held *any_held_or_null(struct conversation *c, struct bytes *b)
{
	struct held *held = &c->held[bytes_u8(b) % CONVERSATION_CONN_MAX];

	return held->conn ? held : NULL;
}

static struct held *free_held_or_null(struct conversation *c)
{
	for (unsigned i = 0; i < CONVERSATION_CONN_MAX; i++)
		if (!c->held[i].conn)
			return &c->held[i];
	return NULL;
}

static void hold(struct held *held, struct tcp_conn *conn)
{
	*held = (struct held){.conn = conn, .generation = held->generation + 1};
}

/* --- opening and closing --- */

void conversation_accept(struct conversation *c, struct bytes *b)
{
	struct held *held = free_held_or_null(c);
	struct tcp_conn *conn;

	(void)b;
	if (!held)
		return;
	conn = tcp_accept_or_null(c->v.net, c->listener, c);
	if (conn)
		hold(held, conn);
}

void conversation_connect(struct conversation *c, struct bytes *b)
{
	const struct net_endpoint remote = {
		{PEER_ADDR}, rte_cpu_to_be_16((uint16_t)(5000 + bytes_u8(b) % PORTS))};
	struct held *held = free_held_or_null(c);
	struct tcp_conn *conn;

	if (held && tcp_connect(c->v.net, NULL, &remote, c, &conn) == 0)
		hold(held, conn);
}

void conversation_shutdown(struct conversation *c, struct bytes *b)
{
	struct held *held = any_held_or_null(c, b);

	if (held)
		tcp_shutdown(c->v.net, held->conn, 1 + bytes_u8(b) % 3);
}

static void let_go(struct conversation *c, struct held *held, bool reset)
{
	const struct linger linger = {.l_onoff = reset};

	/* A connection that died said so to every push. */
	conversation_done(c);
	if (tcp_conn_error(held->conn))
		CHECK(held->made == held->done);
	CHECK(tcp_option_set(c->v.net, held->conn, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)) == 0);
	tcp_close(c->v.net, held->conn);
	held->conn = NULL;
}

void conversation_close(struct conversation *c, struct bytes *b)
{
	struct held *held = any_held_or_null(c, b);

	if (held)
		let_go(c, held, bytes_u8(b) % 4 == 0);
}

/* --- data --- */

static uint64_t cookie_of(const struct conversation *c, const struct held *held)
{
	return (uint64_t)held->generation << 32 | (uint64_t)(held - c->held) << 24 | held->made;
}

void conversation_push(struct conversation *c, struct bytes *b)
{
	struct held *held = any_held_or_null(c, b);
	const uint32_t len = 1 + bytes_u16(b) % PUSH_LEN_MAX;
	struct mem *mem = victim_mem();
	struct rte_mbuf *m;
	uint8_t *bytes;
	int err;

	m = held ? mem_handle_alloc_or_null(mem, len) : NULL;
	if (!m)
		return;
	bytes = rte_pktmbuf_mtod(m, uint8_t *);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = conversation_byte(held->pushed + i);
	err = tcp_push(c->v.net, held->conn, m, bytes, len, cookie_of(c, held));
	CHECK(err <= 0);
	if (err == 0) {
		held->pushed += len;
		held->made++;
	}
	CHECK(mem_handle_free(mem, m) == 0);
}

void conversation_done(struct conversation *c)
{
	uint64_t cookie;
	int error;

	while (net_done_take(c->v.net, &cookie, &error)) {
		struct held *held = &c->held[cookie >> 24 & 0xff];

		CHECK((cookie >> 24 & 0xff) < CONVERSATION_CONN_MAX && held->conn);
		CHECK(cookie >> 32 == held->generation && (cookie & 0xffffff) == held->done);
		CHECK(held->done < held->made);
		CHECK(error == 0 || error == -tcp_conn_error(held->conn));
		held->done++;
	}
	while (net_ready_take(c->v.net))
		;
}

void conversation_pop(struct conversation *c, struct bytes *b)
{
	struct held *held = any_held_or_null(c, b);
	struct rte_mbuf *m;
	int rc;

	if (!held)
		return;
	rc = tcp_pop(c->v.net, held->conn, &m);
	CHECK(!held->ended || rc <= 0);
	held->ended |= rc == 0;
	if (rc != 1)
		return;
	CHECK(m->nb_segs == 1 && m->data_len > 0);
	for (uint32_t i = 0; i < m->data_len && !c->forged; i++)
		CHECK(rte_pktmbuf_mtod(m, uint8_t *)[i] ==
		      conversation_byte(held->conn->irs + 1 + held->popped + i));
	held->popped += m->data_len;
	rte_pktmbuf_free(m);
}

/* --- the world --- */

void conversation_time(struct conversation *c, struct bytes *b)
{
	const uint8_t much = bytes_u8(b);

	victim_after(&c->v, much < 200 ? much * MS : (much - 199) * 500 * MS);
}

void conversation_hoard(struct conversation *c, struct bytes *b)
{
	struct mem *mem = victim_mem();
	const uint8_t count = bytes_u8(b);
	struct rte_mempool *pool = count & 1 ? mem->data : mem->small;
	struct rte_mbuf *m;

	if (count < 64)
		while (c->hoard_count > 0)
			rte_pktmbuf_free(c->hoard[--c->hoard_count]);
	for (unsigned i = 64; i < count && c->hoard_count < CONVERSATION_HOARD_MAX; i++)
		if ((m = rte_pktmbuf_alloc(pool)))
			c->hoard[c->hoard_count++] = m;
}

static bool nothing_left(const struct conversation *c)
{
	struct tcp_use use;

	tcp_use_mt(c->v.net, &use);
	return !use.conns && !use.syn_received && !use.timewait && !use.pushes &&
	       !use.reassembly_len;
}

void conversation_end(struct conversation *c)
{
	uint8_t frame[VICTIM_FRAME_LEN_MAX];

	conversation_hoard(c, &(struct bytes){0});
	for (unsigned i = 0; i < CONVERSATION_CONN_MAX; i++)
		if (c->held[i].conn)
			let_go(c, &c->held[i], false);
	tcp_unlisten(c->v.net, c->listener);
	for (unsigned i = 0; !nothing_left(c); i++) {
		CHECK(i < END_STEPS_MAX);
		victim_after(&c->v, 500 * MS);
		while (victim_output(&c->v, frame))
			;
	}
	victim_end(&c->v);
}
