/* What is kept of what happened: the digest, a pcap file, and the last frames as text. */
#include "sim/sim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <string.h>

enum {
	PCAP_MAGIC_NS = 0xa1b23c4d,
	LINKTYPE_ETHERNET = 1,
	LINE_LEN = 256,
	NS_PER_SECOND = 1000000000,
};

/* --- digest --- */
static uint64_t mix(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return digest ^ digest >> 29;
}

static uint64_t digest_of(uint64_t digest, const struct sim_frame *frame)
{
	uint32_t at = 0;
	uint64_t word;

	for (; at + sizeof(word) <= frame->len; at += sizeof(word)) {
		memcpy(&word, frame->bytes + at, sizeof(word));
		digest = mix(digest, word);
	}
	for (; at < frame->len; at++)
		digest = mix(digest, frame->bytes[at]);
	return digest;
}

/* --- pcap --- */
static void write_header(FILE *file)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		int32_t zone;
		uint32_t accuracy, len_max, linktype;
	} header = {PCAP_MAGIC_NS, 2, 4, 0, 0, SIM_FRAME_LEN_MAX, LINKTYPE_ETHERNET};

	fwrite(&header, sizeof(header), 1, file);
}

static void write_frame(const struct demi_sim *world, const struct sim_frame *frame)
{
	const uint32_t header[] = {(uint32_t)(world->now_ns / NS_PER_SECOND),
				   (uint32_t)(world->now_ns % NS_PER_SECOND), frame->len,
				   frame->len};

	fwrite(header, sizeof(header), 1, world->trace);
	fwrite(frame->bytes, frame->len, 1, world->trace);
}

int demi_sim_trace(struct demi_sim *world, const char *path)
{
	if (!world)
		return EINVAL;
	trace_close(world);
	if (!path)
		return 0;
	world->trace = fopen(path, "we");
	if (!world->trace)
		return errno;
	write_header(world->trace);
	return 0;
}

void trace_close(struct demi_sim *world)
{
	if (world->trace)
		fclose(world->trace);
	world->trace = NULL;
}

/* --- all of them --- */
void trace_frame(struct demi_sim *world, int link, int direction, const struct sim_frame *frame,
		 bool arrives)
{
	struct sim_recent *recent;

	world->digest = mix(world->digest, world->now_ns);
	world->digest = mix(world->digest, (uint64_t)frame->len << 32 | (unsigned)link << 2 |
						   (unsigned)direction << 1 | arrives);
	world->digest = digest_of(world->digest, frame);
	if (arrives)
		return;
	if (world->trace)
		write_frame(world, frame);
	recent = &world->recent[world->recent_count++ % SIM_RECENT_MAX];
	*recent = (struct sim_recent){
		.at_ns = world->now_ns, .link = link, .direction = direction, .len = frame->len};
	memcpy(recent->bytes, frame->bytes,
	       frame->len < SIM_RECENT_LEN ? frame->len : SIM_RECENT_LEN);
}

void trace_lost(struct demi_sim *world)
{
	world->recent[(world->recent_count - 1) % SIM_RECENT_MAX].lost = true;
}

uint64_t demi_sim_digest(const struct demi_sim *world)
{
	return world ? world->digest : 0;
}

/* --- text --- */
static void describe_tcp(const struct rte_tcp_hdr *tcp, uint32_t len, char text[LINE_LEN])
{
	static const char letters[] = "FSRPAUEC";
	char flags[sizeof(letters)] = "";
	unsigned n = 0;

	for (unsigned i = 0; letters[i]; i++)
		if (tcp->tcp_flags & 1 << i)
			flags[n++] = letters[i];
	snprintf(text, LINE_LEN, "tcp %u > %u [%s] seq %u ack %u win %u, %u bytes",
		 ntohs(tcp->src_port), ntohs(tcp->dst_port), flags, ntohl(tcp->sent_seq),
		 ntohl(tcp->recv_ack), ntohs(tcp->rx_win), len);
}

static void describe_arp(const struct rte_arp_hdr *arp, char text[LINE_LEN])
{
	const struct rte_arp_ipv4 *data = &arp->arp_data;
	const uint8_t *mac = data->arp_sha.addr_bytes;
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &data->arp_sip, from, sizeof(from));
	inet_ntop(AF_INET, &data->arp_tip, to, sizeof(to));
	snprintf(text, LINE_LEN, "arp %s %s, %s is at %02x:%02x:%02x:%02x:%02x:%02x",
		 arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) ? "who has" : "to", to, from,
		 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* What is inside of an IP packet; room: the bytes that are known. */
