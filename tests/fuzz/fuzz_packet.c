/*
 * Any frames, into a host that listens with TCP and UDP and is connecting to somebody. An input is
 * a list of {control, length, frame}; the frame's checksums are made right unless control says no.
 */
#include "bytes.h"
#include "net/tcp.h"
#include "target.h"
#include "victim.h"

#include <errno.h>
#include <string.h>

enum {
	BURST_MAX = 8,
	CONN_MAX = 4,
	/* control */
	RAW = 1 << 0,	/* checksums as they are */
	MORE = 1 << 1,	/* the next frame comes in the same burst */
	LATER = 1 << 2, /* time passes afterwards */
	SEND = 1 << 3,	/* the host may send afterwards */
	POP = 1 << 4,	/* the program takes what there is */
};

struct attack {
	struct victim v;
	struct tcp_listener *listener;
	struct udp_sock *us;
	struct tcp_conn *conns[CONN_MAX];
	uint8_t frames[BURST_MAX][VICTIM_FRAME_LEN_MAX];
	struct victim_frame burst[BURST_MAX];
	unsigned count;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	victim_setup();
	return 0;
}

static void open_sockets(struct attack *a)
{
	const struct net_endpoint local = {.port = rte_cpu_to_be_16(VICTIM_PORT)};
	const struct net_endpoint remote = {{PEER_ADDR}, RTE_BE16(5000)};

	CHECK(tcp_listen(a->v.net, &local, 4, a, &a->listener) == 0);
	CHECK(udp_open(a->v.net, &local, a, &a->us) == 0);
	CHECK(tcp_connect(a->v.net, NULL, &remote, a, &a->conns[0]) == 0);
}

static void pop(struct attack *a)
{
	struct net_endpoint from;
	struct rte_mbuf *m;

	while ((m = udp_pop_or_null(a->v.net, a->us, &from)))
		rte_pktmbuf_free(m);
	for (unsigned i = 0; i < CONN_MAX; i++) {
		if (!a->conns[i])
			a->conns[i] = tcp_accept_or_null(a->v.net, a->listener, a);
		while (a->conns[i] && tcp_pop(a->v.net, a->conns[i], &m) == 1)
			rte_pktmbuf_free(m);
	}
}

static void hand_in(struct attack *a, uint8_t control)
{
	uint8_t frame[VICTIM_FRAME_LEN_MAX];

	victim_input(&a->v, a->burst, a->count);
	a->count = 0;
	if (control & POP)
		pop(a);
	if (control & SEND)
		while (victim_output(&a->v, frame))
			;
	if (control & LATER)
		victim_after(&a->v, (control >> 5 & 7) * 300 * MS);
}

static void one_frame(struct attack *a, struct bytes *b)
{
	const uint8_t control = bytes_u8(b);
	size_t len = bytes_u16(b) % (VICTIM_FRAME_LEN_MAX + 1);
	const uint8_t *bytes = bytes_take(b, &len);
	uint8_t *frame = a->frames[a->count];

	memcpy(frame, bytes, len);
	if (!(control & RAW))
		victim_sum(frame, (uint32_t)len);
	a->burst[a->count++] = (struct victim_frame){frame, (uint32_t)len};
	if (!(control & MORE) || a->count == BURST_MAX || b->len == 0)
		hand_in(a, control);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct net_config config = victim_config();
	struct bytes b = {input, len};
	static struct attack a;

	a = (struct attack){0};
	victim_begin(&a.v, &config);
	open_sockets(&a);
	while (b.len > 0)
		one_frame(&a, &b);
	hand_in(&a, POP | SEND);
	udp_close(a.v.net, a.us);
	for (unsigned i = 0; i < CONN_MAX; i++)
		if (a.conns[i])
			tcp_close(a.v.net, a.conns[i]);
	tcp_unlisten(a.v.net, a.listener);
	victim_end(&a.v);
	return 0;
}
