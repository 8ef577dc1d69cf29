#include "sack_peer.h"

struct peer sack_peer_begin(bool timestamps)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 1, 4, 2};
	struct tcp_config config = host_config();
	struct peer p;

	config.sack = config.pmtu_discovery = true;
	config.timestamps = timestamps;
	p = peer_begin(&config);
	p.ts = timestamps;
	peer_handshake(&p, opts, sizeof(opts));
	/* The handshake took no time at all: that is not what this path shall be known for. */
	tcp_rtt_init(&p.conn->rtt, &p.h->net->tcp.rtt_limits);
	peer_push(&p, p.conn->snd_mss);
	peer_expect(&p, ACK | PSH, 1, 1, p.conn->snd_mss);
	peer_after(&p, RTT_MS * MS);
	peer_send(&p, ACK, 1, 1 + p.conn->snd_mss, 0);
	return p;
}

struct peer sack_peer_ten_in_flight(bool timestamps)
{
	struct peer p = sack_peer_begin(timestamps);
	unsigned count = 0;
	struct seg seg;

	peer_push(&p, 10u * p.conn->snd_mss);
	while (peer_take(&p, &seg)) {
		assert_int_equal(seg.seq, sack_peer_at(&p, count));
		count++;
	}
	assert_int_equal(count, 10);
	peer_after(&p, RTT_MS * MS);
	return p;
}

static void put(uint8_t *bytes, uint32_t value)
{
	const rte_be32_t wire = rte_cpu_to_be_32(value);

	memcpy(bytes, &wire, sizeof(wire));
}

void sack_peer_acknowledge(struct peer *p, uint32_t ack, const struct tcp_range *blocks,
			   unsigned count)
{
	uint8_t opts[4 + 4 * 8] = {1, 1, 5, (uint8_t)(2 + 8 * count)};
	const struct seg seg = {.flags = ACK,
				.seq = 1,
				.ack = ack,
				.wnd = p->wnd,
				.opts = opts,
				.opts_len = 4 + 8 * count};

	for (unsigned i = 0; i < count; i++) {
		put(opts + 4 + 8 * i, p->irs + blocks[i].start);
		put(opts + 8 + 8 * i, p->irs + blocks[i].end);
	}
	peer_send_seg(p, &seg);
}

void sack_peer_expect(struct peer *p, uint32_t i)
{
	struct seg seg;

	assert_true(peer_take(p, &seg));
	assert_int_equal(seg.seq, sack_peer_at(p, i));
	assert_int_equal(seg.len, p->conn->snd_mss);
	assert_true(seg.pattern_ok);
}
