/*
 * What a shard counts. Each counter has one writer, the shard, and any number of readers, which see
 * it late but whole. Two lists: why packets were dropped, and what was done. Names, sentences,
 * telemetry and documentation come from here.
 */
#ifndef MEM_COUNTERS_H
#define MEM_COUNTERS_H

#include <stdint.h>

/* X(name, sentence) */
#define DROP_LIST(X)                                                                               \
	X(eth_short, "frame shorter than an Ethernet header")                                      \
	X(eth_not_ours, "destination MAC address is neither ours nor broadcast nor multicast")     \
	X(eth_source, "source MAC address is a group address or zero")                             \
	X(eth_type, "EtherType that Clowder does not speak")                                       \
	X(arp_bad, "malformed ARP packet")                                                         \
	X(arp_ignored, "ARP packet that asks nothing of us")                                       \
	X(arp_unresolved, "next hop did not answer ARP; the waiting packet was given up")          \
	X(arp_queue_full, "too many packets waited for one ARP answer; the oldest went")           \
	X(ip_bad, "malformed IPv4 header or length")                                               \
	X(ip_checksum, "bad IPv4 header checksum")                                                 \
	X(ip_not_ours, "IPv4 destination is not one of our addresses")                             \
	X(ip_source, "IPv4 source address that cannot be a sender's")                              \
	X(ip_source_route, "IPv4 source route option")                                             \
	X(ip_fragment, "IPv4 fragment while reassembly is configured off")                         \
	X(ip_fragment_bad, "IPv4 fragment with an illegal length, or that hides a TCP header")     \
	X(ip_fragment_duplicate, "IPv4 fragment that was there already")                           \
	X(ip_fragment_overlap, "IPv4 fragments that overlap or disagree about the whole's length") \
	X(ip_reassembly_full, "IPv4 fragments beyond the limits of reassembly")                    \
	X(ip_reassembly_timeout, "IPv4 fragments whose others did not come in time")               \
	X(ip_protocol, "IPv4 protocol that Clowder does not speak")                                \
	X(ip_no_route, "no route to the destination")                                              \
	X(icmp_bad, "malformed ICMP message")                                                      \
	X(icmp_rate, "ICMP reply withheld by the rate limit")                                      \
	X(icmp_ignored, "ICMP message that asks nothing of us, or about no flow of ours")          \
	X(udp_bad, "malformed UDP header or length")                                               \
	X(udp_checksum, "bad UDP checksum")                                                        \
	X(udp_no_port, "no socket on the UDP port")                                                \
	X(udp_queue_full, "UDP socket's receive queue was full")                                   \
	X(tcp_bad, "malformed TCP header or option length")                                        \
	X(tcp_checksum, "bad TCP checksum")                                                        \
	X(tcp_no_port, "no connection and no listener for the segment")                            \
	X(tcp_not_unicast, "TCP segment to or from a broadcast or multicast address")              \
	X(tcp_unacceptable,                                                                        \
	  "TCP segment outside the window, or with an ACK that acknowledges nothing sent")         \
	X(tcp_paws, "TCP timestamp older than the last one (PAWS)")                                \
	X(tcp_duplicate, "TCP bytes already received")                                             \
	X(tcp_reassembly_full, "out-of-order TCP bytes beyond the connection's budget")            \
	X(tcp_backlog_full, "SYN while the listener's queues were full")                           \
	X(tcp_cookie_ahead, "text of a handshake by SYN cookie, whose beginning is missing")       \
	X(tcp_conn_max, "SYN while the shard had its configured number of connections")            \
	X(tcp_after_close, "TCP data after the program closed the connection")                     \
	X(mem_low_syn, "SYN while packet memory was low")                                          \
	X(mem_low_input, "unreliable input while packet memory was scarce")                        \
	X(mem_low_tcp, "TCP bytes that would have to wait while packet memory was scarce")         \
	X(mem_none, "no buffer for a packet that Clowder wanted to make")                          \
	X(tx_queue_full, "the transmit queue had no room for a reply that may be lost")            \
	X(link_down, "the device took no more packets, and its link is down")                      \
	X(mailbox_full, "the owner's mailbox was full when a packet should be handed over")        \
	X(shard_left, "the packet's owner, or the shard that transmits for this one, has left")    \
	X(steer_loop, "packet handed over from shard to shard without finding its owner")

