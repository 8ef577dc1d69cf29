#define ALLOW_EXPERIMENTAL_API /* rte_ip_frag_table_del_expired_entries() */
#include "net/reassembly.h"

#include "net/eth.h"
#include "net/icmp.h"
#include "net/parse.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_jhash.h>
#include <stdlib.h>

enum {
	BUCKET_ENTRIES = 16, /* of the library's table */
	TCP_HEADER_LEN_MIN = 20,
	ECN_MASK = 3,
	ECN_CE = 3,
};

struct range {
	uint32_t begin, end; /* of the datagram's payload */
};

/* A datagram of which fragments wait in the library's table, under {its index, serial}. */
struct datagram {
	TAILQ_ENTRY(datagram) age_link;
	LIST_ENTRY(datagram) link; /* of its bucket, or of the free ones */
	struct net_flow key;	   /* addresses; id and protocol in place of the ports */
	uint32_t serial;
	uint32_t sum, total; /* bytes here; bytes of the whole, UINT32_MAX: not known */
	uint32_t true_len;
	uint64_t begun_ns;
	uint8_t count, middle_count; /* neither the first nor the last */
	uint8_t ecn_seen;	     /* bit i: a fragment had ECN field i */
	struct range ranges[REASSEMBLY_FRAGMENT_MAX];
	struct icmp_quote first; /* len 0: the first fragment is not here */
};

TAILQ_HEAD(datagram_age, datagram);
LIST_HEAD(datagram_list, datagram);

struct reassembly {
	struct reassembly_config config;
	struct rte_ip_frag_tbl *table;
	struct rte_ip_frag_death_row dead;
	uint64_t true_len; /* of all fragments that wait */
	uint32_t hash_seed, bucket_mask, serial;
	struct datagram_age by_age; /* oldest first */
	struct datagram_list free, *buckets;
	struct datagram datagrams[];
};

/* What one fragment says. */
struct fragment {
	struct rte_mbuf *m;
	struct rte_ipv4_hdr *ip;
	struct range range;
	uint32_t true_len;
	bool more;
};

int reassembly_create(struct net *net)
{
	const struct reassembly_config *config = &net->config.reassembly;
	uint32_t max = config->datagram_max, buckets = rte_align32pow2(RTE_MAX(max, 1u));
	struct reassembly *r;

	if (max == 0)
		return 0;
	if (max > REASSEMBLY_DATAGRAM_MAX || config->timeout_ns == 0 || config->fragment_max < 2 ||
	    config->fragment_max > REASSEMBLY_FRAGMENT_MAX)
		return -EINVAL;
	r = calloc(1, sizeof(*r) + max * sizeof(r->datagrams[0]));
	if (!r)
		return -ENOMEM;
	net->reassembly = r;
	r->config = *config;
	r->hash_seed = (uint32_t)net_random(net);
	r->bucket_mask = buckets - 1;
	TAILQ_INIT(&r->by_age);
	for (uint32_t i = 0; i < max; i++)
		LIST_INSERT_HEAD(&r->free, &r->datagrams[i], link);
	r->buckets = calloc(buckets, sizeof(r->buckets[0]));
	/* The library only compares its times with each other: they may be our nanoseconds. Time is
	 * up for it after more than what it is told. */
	r->table = rte_ip_frag_table_create(RTE_MAX(max / BUCKET_ENTRIES, 1u), BUCKET_ENTRIES,
					    RTE_MAX(max / BUCKET_ENTRIES, 1u) * BUCKET_ENTRIES,
					    config->timeout_ns - 1, SOCKET_ID_ANY);
	return r->buckets && r->table ? 0 : -ENOMEM;
}

void reassembly_destroy(struct net *net)
{
	struct reassembly *r = net->reassembly;

	if (!r)
		return;
	if (r->table)
		rte_ip_frag_table_destroy(r->table);
	free(r->buckets);
	free(r);
	net->reassembly = NULL;
}

/* --- datagrams --- */

