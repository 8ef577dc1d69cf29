#include "datagram.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <errno.h>

/* How long one waits for its answer; in a calm world it has to come, mostly. */
#define PATIENCE_NS	 UINT64_C(100000000)
#define PATIENCE_CALM_NS UINT64_C(1000000000)

static void check(int error, const char *what)
{
	if (error)
		failed("datagrams: %s: %s", what, demi_strerror(error));
}

enum {
	HEADERS_LEN = 28, /* IPv4's and UDP's */
	LOST_MAX = 8,	  /* a burst is too much for a mailbox now and then */
};

/* --- bytes --- */

static uint8_t byte_at(uint32_t len, uint32_t sender, uint32_t number, uint32_t at)
{
	const uint64_t header = (uint64_t)len << 48 | (uint64_t)number << 32 | sender;

	if (at < DATAGRAM_HEADER_LEN)
		return (uint8_t)(header >> 8 * at);
	return (uint8_t)((header + at) * 0x9e3779b97f4a7c15u >> 56);
}

void datagram_fill(uint8_t *bytes, uint32_t len, uint32_t sender, uint32_t number)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_at(len, sender, number, i);
}

/* Each byte follows from the header, and the header's length is the true one. */
static void look(const demi_sgarray_t *sga, uint32_t *sender, uint32_t *number)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	const uint32_t len = sga->sga_segs[0].sgaseg_len;

	if (len < DATAGRAM_HEADER_LEN)
		failed("a datagram has %u bytes", len);
	*sender = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		  (uint32_t)bytes[3] << 24;
	*number = bytes[4] | (uint32_t)bytes[5] << 8;
	for (uint32_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(len, *sender, *number, i))
			failed("datagram %u of sender %u, of %u bytes: byte %u is wrong", *number,
			       *sender, len, i);
	if (*number >= DATAGRAM_MAX)
		failed("datagram %u of sender %u was never sent", *number, *sender);
}

static void count_once(const struct plan *plan, uint64_t *seen, uint32_t sender, uint32_t number)
{
	if (*seen >> number & 1 && !plan->path.duplicate_ppm)
		failed("datagram %u of sender %u came twice", number, sender);
	*seen |= UINT64_C(1) << number;
}

/* --- common to both sides --- */

static void start_pop(struct ledger *ledger, int qd)
{
	demi_qtoken_t token;

	check(demi_pop(&token, qd), "pop");
	ledger_start(ledger, token);
}

/* False: it was not taken, which may be. */
static bool push(struct ledger *ledger, int qd, const demi_sgarray_t *sga,
		 const struct sockaddr_in *to)
{
	demi_qtoken_t token;
	const int error =
		demi_pushto(&token, qd, sga, (const struct sockaddr *)to, (socklen_t)sizeof(*to));

	if (error == EINVAL || error == EBADF || error == ENOTSUP || error == ENOSYS)
		check(error, "pushto");
	if (!error)
		ledger_start(ledger, token);
	return !error;
}

/* --- a server's --- */

void datagram_serve(struct datagram_server *s)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(DATAGRAM_PORT)};

	check(demi_socket(&s->qd, AF_INET, SOCK_DGRAM, 0), "socket");
	check(demi_bind(s->qd, (const struct sockaddr *)&here, sizeof(here)), "bind");
	start_pop(s->ledger, s->qd);
}

void datagram_serve_take(struct datagram_server *s, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	struct sockaddr_in from;
	uint32_t sender, number;

	if (result->qr_opcode != DEMI_OPC_POP)
		return;
	look(sga, &sender, &number);
	if (sender == DATAGRAM_OPEN_END) {
		count_once(s->plan, s->seen, sender, number);
		s->deeds->fragmented_came++;
	} else {
		from = sga->sga_addr;
		push(s->ledger, s->qd, sga, &from);
	}
	check(demi_sgafree(sga), "sgafree");
	start_pop(s->ledger, s->qd);
}

/* --- a client's --- */

/* Nothing happens to a datagram on such a world's wires; it may be too long to be sent back. */
static bool must_come_back(const struct plan *plan, uint32_t len)
{
	const struct plan_host *server = &plan->hosts[0];

	return !plan->harsh && !plan->lossy && (!server->mtu || len + HEADERS_LEN <= server->mtu) &&
	       (!server->route_mtu || len + HEADERS_LEN <= server->route_mtu);
}

void datagram_client_begin(struct datagram_client *c)
{
	check(demi_socket(&c->qd, AF_INET, SOCK_DGRAM, 0), "socket");
	start_pop(c->ledger, c->qd);
}

static void send_next(struct datagram_client *c)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(DATAGRAM_PORT)};
	const uint32_t len = DATAGRAM_HEADER_LEN + plan_dice(c->plan, c->plan->datagram_len_max);
	demi_sgarray_t sga = demi_sgaalloc(len);

	server.sin_addr.s_addr = inet_addr("10.0.0.1");
	if (!sga.sga_buf)
		return;
	datagram_fill(sga.sga_segs[0].sgaseg_buf, len, c->sender, c->sent);
	c->waiting = push(c->ledger, c->qd, &sga, &server);
	c->must_come_back = must_come_back(c->plan, len);
	check(demi_sgafree(&sga), "sgafree");
	c->sent_ns = demi_sim_now(c->sim);
	c->sent++;
	c->deeds->datagrams += c->waiting;
}

bool datagram_client_turn(struct datagram_client *c)
{
	const uint64_t patience_ns = c->must_come_back ? PATIENCE_CALM_NS : PATIENCE_NS;

	if (c->qd < 0)
		return false;
	if (c->waiting && demi_sim_now(c->sim) - c->sent_ns > patience_ns) {
		if (c->must_come_back && ++c->lost == LOST_MAX)
			failed("%u datagrams of sender %u were lost in a row, with number %u",
			       c->lost, c->sender, c->sent - 1);
		c->waiting = false;
	}
	if (!c->waiting && c->sent < c->plan->datagrams)
		send_next(c);
	if (c->waiting || c->sent < c->plan->datagrams)
		return true;
	check(demi_close(c->qd), "close");
	c->qd = -1;
	return false;
}

void datagram_client_take(struct datagram_client *c, demi_qresult_t *result)
{
	demi_sgarray_t *sga = &result->qr_value.sga;
	uint32_t sender, number;

	if (result->qr_opcode == DEMI_OPC_FAILED)
		c->waiting = false;
	if (result->qr_opcode != DEMI_OPC_POP)
		return;
	look(sga, &sender, &number);
	if (sender != c->sender || number >= c->sent)
		failed("datagram %u of sender %u came to sender %u", number, sender, c->sender);
	count_once(c->plan, &c->seen, sender, number);
	if (number == c->sent - 1)
		c->waiting = false;
	c->deeds->datagrams_back++;
	c->lost = 0;
	check(demi_sgafree(sga), "sgafree");
	start_pop(c->ledger, c->qd);
}