#define COUNTER_LIST(X)                                                                            \
	X(rx_packets, "packets received from devices")                                             \
	X(rx_bytes, "bytes received from devices, without FCS")                                    \
	X(tx_packets, "packets that devices took")                                                 \
	X(tx_bytes, "bytes that devices took")                                                     \
	X(tx_refused, "packets that a tx_burst left over, to be offered again")                    \
	X(handed_out, "packets handed over to their owner")                                        \
	X(handed_in, "packets that other shards handed over to this one")                          \
	X(conn_accepted, "connections that reached ESTABLISHED from LISTEN")                       \
	X(conn_connected, "connections that reached ESTABLISHED by an active open")                \
	X(conn_closed, "connections that ended in order")                                          \
	X(conn_reset, "connections that the peer reset")                                           \
	X(conn_timeout, "connections given up after retransmission or user timeout")               \
	X(conn_refused, "active opens that were refused")                                          \
	X(tcp_rx_segments, "TCP segments received")                                                \
	X(tcp_tx_segments, "TCP segments sent")                                                    \
	X(tcp_rx_bytes, "TCP payload bytes received in order")                                     \
	X(tcp_tx_bytes, "TCP payload bytes sent for the first time")                               \
	X(tcp_retransmits, "TCP segments sent again")                                              \
	X(tcp_timeouts, "retransmission timeouts")                                                 \
	X(tcp_fast_retransmits, "fast retransmits")                                                \
	X(tcp_ecn_reductions, "windows reduced because the peer echoed a congestion mark")         \
	X(tcp_pmtu_lowered, "connections whose segments a router asked to be smaller")             \
	X(tcp_tail_probes, "tail loss probes sent")                                                \
	X(tcp_undos, "recoveries undone, as nothing had been lost")                                \
	X(tcp_dsacks, "duplicates that peers told of (D-SACK)")                                    \
	X(tcp_sack_bad, "SACK blocks of what was not in flight")                                   \
	X(tcp_rsts_sent, "RST segments sent")                                                      \
	X(tcp_cookies_sent, "SYNs answered with a cookie")                                         \
	X(tcp_cookies_valid, "connections that a cookie opened")                                   \
	X(tcp_cookies_invalid, "ACKs that carried no valid cookie while some were out")            \
	X(tcp_syns_evicted, "half-open connections that gave way to a newer one")                  \
	X(tcp_challenges, "ACKs of segments that were not accepted (RFC 5961)")                    \
	X(tcp_challenges_limited, "such ACKs that were not sent, for there were too many")         \
	X(tcp_icmp_unbelieved, "ICMP errors that quote no TCP byte in flight (RFC 5927)")          \
	X(tcp_zero_window_probes, "zero-window probes sent")                                       \
	X(udp_rx_datagrams, "UDP datagrams received for a socket")                                 \
	X(udp_tx_datagrams, "UDP datagrams sent")                                                  \
	X(ip_reassembled, "IPv4 datagrams put together from fragments")                            \
	X(arp_conflicts, "ARP packets of others that use an address of ours")                      \
	X(arp_unlearned,                                                                           \
	  "neighbours that asked for us and were not remembered: too many a second")               \
	X(arp_confirmed, "neighbours that the progress of a TCP connection confirmed")             \
	X(icmp_echo_replies, "echo requests answered")                                             \
	X(tokens_made, "tokens made")                                                              \
	X(tokens_done, "tokens completed")                                                         \
	X(turns, "turns of the loop")                                                              \
	X(turns_idle, "turns of the loop that found nothing to do")                                \
	X(sleeps, "times the shard slept")                                                         \
	X(channel_messages, "messages pushed to other shards")

#define COUNTERS_ENUM_DROP(name, text) DROP_##name,
enum drop_reason { DROP_LIST(COUNTERS_ENUM_DROP) DROP_COUNT };
#undef COUNTERS_ENUM_DROP

struct counters {
#define COUNTERS_FIELD(name, text) uint64_t name;
	COUNTER_LIST(COUNTERS_FIELD)
#undef COUNTERS_FIELD
	uint64_t drop[DROP_COUNT];
};

extern const char *const drop_name[DROP_COUNT];
extern const char *const drop_text[DROP_COUNT];

/* Single writer; the relaxed store keeps readers of other threads from seeing half a number. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t counter_get_mt(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
