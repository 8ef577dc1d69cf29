/*
 * Fragments in any order, of any place and length, of several datagrams at once. The bytes of a
 * datagram are a function of its id and their place, and it has no UDP checksum, so that what the
 * program gets shows whether it was put together right. An input is a list of
 * {control, id, offset / 8, length}.
 */
#include "bytes.h"
#include "mem/check.h"
#include "target.h"
#include "wire.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

enum {
	FRAGMENT_MAX = 200,
	PAYLOAD_MAX = 1480,
	/* control */
	LAST = 1 << 0,
	FORGED = 1 << 1, /* its bytes are wrong */
	LATER = 1 << 2,
	STUFFED = 1 << 3, /* the host's device takes nothing to send, from now until one without */
	POP = 1 << 4,
	ICMP = 1 << 5,
	OTHER_PEER = 1 << 6,
};

struct attack {
	struct wire w;
	int qd;
	bool forged;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
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
	const struct rte_udp_hdr udp = {rte_cpu_to_be_16(1000 + id), rte_cpu_to_be_16(WIRE_PORT),
					rte_cpu_to_be_16((uint16_t)len_of(id)), 0};

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = offset + i < sizeof(udp) ? ((const uint8_t *)&udp)[offset + i]
						    : byte_of(id, offset + i);
}

static void check_datagram(const demi_sgarray_t *sga)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	const uint32_t len = sga->sga_segs[0].sgaseg_len;
	const uint8_t id = (uint8_t)(rte_be_to_cpu_16(sga->sga_addr.sin_port) - 1000);

	CHECK(len + sizeof(struct rte_udp_hdr) == len_of(id));
	for (uint32_t i = 0; i < len; i++)
		CHECK(bytes[i] == byte_of(id, (uint32_t)sizeof(struct rte_udp_hdr) + i));
}

static void pop(struct attack *a)
{
	demi_qresult_t result;
	demi_qtoken_t token;

	while (wire_result(&result)) {
		CHECK(result.qr_opcode == DEMI_OPC_POP);
		if (!a->forged)
			check_datagram(&result.qr_value.sga);
		CHECK(demi_sgafree(&result.qr_value.sga) == 0);
		CHECK(demi_pop(&token, a->qd) == 0);
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
	uint8_t frame[FRAME_LEN_MAX] = {0};
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
		.dst_addr = HOST_ADDR};
	fill((uint8_t *)(ip + 1), id, offset * 8, len);
	if (control & FORGED && len > 0)
		((uint8_t *)(ip + 1))[id % len] ^= 0x55;
	a->forged |= !!(control & FORGED);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	wire_stuff(&a->w, control & STUFFED);
	wire_inject(&a->w, frame, FRAME_ETH_LEN + FRAME_IP_LEN + len);
	wire_after(&a->w, control & LATER ? id * 100 * MS : 1000);
	if (control & POP)
		pop(a);
	wire_drain(&a->w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = RTE_BE16(WIRE_PORT)};
	struct bytes b = {input, len};
	struct attack a = {0};
	demi_qtoken_t token;

	wire_begin(&a.w, "", true);
	CHECK(demi_socket(&a.qd, AF_INET, SOCK_DGRAM, 0) == 0);
	CHECK(demi_bind(a.qd, (const struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(demi_pop(&token, a.qd) == 0);
	for (unsigned i = 0; b.len > 0 && i < FRAGMENT_MAX; i++)
		one_fragment(&a, &b);
	pop(&a);
	/* What was never whole is given up. */
	wire_after(&a.w, 200 * S);
	pop(&a);
	CHECK(demi_close(a.qd) == 0);
	wire_end(&a.w);
	return 0;
}
