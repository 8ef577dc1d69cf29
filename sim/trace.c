/* What is kept of what happened: the digest, a pcap file, and the last frames as text. */
#include "sim/sim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
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

static void describe(const struct sim_recent *recent, char text[LINE_LEN])
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)recent->bytes;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	uint32_t header = sizeof(*eth), total;
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN], inner[LINE_LEN] = "";
	const struct rte_tcp_hdr *tcp;

	if (recent->len < header + sizeof(*ip) ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		snprintf(text, LINE_LEN, "type %04x", ntohs(eth->ether_type));
		return;
	}
	header += rte_ipv4_hdr_len(ip);
	total = ntohs(ip->total_length);
	tcp = (const struct rte_tcp_hdr *)(recent->bytes + header);
	if (ip->next_proto_id == IPPROTO_TCP && header + sizeof(*tcp) <= SIM_RECENT_LEN &&
	    header + sizeof(*tcp) <= recent->len)
		describe_tcp(tcp, total - rte_ipv4_hdr_len(ip) - (uint32_t)(tcp->data_off >> 4) * 4,
			     inner);
	else
		snprintf(inner, sizeof(inner), "protocol %u", ip->next_proto_id);
	inet_ntop(AF_INET, &ip->src_addr, src, sizeof(src));
	inet_ntop(AF_INET, &ip->dst_addr, dst, sizeof(dst));
	snprintf(text, LINE_LEN, "%s > %s %.180s", src, dst, inner);
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
		snprintf(text, sizeof(text), "%5lu.%09lu link %d%c %5u bytes %s",
			 (unsigned long)(recent->at_ns / NS_PER_SECOND),
			 (unsigned long)(recent->at_ns % NS_PER_SECOND), recent->link,
			 recent->direction ? '<' : '>', recent->len, what);
		line(text, arg);
	}
	return 0;
}
