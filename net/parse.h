/*
 * From bytes to legal values: what came off the wire is checked once, here, and either becomes a
 * struct net_pkt or is dropped with a reason. Reads nothing but the packet and the interfaces.
 */
#ifndef NET_PARSE_H
#define NET_PARSE_H

#include "mem/counters.h"
#include "net/pkt.h"
#include "net/tables.h"

#define PARSE_OK DROP_COUNT

/*
 * Fills in net_pkt_of(m) and trims padding; m is one segment that only the caller holds, data at
 * the Ethernet header, m->port the interface. Checksums are believed where the device vouches for
 * them (ol_flags), else computed. PARSE_OK, or why the packet is to be dropped.
 */
enum drop_reason parse_frame(const struct net_tables *tables, struct rte_mbuf *m);

#endif