static struct datagram_list *bucket_of(struct reassembly *r, const struct net_flow *key)
{
	return &r->buckets[rte_jhash(key, sizeof(*key), r->hash_seed) & r->bucket_mask];
}

static struct datagram *find_or_null(struct reassembly *r, const struct net_flow *key)
{
	struct datagram *d;

	LIST_FOREACH (d, bucket_of(r, key), link)
		if (net_flow_eq(&d->key, key))
			return d;
	return NULL;
}

static struct datagram *begin_or_null(struct net *net, const struct net_flow *key)
{
	struct reassembly *r = net->reassembly;
	struct datagram *d = LIST_FIRST(&r->free);

	if (!d)
		return NULL;
	LIST_REMOVE(d, link);
	*d = (struct datagram){
		.key = *key, .serial = r->serial++, .total = UINT32_MAX, .begun_ns = net->now_ns};
	LIST_INSERT_HEAD(bucket_of(r, key), d, link);
	TAILQ_INSERT_TAIL(&r->by_age, d, age_link);
	return d;
}

static void end(struct reassembly *r, struct datagram *d)
{
	r->true_len -= d->true_len;
	TAILQ_REMOVE(&r->by_age, d, age_link);
	LIST_REMOVE(d, link);
	LIST_INSERT_HEAD(&r->free, d, link);
}

/* The library's own key has no protocol and its hash no secret: it is told our name for the
 * datagram instead of what the wire says. */
static struct rte_mbuf *library(struct net *net, const struct datagram *d, struct rte_mbuf *m,
				struct range range, bool more)
{
	struct reassembly *r = net->reassembly;
	const struct net_pkt *pkt = net_pkt_of(m);
	struct rte_ipv4_hdr named = {
		.src_addr = (uint32_t)(d - r->datagrams),
		.dst_addr = d->serial,
		.total_length = rte_cpu_to_be_16(
			(uint16_t)(pkt->l4_off - ETH_HEADER_LEN + range.end - range.begin)),
		.fragment_offset =
			rte_cpu_to_be_16((uint16_t)(range.begin / RTE_IPV4_HDR_OFFSET_UNITS |
						    (more ? RTE_IPV4_HDR_MF_FLAG : 0))),
	};

	m->l2_len = ETH_HEADER_LEN;
	m->l3_len = pkt->l4_off - ETH_HEADER_LEN;
	return rte_ipv4_frag_reassemble_packet(r->table, &r->dead, m, net->now_ns, &named);
}

static void bury(struct reassembly *r)
{
	rte_ip_frag_free_death_row(&r->dead, 0);
}

/*
 * Drops the datagram and m, which is not part of it. The library has no call for that; but a last
 * fragment at offset 8 can be true of none that has fragments already: either there is a last one,
 * or it ends before the bytes that are there do. (A first fragment of 8 bytes becomes a whole.)
 */
static void kill(struct net *net, struct datagram *d, struct rte_mbuf *m, enum drop_reason reason)
{
	struct reassembly *r = net->reassembly;
	uint16_t len = m->pkt_len - net_pkt_of(m)->l4_off;

	counter_add(&net->counters->drop[reason], d->count + 1u);
	if (d->count == 0)
		rte_pktmbuf_free(m);
	else
		rte_pktmbuf_free(library(net, d, m, (struct range){8, 8 + len}, false));
	bury(r);
	end(r, d);
}

/* --- fragments --- */

/* RFC 1858 and RFC 3128: a first fragment that leaves a part of the TCP header to the next. */
static bool is_tiny(const struct fragment *f, uint8_t proto)
{
	if (proto != IPPROTO_TCP)
		return false;
	return f->range.begin == 0 ? f->range.end < TCP_HEADER_LEN_MIN
				   : f->range.begin < TCP_HEADER_LEN_MIN;
}

