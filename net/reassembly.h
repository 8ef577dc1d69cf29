/*
 * IPv4 reassembly (RFC 791, RFC 815; attacks: RFC 1858, RFC 3128, RFC 5722). librte_ip_frag keeps
 * the fragments and chains them; what it does not look at is looked at here before it gets one:
 * protocol, overlaps, totals, limits. All fragments of a datagram come to one shard, by a hash of
 * source, destination, id and protocol; the whole is then steered to its flow's owner like any
 * packet.
 *
 *      fragment --parse, steer--> its shard: checks -> librte_ip_frag -> whole, in one segment
 *               --parse, steer--> the flow's owner
 *
 * An overlap, or two opinions about the length, is an attack: the whole datagram goes. The same
 * range once more is a duplicate: it alone goes. After the timeout everything is freed, and the
 * sender hears of it if the first fragment was there (RFC 792).
 */
#ifndef NET_REASSEMBLY_H
#define NET_REASSEMBLY_H

#include "net/stack.h"

#include <rte_config.h>

enum { REASSEMBLY_FRAGMENT_MAX = RTE_LIBRTE_IP_FRAG_MAX_FRAG };

/* -ENOMEM, -EINVAL. Without a table if net->config.reassembly.datagram_max is 0. */
int reassembly_create(struct net *net);
/* Frees the fragments that wait. */
void reassembly_destroy(struct net *net);

/* NET_PKT_FRAGMENT; takes m over. The whole datagram as a frame in one segment, not parsed yet, its
 * IPv4 header checksum vouched for, its transport checksum not; NULL: not yet, or dropped. */
struct rte_mbuf *reassembly_input(struct net *net, struct rte_mbuf *m);
void reassembly_poll(struct net *net);
/* UINT64_MAX: nothing waits. */
uint64_t reassembly_deadline(const struct net *net);

#endif