static void describe_inside(const struct rte_ipv4_hdr *ip, uint32_t room, char text[LINE_LEN])
{
	const uint32_t header_len = rte_ipv4_hdr_len(ip);
	const uint32_t len = ntohs(ip->total_length) - header_len;
	const uint32_t fragment = ntohs(ip->fragment_offset);
	const void *inside = (const uint8_t *)ip + header_len;

	snprintf(text, LINE_LEN, "protocol %u, %u bytes", ip->next_proto_id, len);
	if (fragment & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) {
		snprintf(text, LINE_LEN, "protocol %u, bytes %u to %u of datagram %u%s",
			 ip->next_proto_id, 8 * (fragment & RTE_IPV4_HDR_OFFSET_MASK),
			 8 * (fragment & RTE_IPV4_HDR_OFFSET_MASK) + len, ntohs(ip->packet_id),
			 fragment & RTE_IPV4_HDR_MF_FLAG ? "" : ", the last");
	} else if (ip->next_proto_id == IPPROTO_TCP &&
		   header_len + sizeof(struct rte_tcp_hdr) <= room) {
		const struct rte_tcp_hdr *tcp = inside;

		describe_tcp(tcp, len - (uint32_t)(tcp->data_off >> 4) * 4, text);
	} else if (ip->next_proto_id == IPPROTO_UDP &&
		   header_len + sizeof(struct rte_udp_hdr) <= room) {
		const struct rte_udp_hdr *udp = inside;

		snprintf(text, LINE_LEN, "udp %u > %u, %u bytes", ntohs(udp->src_port),
			 ntohs(udp->dst_port), len - (uint32_t)sizeof(*udp));
	} else if (ip->next_proto_id == IPPROTO_ICMP &&
		   header_len + sizeof(struct rte_icmp_hdr) <= room) {
		const struct rte_icmp_hdr *icmp = inside;

		snprintf(text, LINE_LEN, "icmp type %u code %u", icmp->icmp_type, icmp->icmp_code);
	}
}

static void describe(const struct sim_recent *recent, char text[LINE_LEN])
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)recent->bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const uint32_t known = recent->len < SIM_RECENT_LEN ? recent->len : SIM_RECENT_LEN;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN], inner[LINE_LEN];

	if (known < sizeof(*eth)) {
		snprintf(text, LINE_LEN, "cut short");
	} else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP) &&
		   known >= sizeof(*eth) + sizeof(struct rte_arp_hdr)) {
		describe_arp((const struct rte_arp_hdr *)(eth + 1), text);
	} else if (eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		   known < sizeof(*eth) + sizeof(*ip)) {
		snprintf(text, LINE_LEN, "type %04x", ntohs(eth->ether_type));
	} else {
		describe_inside(ip, known - (uint32_t)sizeof(*eth), inner);
		inet_ntop(AF_INET, &ip->src_addr, src, sizeof(src));
		inet_ntop(AF_INET, &ip->dst_addr, dst, sizeof(dst));
		snprintf(text, LINE_LEN, "%s > %s %.180s", src, dst, inner);
	}
}

int demi_sim_recent(const struct demi_sim *world, void (*line)(const char *text, void *arg),
		    void *arg)
{
	uint64_t first;

	if (!world || !line)
		return EINVAL;
	first = world->recent_count > SIM_RECENT_MAX ? world->recent_count - SIM_RECENT_MAX : 0;
	for (uint64_t i = first; i < world->recent_count; i++) {
		const struct sim_recent *recent = &world->recent[i % SIM_RECENT_MAX];
		char what[LINE_LEN], text[LINE_LEN + 64];

		describe(recent, what);
		snprintf(text, sizeof(text), "%5lu.%09lu link %d%c %5u bytes %s%s",
			 (unsigned long)(recent->at_ns / NS_PER_SECOND),
			 (unsigned long)(recent->at_ns % NS_PER_SECOND), recent->link,
			 recent->direction ? '<' : '>', recent->len, what,
			 recent->lost ? ", lost" : "");
		line(text, arg);
	}
	return 0;
}