static enum drop_reason read(struct rte_mbuf *m, struct fragment *f)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	uint16_t field, header_len = pkt->l4_off - ETH_HEADER_LEN;

	f->m = m;
	f->ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, ETH_HEADER_LEN);
	f->true_len = pbuf_true_size(m);
	field = rte_be_to_cpu_16(f->ip->fragment_offset);
	f->more = field & RTE_IPV4_HDR_MF_FLAG;
	f->range.begin = (field & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS;
	f->range.end = f->range.begin + m->pkt_len - pkt->l4_off;
	/* The end of the whole must be sayable: "ping of death". */
	if (f->range.end == f->range.begin || header_len + f->range.end > UINT16_MAX ||
	    (f->more && f->range.end % RTE_IPV4_HDR_OFFSET_UNITS) || is_tiny(f, pkt->proto))
		return DROP_ip_fragment_bad;
	return PARSE_OK;
}

/* How the fragment fits to those that are there: PARSE_OK, _duplicate (it goes) or
 * _overlap (all go). */
static enum drop_reason fits(const struct datagram *d, const struct fragment *f)
{
	uint32_t end_max = 0;

	for (unsigned i = 0; i < d->count; i++) {
		const struct range *there = &d->ranges[i];

		end_max = RTE_MAX(end_max, there->end);
		if (there->begin == f->range.begin && there->end == f->range.end &&
		    f->more == (there->end != d->total))
			return DROP_ip_fragment_duplicate;
		if (f->range.begin < there->end && there->begin < f->range.end)
			return DROP_ip_fragment_overlap;
	}
	if (f->more ? f->range.end >= d->total : d->total != UINT32_MAX || end_max > f->range.end)
		return DROP_ip_fragment_overlap;
	return PARSE_OK;
}

static bool is_middle(const struct fragment *f)
{
	return f->more && f->range.begin > 0;
}

static void note(struct net *net, struct datagram *d, const struct fragment *f)
{
	d->ranges[d->count++] = f->range;
	d->middle_count += is_middle(f);
	d->sum += f->range.end - f->range.begin;
	d->ecn_seen |= 1u << (f->ip->type_of_service & ECN_MASK);
	d->true_len += f->true_len;
	net->reassembly->true_len += f->true_len;
	if (!f->more)
		d->total = f->range.end;
	if (f->range.begin == 0)
		icmp_quote(f->m, &d->first);
}

/* --- the whole --- */

/* Half of the large buffers are the programs'. */
static struct rte_mbuf *room_or_null(struct net *net, uint32_t len)
{
	struct rte_mempool *large = net->mem->large;

	if (len <= net->mem->data_room)
		return mem_data_or_null(net->mem);
	if (!large || rte_mempool_avail_count(large) <= large->size / 2)
		return NULL;
	return rte_pktmbuf_alloc(large);
}

/* Everybody above expects one segment; frees chain. NULL: no room, as for the longest frames there
 * are, whose 65,549 bytes no mbuf can even count. */
static struct rte_mbuf *linear_or_null(struct net *net, struct rte_mbuf *chain)
{
	uint32_t len = chain->pkt_len;
	struct rte_mbuf *m = room_or_null(net, len);
	bool fits = m && len <= rte_pktmbuf_tailroom(m);
	char *to = fits ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (!to) {
		rte_pktmbuf_free(m);
		net_drop(net, chain, DROP_mem_none);
		return NULL;
	}
	for (const struct rte_mbuf *seg = chain; seg; to += seg->data_len, seg = seg->next)
		memcpy(to, rte_pktmbuf_mtod(seg, const void *), seg->data_len);
	m->port = chain->port;
	m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD; /* each fragment's was */
	rte_pktmbuf_free(chain);
	return m;
}

/* RFC 3168 5.3: congestion met by one fragment was met by all; but who says so of a packet that is
 * not ECN-capable is not believed. */
static struct rte_mbuf *finish(struct net *net, uint8_t ecn_seen, struct rte_mbuf *chain)
{
	struct rte_mbuf *m;
	struct rte_ipv4_hdr *ip;

