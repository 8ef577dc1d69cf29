/*
 * Fragments in any order, of any place and length, of several datagrams at once. The bytes of a
 * datagram are a function of its id and their place, and it has no UDP checksum, so that what the
 * program gets shows whether it was put together right. An input is a list of
 * {control, id, offset / 8, length}.
 */
#include "bytes.h"
#include "net/tcp.h"
#include "target.h"
#include "victim.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

enum {
	FRAGMENT_MAX = 200,
	PAYLOAD_MAX = 1480,
	HEADERS_LEN = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr),
	/* control */
	LAST = 1 << 0,
	FORGED = 1 << 1, /* its bytes are wrong */
	LATER = 1 << 2,
	SEND = 1 << 3,
	POP = 1 << 4,
	ICMP = 1 << 5,
	OTHER_PEER = 1 << 6,
};

struct attack {
	struct victim v;
	struct udp_sock *us;
	bool forged;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	victim_setup();
	return 0;
}

static uint8_t byte_of(uint8_t id, uint32_t at)
{
	return (uint8_t)(id * 37 + at + (at >> 8) * 29);
}

/* Of the datagram with this id, its UDP header included. */
static uint32_t len_of(uint8_t id)
{
	return 24 + id * 24;
}

/* The first bytes are a UDP header, whose source port tells the id. */
static void fill(uint8_t *bytes, uint8_t id, uint32_t offset, uint32_t len)
{
	const struct rte_udp_hdr udp = {rte_cpu_to_be_16(1000 + id), rte_cpu_to_be_16(VICTIM_PORT),
					rte_cpu_to_be_16((uint16_t)len_of(id)), 0};

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = offset + i < sizeof(udp) ? ((const uint8_t *)&udp)[offset + i]
						    : byte_of(id, offset + i);
}

static void pop(struct attack *a)
{
	struct net_endpoint from;
	struct rte_mbuf *m;

	while ((m = udp_pop_or_null(a->v.net, a->us, &from))) {
		const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
		const uint8_t id = (uint8_t)(rte_be_to_cpu_16(from.port) - 1000);

		CHECK(m->nb_segs == 1);
		CHECK(a->forged || m->data_len + sizeof(struct rte_udp_hdr) == len_of(id));
		for (uint32_t i = 0; i < m->data_len && !a->forged; i++)
			CHECK(bytes[i] == byte_of(id, (uint32_t)sizeof(struct rte_udp_hdr) + i));
		rte_pktmbuf_free(m);
	}
}

/* The last one ends where the datagram does, if that can be. */
static uint32_t fragment_len(uint32_t len, uint8_t id, uint32_t offset, bool last)
{
	const uint32_t whole_len = len_of(id);

	if (last && whole_len > offset && whole_len - offset <= PAYLOAD_MAX)
		return whole_len - offset;
	return len % (PAYLOAD_MAX + 1);
}

static void one_fragment(struct attack *a, struct bytes *b)
{
	const uint8_t control = bytes_u8(b), id = bytes_u8(b);
	const uint32_t offset = bytes_u16(b) & RTE_IPV4_HDR_OFFSET_MASK;
	const uint32_t len = fragment_len(bytes_u16(b), id, offset * 8, control & LAST);
	uint8_t frame[VICTIM_FRAME_LEN_MAX] = {0};
	const struct victim_frame one = {frame, (uint32_t)HEADERS_LEN + len};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

	*eth = (struct rte_ether_hdr){.dst_addr = {{2, 0, 0, 0, 0, 1}},
				      .src_addr = {{2, 0, 0, 0, 0, 2}},
				      .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(len + sizeof(*ip))),
		.packet_id = rte_cpu_to_be_16(id),
		.fragment_offset = rte_cpu_to_be_16(
			(uint16_t)(offset | (control & LAST ? 0 : RTE_IPV4_HDR_MF_FLAG))),
		.time_to_live = 64,
		.next_proto_id = control & ICMP ? IPPROTO_ICMP : IPPROTO_UDP,
		.src_addr = PEER_ADDR + (control & OTHER_PEER ? RTE_BE32(1) : 0),
		.dst_addr = VICTIM_ADDR};
	fill((uint8_t *)(ip + 1), id, offset * 8, len);
	if (control & FORGED && len > 0)
		((uint8_t *)(ip + 1))[id % len] ^= 0x55;
	a->forged |= !!(control & FORGED);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	victim_input(&a->v, &one, 1);
	if (control & POP)
		pop(a);
	if (control & SEND)
		while (victim_output(&a->v, frame))
			;
	if (control & LATER)
		victim_after(&a->v, id * 100 * MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct net_endpoint local = {.port = rte_cpu_to_be_16(VICTIM_PORT)};
	const struct net_config config = victim_config();
	struct bytes b = {input, len};
	struct attack a = {0};

	victim_begin(&a.v, &config);
	CHECK(udp_open(a.v.net, &local, &a, &a.us) == 0);
	for (unsigned i = 0; b.len > 0 && i < FRAGMENT_MAX; i++)
		one_fragment(&a, &b);
	pop(&a);
	/* What was never whole is given up. */
	victim_after(&a.v, 200 * S);
	pop(&a);
	udp_close(a.v.net, a.us);
	victim_end(&a.v);
	return 0;
}
