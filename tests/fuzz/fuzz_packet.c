/*
 * Any frames, into a host whose program listens with TCP and UDP and is connecting to somebody. An
 * input is a list of {control, length, frame}; the frame's checksums are made right unless control
 * says no. A frame may stand for all that lie near it: each of its bits changed in turn, or each of
 * its lengths.
 */
#include "bytes.h"
#include "mem/check.h"
#include "target.h"
#include "wire.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <rte_common.h>
#include <string.h>

enum {
	CONN_MAX = 4,
	/* control */
	RAW = 1 << 0,	/* checksums as they are */
	MORE = 1 << 1,	/* the next frame comes in the same burst */
	LATER = 1 << 2, /* time passes afterwards */
	STUFFED =
		1
		<< 3, /* the host's device takes nothing to send, from now until a frame without */
	POP = 1 << 4, /* the program takes what there is */
	/* Bits 5 to 7: how long, if LATER; else what else comes of the frame. */
	REST = 5,
	EACH_BIT = 1 << 5,
	EACH_LEN = 1 << 6,
	NEAR_LEN_MAX = 128, /* so many bytes of a frame are changed */
	NEAR_MAX = 2,	    /* such frames in an input */
};

struct attack {
	struct wire w;
	int listener, udp;
	int conns[CONN_MAX]; /* 0: none */
	unsigned near_count;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* --- the program --- */

static void open_sockets(struct attack *a)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = RTE_BE16(WIRE_PORT)};
	const struct sockaddr_in there = {
		.sin_family = AF_INET, .sin_port = RTE_BE16(5000), .sin_addr.s_addr = PEER_ADDR};
	demi_qtoken_t token;

	CHECK(demi_socket(&a->listener, AF_INET, SOCK_STREAM, 0) == 0);
	CHECK(demi_bind(a->listener, (const struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(demi_listen(a->listener, 4) == 0);
	CHECK(demi_accept(&token, a->listener) == 0);
	CHECK(demi_socket(&a->udp, AF_INET, SOCK_DGRAM, 0) == 0);
	CHECK(demi_bind(a->udp, (const struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(demi_pop(&token, a->udp) == 0);
	CHECK(demi_socket(&a->conns[0], AF_INET, SOCK_STREAM, 0) == 0);
	CHECK(demi_connect(&token, a->conns[0], (const struct sockaddr *)&there, sizeof(there)) ==
	      0);
}

static int *conn_of(struct attack *a, int qd)
{
	for (unsigned i = 0; i < CONN_MAX; i++)
		if (a->conns[i] == qd)
			return &a->conns[i];
	return NULL;
}

/* A connection that died cannot be popped any more. */
static void pop_next(struct attack *a, int qd)
{
	demi_qtoken_t token;

	if (demi_pop(&token, qd) != 0) {
		CHECK(conn_of(a, qd) && demi_close(qd) == 0);
		*conn_of(a, qd) = 0;
	}
}

static void accepted(struct attack *a, int qd)
{
	int *conn = conn_of(a, 0);
	demi_qtoken_t token;

	CHECK(demi_accept(&token, a->listener) == 0);
	if (!conn) {
		CHECK(demi_close(qd) == 0);
		return;
	}
	*conn = qd;
	pop_next(a, qd);
}

/* Back to whoever sent it, if it can be. */
static void answer(const struct attack *a, const demi_sgarray_t *sga)
{
	const struct sockaddr_in from = sga->sga_addr;
	demi_qtoken_t token;

	(void)demi_pushto(&token, a->udp, sga, (const struct sockaddr *)&from, sizeof(from));
}

static void take_results(struct attack *a)
{
	demi_qresult_t result;

	while (wire_result(&result)) {
		bool ended = result.qr_opcode == DEMI_OPC_FAILED;

		if (result.qr_opcode == DEMI_OPC_ACCEPT) {
			accepted(a, result.qr_value.ares.qd);
			continue;
		}
		if (result.qr_opcode == DEMI_OPC_PUSH ||
		    (ended && result.qr_qd == a->udp)) /* an answer that could not leave */
			continue;
		if (result.qr_opcode == DEMI_OPC_POP) {
			if (result.qr_qd == a->udp)
				answer(a, &result.qr_value.sga);
			ended = result.qr_value.sga.sga_segs[0].sgaseg_len == 0 &&
				result.qr_qd != a->udp;
			CHECK(demi_sgafree(&result.qr_value.sga) == 0);
		}
		if (!ended) {
			pop_next(a, result.qr_qd);
		} else if (conn_of(a, result.qr_qd)) {
			CHECK(demi_close(result.qr_qd) == 0);
			*conn_of(a, result.qr_qd) = 0;
		}
	}
}

static void close_sockets(struct attack *a)
{
	demi_qresult_t result;

	CHECK(demi_close(a->udp) == 0 && demi_close(a->listener) == 0);
	for (unsigned i = 0; i < CONN_MAX; i++)
		if (a->conns[i])
			CHECK(demi_close(a->conns[i]) == 0);
	while (wire_result(&result)) {
		if (result.qr_opcode == DEMI_OPC_POP)
			CHECK(demi_sgafree(&result.qr_value.sga) == 0);
		else if (result.qr_opcode == DEMI_OPC_ACCEPT)
			CHECK(demi_close(result.qr_value.ares.qd) == 0);
	}
}

/* --- the wire --- */

static void settle(struct attack *a, uint8_t control, uint64_t ns)
{
	wire_after(&a->w, ns);
	if (control & POP)
		take_results(a);
	wire_drain(&a->w);
}

static void put(struct attack *a, uint8_t control, uint8_t *frame, size_t len)
{
	if (!(control & RAW))
		frame_sum(frame, (uint32_t)len);
	wire_inject(&a->w, frame, (uint32_t)len);
}

static void send_each_bit(struct attack *a, uint8_t control, const uint8_t *frame, size_t len)
{
	uint8_t other[FRAME_LEN_MAX];

	for (size_t bit = 0; bit < 8 * RTE_MIN(len, (size_t)NEAR_LEN_MAX); bit++) {
		memcpy(other, frame, len);
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put(a, control, other, len);
		if (bit % 8 == 7)
			settle(a, control, 1000);
	}
}

/* IPv4 says how long it is; the layers above do not know yet. */
static void send_each_len(struct attack *a, uint8_t control, const uint8_t *frame, size_t len)
{
	uint8_t other[FRAME_LEN_MAX];

	for (size_t n = 1; n < RTE_MIN(len, (size_t)NEAR_LEN_MAX); n++) {
		memcpy(other, frame, n);
		if (n >= FRAME_ETH_LEN + FRAME_IP_LEN) {
			other[FRAME_ETH_LEN + 2] = 0;
			other[FRAME_ETH_LEN + 3] = (uint8_t)(n - FRAME_ETH_LEN);
		}
		put(a, control, other, n);
		if (n % 8 == 7)
			settle(a, control, 1000);
	}
}

static void send_what_is_near(struct attack *a, uint8_t control, const uint8_t *frame, size_t len)
{
	if (control & LATER || !(control & (EACH_BIT | EACH_LEN)) || a->near_count++ >= NEAR_MAX)
		return;
	if (control & EACH_BIT)
		send_each_bit(a, control, frame, len);
	if (control & EACH_LEN)
		send_each_len(a, control, frame, len);
}

static void one_frame(struct attack *a, struct bytes *b)
{
	const uint8_t control = bytes_u8(b);
	size_t len = bytes_u16(b) % (FRAME_LEN_MAX + 1);
	const uint8_t *bytes = bytes_take(b, &len);
	uint8_t frame[FRAME_LEN_MAX];

	memcpy(frame, bytes, len);
	wire_stuff(&a->w, control & STUFFED);
	send_what_is_near(a, control, frame, len);
	put(a, control, frame, len);
	if (!(control & MORE))
		settle(a, control, control & LATER ? (control >> REST) * 300 * MS : 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct bytes b = {input, len};
	struct attack a = {0};

	wire_begin(&a.w, "", true);
	open_sockets(&a);
	while (b.len > 0)
		one_frame(&a, &b);
	wire_after(&a.w, 1000);
	take_results(&a);
	close_sockets(&a);
	wire_end(&a.w);
	return 0;
}