	if (ecn_seen & 1u << ECN_CE && ecn_seen & 1) {
		net_drop(net, chain, DROP_ip_fragment_bad);
		return NULL;
	}
	m = linear_or_null(net, chain);
	if (!m)
		return NULL;
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, ETH_HEADER_LEN);
	ip->fragment_offset = 0;
	if (ecn_seen & 1u << ECN_CE)
		ip->type_of_service |= ECN_CE;
	counter_add(&net->counters->ip_reassembled, 1);
	return m;
}

static enum drop_reason limit(const struct reassembly *r, const struct datagram *d,
			      const struct fragment *f)
{
	/* The library keeps a place each for the first and the last. */
	bool full = is_middle(f) && d->middle_count + 2u >= r->config.fragment_max;

	return full || r->true_len + f->true_len > r->config.len_max ? DROP_ip_reassembly_full
								     : PARSE_OK;
}

/* A fragment that may go to the library. */
static struct rte_mbuf *add(struct net *net, struct datagram *d, const struct fragment *f)
{
	struct reassembly *r = net->reassembly;
	struct rte_mbuf *whole;
	uint8_t ecn_seen;

	note(net, d, f);
	ecn_seen = d->ecn_seen;
	whole = library(net, d, f->m, f->range, f->more);
	if (!whole && r->dead.cnt == 0)
		return NULL;
	if (!whole) /* its bucket was full */
		counter_add(&net->counters->drop[DROP_ip_reassembly_full], d->count);
	/* A chain with an option-laden first header can be longer than its field can say. */
	if (whole && whole->pkt_len - ETH_HEADER_LEN > UINT16_MAX) {
		net_drop(net, whole, DROP_ip_fragment_bad);
		whole = NULL;
	}
	bury(r);
	end(r, d);
	return whole ? finish(net, ecn_seen, whole) : NULL;
}

struct rte_mbuf *reassembly_input(struct net *net, struct rte_mbuf *m)
{
	struct reassembly *r = net->reassembly;
	enum drop_reason reason;
	struct datagram *d;
	struct fragment f;

	if (!r || net->mem->level == MEM_SCARCE) {
		net_drop(net, m, r ? DROP_mem_low_input : DROP_ip_fragment);
		return NULL;
	}
	reassembly_poll(net);
	reason = read(m, &f);
	if (reason != PARSE_OK) {
		net_drop(net, m, reason);
		return NULL;
	}
	d = find_or_null(r, &net_pkt_of(m)->flow);
	if (!d)
		d = begin_or_null(net, &net_pkt_of(m)->flow);
	if (!d) {
		net_drop(net, m, DROP_ip_reassembly_full);
		return NULL;
	}
	reason = fits(d, &f);
	if (reason == DROP_ip_fragment_duplicate) {
		net_drop(net, m, reason);
		return NULL;
	}
	if (reason == PARSE_OK)
		reason = limit(r, d, &f);
	if (reason != PARSE_OK) {
		kill(net, d, m, reason);
		return NULL;
	}
	return add(net, d, &f);
}

/* --- time --- */

uint64_t reassembly_deadline(const struct net *net)
{
	const struct reassembly *r = net->reassembly;

	if (!r || TAILQ_EMPTY(&r->by_age))
		return UINT64_MAX;
	return TAILQ_FIRST(&r->by_age)->begun_ns + r->config.timeout_ns;
}

void reassembly_poll(struct net *net)
{
	struct reassembly *r = net->reassembly;

	while (reassembly_deadline(net) <= net->now_ns) {
		struct datagram *d = TAILQ_FIRST(&r->by_age);

		counter_add(&net->counters->drop[DROP_ip_reassembly_timeout], d->count);
		if (d->first.len)
			icmp_reassembly_timeout(net, &d->first);
		end(r, d);
		rte_ip_frag_table_del_expired_entries(r->table, &r->dead, net->now_ns);
		bury(r);
	}
}
