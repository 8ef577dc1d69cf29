#include "witness.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <stdlib.h>

struct witness_seg {
	uint64_t number; /* of the frame that last carried it */
	unsigned lost_count;
	bool arrived;
};

void witness_begin(struct witness *w, uint32_t len, uint32_t seg_len)
{
	*w = (struct witness){.seg_len = seg_len, .seg_count = len / seg_len + 1};
	w->segs = calloc(w->seg_count, sizeof(*w->segs));
	assert_non_null(w->segs);
}

void witness_end(struct witness *w)
{
	free(w->segs);
}

static struct witness_seg *seg_at(const struct witness *w, uint32_t seq)
{
	uint32_t i = (seq - w->first_seq) / w->seg_len;

	assert_true(i < w->seg_count);
	return &w->segs[i];
}

/* The segment of a data frame; NULL: it carries none. */
static struct witness_seg *seg_or_null(struct witness *w, const struct host_frame *f)
{
	const struct rte_ipv4_hdr *ip =
		(const struct rte_ipv4_hdr *)(f->bytes + sizeof(struct rte_ether_hdr));
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);
	uint32_t headers_len = (uint32_t)sizeof(*ip) + (uint32_t)(tcp->data_off >> 4) * 4;
	uint32_t seq = rte_be_to_cpu_32(tcp->sent_seq);

	if (ip->next_proto_id != IPPROTO_TCP || rte_be_to_cpu_16(ip->total_length) <= headers_len)
		return NULL;
	if (!w->first_seq)
		w->first_seq = seq;
	return seg_at(w, seq);
}

uint64_t witness_sends(struct witness *w, const struct host_frame *f)
{
	struct witness_seg *seg = seg_or_null(w, f);

	if (!seg)
		return 0;
	seg->number = ++w->last_number;
	return seg->number;
}

void witness_lost(struct witness *w, const struct host_frame *f)
{
	struct witness_seg *seg = seg_or_null(w, f);

	if (seg)
		seg->lost_count++;
}

void witness_arrives(struct witness *w, const struct host_frame *f, uint64_t tag)
{
	struct witness_seg *seg = seg_or_null(w, f);

	if (seg)
		seg->arrived = true;
	w->newest_number = RTE_MAX(w->newest_number, tag);
}

void witness_told(struct witness *w, const struct tcp_conn *conn, uint64_t tag, uint64_t now_ns)
{
	uint64_t number;

	w->told_number = RTE_MAX(w->told_number, tag);
	if (!w->first_seq || conn->snd_una == conn->snd_nxt)
		return;
	number = seg_at(w, conn->snd_una)->number;
	if (w->una != conn->snd_una || w->una_number != number) {
		w->una = conn->snd_una;
		w->una_number = number;
		w->overtaken_ns = 0;
	}
	if (!w->overtaken_ns && w->told_number > number)
		w->overtaken_ns = now_ns;
}

enum timeout_cause witness_timeout(const struct witness *w, const struct tcp_conn *conn,
				   uint64_t now_ns)
{
	const struct witness_seg *seg = seg_at(w, conn->snd_una);
	/* RFC 8985 6.2: at most a round trip and a reordering window of another. */
	uint64_t patience_ns = 2 * conn->rtt.srtt_ns + 2 * WHEEL_TICK_NS;

	if (seg->arrived)
		return TIMEOUT_NEEDLESS;
	if (w->una == conn->snd_una && w->una_number == seg->number && w->overtaken_ns &&
	    now_ns - w->overtaken_ns > patience_ns)
		return TIMEOUT_REPAIRABLE;
	return seg->lost_count > 1 ? TIMEOUT_AGAIN : TIMEOUT_TAIL;
}
