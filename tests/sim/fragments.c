#include "fragments.h"

#include "datagram.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

enum {
	PIECES_MAX = 8,
	MTU_LEAST = 576,
	PIECE_LEAST = 8,
	PACKET_LEN_MAX = sizeof(struct rte_udp_hdr) + DATAGRAM_LEN_MAX,
	FRAME_LEN_MAX = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + PACKET_LEN_MAX,
};

struct piece {
	uint32_t at, len;
	bool last, lies;
};

/* The IP payload. */
struct packet {
	uint16_t id;
	uint32_t len;
	uint8_t bytes[PACKET_LEN_MAX];
};

static void check(int error)
{
	if (error)
		failed("a fragment could not be sent: errno %d", error);
}

static struct rte_ipv4_hdr header(const struct packet *packet)
{
	return (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
				     .time_to_live = 64,
				     .next_proto_id = IPPROTO_UDP,
				     .packet_id = rte_cpu_to_be_16(packet->id),
				     .src_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 200)),
				     .dst_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 1))};
}

static void make_packet(struct fragments *f, uint32_t len_max, struct packet *packet)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)packet->bytes;
	struct rte_ipv4_hdr ip;
	const uint32_t len =
		DATAGRAM_HEADER_LEN + plan_dice(f->plan, len_max - DATAGRAM_HEADER_LEN);

	packet->id = (uint16_t)(1000 + f->sent);
	packet->len = (uint32_t)sizeof(*udp) + len;
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16((uint16_t)(5000 + f->sent)),
				    .dst_port = RTE_BE16(DATAGRAM_PORT),
				    .dgram_len = rte_cpu_to_be_16((uint16_t)packet->len)};
	datagram_fill(packet->bytes + sizeof(*udp), len, DATAGRAM_OPEN_END, f->sent);
	ip = header(packet);
	ip.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + packet->len));
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(&ip, udp);
}

static void send_piece(struct fragments *f, const struct packet *packet, const struct piece *piece)
{
	uint8_t frame[FRAME_LEN_MAX];
	struct rte_ether_hdr eth = {.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
				    .dst_addr.addr_bytes = {2},
				    .src_addr.addr_bytes = {2, 0, 0, 0xff, 0xff, 0xff}};
	struct rte_ipv4_hdr ip = header(packet);
	uint8_t *at = frame;

	ip.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + piece->len));
	ip.fragment_offset = rte_cpu_to_be_16(
		(uint16_t)(piece->at / 8 | (piece->last ? 0 : RTE_IPV4_HDR_MF_FLAG)));
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(at, &eth, sizeof(eth));
	memcpy(at += sizeof(eth), &ip, sizeof(ip));
	memcpy(at += sizeof(ip), packet->bytes + piece->at, piece->len);
	if (piece->lies)
		memset(at, 0x5a, piece->len);
	check(demi_sim_inject(f->sim, f->open_end, frame, sizeof(eth) + sizeof(ip) + piece->len));
}

/* Pieces of about one size, but the last; how many. */
static unsigned cut(struct fragments *f, const struct packet *packet, uint32_t piece_len_max,
		    struct piece pieces[PIECES_MAX])
{
	uint32_t least = (packet->len / PIECES_MAX + 8) & ~7u, len = least, at = 0;
	unsigned count = 0;

	if (piece_len_max > least)
		len += plan_dice(f->plan, (piece_len_max - least) / 8 + 1) * 8;
	for (; at < packet->len; at += len, count++)
		pieces[count] =
			(struct piece){.at = at,
				       .len = packet->len - at < len ? packet->len - at : len,
				       .last = packet->len - at <= len};
	return count;
}

static void shuffle(struct fragments *f, struct piece *pieces, unsigned count)
{
	for (unsigned i = count; i > 1; i--) {
		const unsigned other = plan_dice(f->plan, i);
		const struct piece piece = pieces[other];

		pieces[other] = pieces[i - 1];
		pieces[i - 1] = piece;
	}
}

/* The piece lies over what it was cut from, with other bytes that no checksum tells. */
static void lie(struct packet *packet, struct piece *piece)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)packet->bytes;

	if (piece->last || piece->len <= PIECE_LEAST)
		return;
	piece->lies = true;
	piece->at += PIECE_LEAST;
	piece->len -= PIECE_LEAST;
	udp->dgram_cksum = 0;
}

void fragments_send(struct fragments *f)
{
	const uint32_t mtu = f->plan->hosts[0].mtu ? f->plan->hosts[0].mtu : 1500;
	const uint32_t piece_len_max = (mtu - (uint32_t)sizeof(struct rte_ipv4_hdr)) & ~7u;
	const uint32_t len_max = PIECES_MAX * piece_len_max - 16;
	const uint32_t fault = plan_dice(f->plan, 8);
	struct piece pieces[PIECES_MAX] = {{0}}, extra;
	struct packet packet;
	unsigned count;

	make_packet(f, len_max < DATAGRAM_LEN_MAX ? len_max : DATAGRAM_LEN_MAX, &packet);
	count = cut(f, &packet, piece_len_max, pieces);
	extra = pieces[plan_dice(f->plan, count)];
	shuffle(f, pieces, count);
	if (fault == 2)
		lie(&packet, &extra);
	if (fault == 0)
		count--;
	if ((fault == 1 || extra.lies) && count > 1)
		send_piece(f, &packet, &extra);
	for (unsigned i = 0; i < count; i++)
		send_piece(f, &packet, &pieces[i]);
	f->whole += fault > 2;
	f->sent++;
}
