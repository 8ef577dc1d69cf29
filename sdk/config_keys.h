/*
 * Every key of the configuration, once. Parsing, checks, config.toml.example and the telemetry of
 * the configuration come from these two lists.
 */
#ifndef SDK_CONFIG_KEYS_H
#define SDK_CONFIG_KEYS_H

#include "shard/runtime.h"

/*
 * X(section, is an array, sentence); the structs that keys of a section lie in are named by
 * CONFIG_STRUCT_<section>.
 */
#define CONFIG_SECTIONS(X)                                                                         \
	X(runtime, false, "Shards: how many, where, and what they do when idle.")                  \
	X(memory, false, "Packet memory, per shard. Zeros are computed from the rest.")            \
	X(port, true,                                                                              \
	  "A device, any that DPDK has. Without this section: the tap below. Give the section "    \
	  "again for a second device.")                                                            \
	X(route, true,                                                                             \
	  "A route. The prefixes of the ports need none; the longest prefix goes first.")          \
	X(neighbour, true, "A neighbour whose MAC address is never asked for.")                    \
	X(tcp, false, "TCP. Counts are per shard.")                                                \
	X(udp, false, "UDP. Counts are per shard.")                                                \
	X(ip, false, "IPv4. Counts are per shard.")                                                \
	X(icmp, false, "ICMP.")                                                                    \
	X(telemetry, false, "Figures for dpdk-telemetry.py.")                                      \
	X(log, false, "Lines on stderr.")

#define CONFIG_STRUCT_runtime	struct runtime_config
#define CONFIG_STRUCT_memory	struct runtime_config
#define CONFIG_STRUCT_port	struct runtime_port
#define CONFIG_STRUCT_route	struct net_route
#define CONFIG_STRUCT_neighbour struct net_neigh
#define CONFIG_STRUCT_tcp	struct runtime_config
#define CONFIG_STRUCT_udp	struct runtime_config
#define CONFIG_STRUCT_ip	struct runtime_config
#define CONFIG_STRUCT_icmp	struct runtime_config
#define CONFIG_STRUCT_telemetry struct runtime_config
#define CONFIG_STRUCT_log	struct runtime_config

/*
 * X(section, key, kind, field, companion, default, sample, min, max, unit, sentence)
 *
 * kind       enum config_kind of sdk/config_value.h
 * companion  the field that a kind fills in besides (length of a prefix, number of cpus, presence
 *            of a MAC address); else the field again
 * default    as TOML; "": none; NULL: the key is required
 * sample     what config.toml.example sets, as TOML; after '#': shown, but commented out; "": the
 *            default, commented out
 * unit       of min and max, too; for a choice its words, in the order of the enum's values
 */
#define CONFIG_KEYS(X)                                                                             \
	X(runtime, shards, SHARDS, shard_count, shard_count, "\"auto\"", "2", 1, 64, "",           \
	  "Number of shards, one thread each; \"auto\": one per physical core near the device. A " \
	  "program that calls demi_init() has one whatever this says.")                            \
	X(runtime, cpus, CPUS, cpus, cpu_count, "", "#[0, 1]", 0, 4095, "",                        \
	  "Logical cpus of the shards, in order, as the operating system numbers them; without "   \
	  "this line hwloc chooses.")                                                              \
	X(runtime, idle, CHOICE, idle, idle, "\"auto\"", "", 0, 0, "auto|poll|yield|adaptive",     \
	  "What a shard without work does: burn its core, yield between polls, or poll for a "     \
	  "while and then sleep. auto is adaptive, or yield with more shards than cpus.")          \
	X(runtime, spin_us, NUMBER, spin_ns, spin_ns, "50", "", 0, 1000000, "us",                  \
	  "How long an adaptive shard polls before it sleeps.")                                    \
	X(runtime, nap_us, NUMBER, nap_ns, nap_ns, "50", "", 1, 1000000, "us",                     \
	  "How long it sleeps at a time where the device has no interrupts.")                      \
	X(runtime, sleep_max_ms, NUMBER, sleep_ns_max, sleep_ns_max, "10", "", 1, 10000, "ms",     \
	  "The longest sleep on the device's interrupt.")                                          \
	X(runtime, rx_budget_us, NUMBER, rx_budget_ns, rx_budget_ns, "20", "", 1, 100000, "us",    \
	  "Between results that a program takes, the device goes unpolled no longer than this.")   \
	X(runtime, tokens, NUMBER, token_max, token_max, "131072", "", 16, 16777216, "",           \
	  "Operations that may be outstanding on a shard.")                                        \
	X(runtime, queues, NUMBER, queue_max, queue_max, "32768", "", 4, 4194304, "",              \
	  "Queue descriptors that a shard may have open.")                                         \
	X(runtime, mailbox_entries, NUMBER, mailbox_len, mailbox_len, "1024", "", 64, 1048576, "", \
	  "Room in the mailbox between each two shards; a power of two.")                          \
	X(runtime, name, NAME, name, name, "\"clowder\"", "", 1, 31, "",                           \
	  "Tells processes of one machine apart: letters, digits, '-' and '_'.")                   \
	X(runtime, seed, NUMBER, seed, seed, "0", "", 0, INT64_MAX, "",                            \
	  "Seed of everything random; 0: from the system. Another value makes sequence numbers "   \
	  "and ports predictable: for tests only.")                                                \
	X(memory, hugepages, CHOICE, hugepages, hugepages, "\"auto\"", "", 0, 0,                   \
	  "auto|never|always", "auto uses them if enough are reserved, else 4 KiB pages.")         \
	X(memory, data_buffers, NUMBER, data_count, data_count, "0", "", 0, 16777216, "",          \
	  "Buffers for one packet each; 0: the sum of what devices, connections and queues may "   \
	  "hold.")                                                                                 \
	X(memory, small_buffers, NUMBER, small_count, small_count, "0", "", 0, 16777216, "",       \
	  "Buffers for headers; 0: the sum.")                                                      \
	X(memory, large_buffers, NUMBER, large_count, large_count, "0", "", 0, 1048576, "",        \
	  "Buffers for sgas above one packet, 64 KiB each; 0: a few.")                             \
	X(memory, data_room, NUMBER, data_room, data_room, "0", "", 0, 16384, "bytes",             \
	  "Room for data in a packet's buffer; 0: what the largest MTU needs.")                    \
	X(memory, receive_budget_mib, NUMBER, rcv_budget_len, rcv_budget_len, "32", "", 1, 65536,  \
	  "MiB", "What received data that the program did not take yet may pin; windows follow.")  \
	X(memory, eal_args, TEXT, eal_args, eal_args, "\"\"", "", 0, 255, "",                      \
	  "More arguments for DPDK's EAL, separated by blanks.")                                   \
	X(port, device, TEXT, nic.device, nic.device, NULL, "\"net_tap0,iface=clowder0\"", 1, 255, \
	  "", "As for DPDK's --vdev, or a PCI address such as \"0000:01:00.0\".")                  \
	X(port, address, PREFIX, addr, prefix_len, NULL, "\"10.99.0.2/24\"", 1, 32, "",            \
	  "Our IPv4 address on this port, and the length of its network's prefix.")                \
	X(port, kernel_address, PREFIX, nic.kernel_addr, nic.kernel_prefix_len, "",                \
	  "\"10.99.0.1/24\"", 1, 32, "",                                                           \
	  "net_tap only: the kernel's side of the tap is brought up with this address.")           \
	X(port, queues, NUMBER, nic.queue_count, nic.queue_count, "0", "", 0, 64, "",              \
	  "Queue pairs; 0: one per shard, as far as the device has them.")                         \
	X(port, steering, CHOICE, nic.steering, nic.steering, "\"auto\"", "", 0, 0,                \
	  "auto|hardware|software",                                                                \
	  "Who brings a packet to the shard that owns its flow: the device's RSS, or the shard "   \
	  "that received it. auto believes the device what a probe confirms.")                     \
	X(port, rss_key, HEX, nic.rss_key, nic.rss_key,                                            \
	  "\"6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a6d5a\"",  \
	  "", RSS_KEY_LEN, RSS_KEY_LEN, "",                                                        \
	  "Key of the Toeplitz hash; this one hashes both directions of a flow alike.")            \
	X(port, mtu, NUMBER, nic.mtu, nic.mtu, "0", "", 0, 9216, "bytes",                          \
	  "Largest IP packet; 0: what the device has, else at least 576.")                         \
	X(port, mac, MAC, nic.mac, nic.has_mac, "", "#\"02:00:00:00:00:01\"", 0, 0, "",            \
	  "Our MAC address; without this line the device's own.")                                  \
	X(port, rx_descriptors, NUMBER, nic.rxd, nic.rxd, "512", "", 32, 16384, "",                \
	  "Packets that the device may have received and no shard has taken, per queue.")          \
	X(port, tx_descriptors, NUMBER, nic.txd, nic.txd, "512", "", 32, 16384, "",                \
	  "Packets that the device may have yet to send, per queue.")                              \
	X(route, destination, PREFIX, dst, prefix_len, NULL, "#\"0.0.0.0/0\"", 0, 32, "",          \
	  "Where to; \"0.0.0.0/0\" is the default route.")                                         \
	X(route, gateway, ADDRESS, gateway, gateway, "", "#\"10.99.0.1\"", 0, 0, "",               \
	  "The next hop, in a port's network; without this line the destination is on the link.")  \
	X(route, port, NUMBER, iface, iface, "0", "", 0, NIC_PORT_MAX - 1, "",                     \
	  "The port, counted from 0; only for a route without a gateway.")                         \
	X(route, mtu, NUMBER, mtu, mtu, "0", "", 0, 9216, "bytes",                                 \
	  "Largest IP packet on this way, from 576 on, if it is less than the port's; 0: the "     \
	  "port's.")                                                                               \
	X(route, mss, NUMBER, mss, mss, "0", "", 0, 9176, "bytes",                                 \
	  "Largest TCP segment on this way, both ways, from 88 on; 0: what the MTU leaves. For "   \
	  "tunnels that drop what is too big and do not say so.")                                  \
	X(neighbour, address, ADDRESS, addr, addr, NULL, "#\"10.99.0.1\"", 0, 0, "",               \
	  "Its IPv4 address, in a port's network.")                                                \
	X(neighbour, mac, MAC, mac, fixed, NULL, "#\"02:00:00:00:00:fe\"", 0, 0, "",               \
	  "Its MAC address.")                                                                      \
	X(tcp, conn_max, NUMBER, net.tcp.conn_max, net.tcp.conn_max, "16384", "", 1, 4194304, "",  \
	  "Connections; at most 2 KiB each.")                                                      \
	X(tcp, refuse_with_rst, FLAG, net.tcp.refuse_with_rst, net.tcp.refuse_with_rst, "true",    \
	  "", 0, 0, "", "At conn_max a SYN is answered with RST; false: with silence.")            \
	X(tcp, timewait_max, NUMBER, net.tcp.timewait_max, net.tcp.timewait_max, "32768", "", 1,   \
	  4194304, "", "Connections in TIME-WAIT; the oldest gives way.")                          \
	X(tcp, listener_max, NUMBER, net.tcp.listener_max, net.tcp.listener_max, "128", "", 1,     \
	  4096, "", "Listening sockets.")                                                          \
	X(tcp, syn_max, NUMBER, net.tcp.syn_max, net.tcp.syn_max, "4096", "", 1, 4194304, "",      \
	  "Connections whose handshake is not complete, of all listeners.")                        \
	X(tcp, syn_queue_max, NUMBER, net.tcp.syn_queue_max, net.tcp.syn_queue_max, "1024", "", 0, \
	  4194304, "",                                                                             \
	  "Connections whose handshake is not complete, of one listener; 0: as many as its "       \
	  "backlog, which bounds those that wait to be accepted.")                                 \
	X(tcp, syn_cookies, CHOICE, net.tcp.syn_cookies, net.tcp.syn_cookies, "\"auto\"", "", 0,   \
	  0, "auto|always|never",                                                                  \
	  "A SYN is answered with a cookie, which needs no memory: when there is no more room "    \
	  "for "                                                                                   \
	  "it (auto), always, or never: then the oldest unanswered one gives way. One that takes " \
	  "over from TIME-WAIT needs no cookie.")                                                  \
	X(tcp, challenge_acks_per_second, NUMBER, net.tcp.challenge_acks_per_second,               \
	  net.tcp.challenge_acks_per_second, "1000", "", 0, 1000000, "",                           \
	  "ACKs of segments that a connection did not accept (RFC 5961), about; 0: no limit.")     \
	X(tcp, push_max, NUMBER, net.tcp.push_max, net.tcp.push_max, "65536", "", 16, 16777216,    \
	  "", "Pushes whose bytes were not all acknowledged yet.")                                 \
	X(tcp, rcvbuf_bytes, NUMBER, net.tcp.rcvbuf_len, net.tcp.rcvbuf_len, "262144", "", 2048,   \
	  1073725440, "bytes",                                                                     \
	  "Receive buffer, and so the largest window, of a connection: the "                       \
	  "default of SO_RCVBUF.")                                                                 \
	X(tcp, sndbuf_bytes, NUMBER, net.tcp.sndbuf_len, net.tcp.sndbuf_len, "262144", "", 2048,   \
	  1073725440, "bytes", "Send buffer of a connection: the default of SO_SNDBUF.")           \
	X(tcp, reassembly_mib, NUMBER, net.tcp.reassembly_len, net.tcp.reassembly_len, "8", "", 1, \
	  65536, "MiB", "What segments that arrived out of order may pin.")                        \
	X(tcp, rto_min_ms, NUMBER, net.tcp.rto_ns_min, net.tcp.rto_ns_min, "200", "", 1, 60000,    \
	  "ms", "Least retransmission timeout (RFC 6298 says 1000, Linux does 200).")              \
	X(tcp, rto_initial_ms, NUMBER, net.tcp.rto_ns_initial, net.tcp.rto_ns_initial, "1000", "", \
	  1, 60000, "ms", "Retransmission timeout before the first measurement.")                  \
	X(tcp, rto_max_ms, NUMBER, net.tcp.rto_ns_max, net.tcp.rto_ns_max, "120000", "", 1000,     \
	  600000, "ms", "Largest retransmission timeout.")                                         \
	X(tcp, delack_ms, NUMBER, net.tcp.delack_ns, net.tcp.delack_ns, "40", "", 0, 499, "ms",    \
	  "Longest delay of an ACK.")                                                              \
	X(tcp, msl_ms, NUMBER, net.tcp.msl_ns, net.tcp.msl_ns, "30000", "", 1, 240000, "ms",       \
	  "Maximum segment lifetime; TIME-WAIT is twice this.")                                    \
	X(tcp, fin_wait2_s, NUMBER, net.tcp.fin_wait2_ns, net.tcp.fin_wait2_ns, "60", "", 1, 3600, \
	  "s", "How long a connection that the program closed waits for the peer's FIN.")          \
	X(tcp, user_timeout_s, NUMBER, net.tcp.user_timeout_ns, net.tcp.user_timeout_ns, "900",    \
	  "", 1, 86400, "s", "How long data may go unacknowledged before the connection dies.")    \
	X(tcp, syn_timeout_s, NUMBER, net.tcp.syn_timeout_ns, net.tcp.syn_timeout_ns, "180", "",   \
	  1, 3600, "s", "How long a connect tries.")                                               \
	X(tcp, keepalive_idle_s, NUMBER, net.tcp.keepalive_idle_ns, net.tcp.keepalive_idle_ns,     \
	  "7200", "", 1, 86400, "s", "With SO_KEEPALIVE: silence before the first probe.")         \
	X(tcp, keepalive_interval_s, NUMBER, net.tcp.keepalive_interval_ns,                        \
	  net.tcp.keepalive_interval_ns, "75", "", 1, 3600, "s", "Between probes.")                \
	X(tcp, keepalive_count, NUMBER, net.tcp.keepalive_count, net.tcp.keepalive_count, "9", "", \
	  1, 255, "", "Probes without an answer before the connection dies.")                      \
	X(tcp, port_low, NUMBER, net.tcp.port_low, net.tcp.port_low, "32768", "", 1024, 65535, "", \
	  "First local port of connects and of port 0.")                                           \
	X(tcp, port_high, NUMBER, net.tcp.port_high, net.tcp.port_high, "65535", "", 1024, 65535,  \
	  "", "Last one.")                                                                         \
	X(tcp, ttl, NUMBER, net.tcp.ttl, net.tcp.ttl, "64", "", 1, 255, "hops",                    \
	  "Time to live of packets sent.")                                                         \
	X(tcp, tos, NUMBER, net.tcp.tos, net.tcp.tos, "0", "", 0, 252, "",                         \
	  "Type of service of packets sent: DSCP times four.")                                     \
	X(tcp, timestamps, FLAG, net.tcp.timestamps, net.tcp.timestamps, "true", "", 0, 0, "",     \
	  "Timestamps option, RFC 7323.")                                                          \
	X(tcp, window_scale, FLAG, net.tcp.window_scale, net.tcp.window_scale, "true", "", 0, 0,   \
	  "", "Window scale option, RFC 7323.")                                                    \
	X(tcp, sack, FLAG, net.tcp.sack, net.tcp.sack, "true", "", 0, 0, "",                       \
	  "Selective acknowledgments, RFC 2018 and 2883.")                                         \
	X(tcp, congestion, CHOICE, net.tcp.congestion, net.tcp.congestion, "\"cubic\"", "", 0, 0,  \
	  "cubic|newreno", "Congestion control: RFC 9438, or RFC 5681.")                           \
	X(tcp, ecn, CHOICE, net.tcp.ecn, net.tcp.ecn, "\"passive\"", "", 0, 0,                     \
	  "passive|always|never",                                                                  \
	  "Explicit congestion notification, RFC 3168: agree to it when a peer asks, ask for it "  \
	  "too, or neither. Some paths drop a SYN that asks, which then costs a second.")          \
	X(tcp, pmtu_discovery, FLAG, net.tcp.pmtu_discovery, net.tcp.pmtu_discovery, "true", "",   \
	  0, 0, "", "Segments become as small as a router says that the path needs, RFC 1191.")    \
	X(tcp, nodelay, FLAG, net.tcp.nodelay, net.tcp.nodelay, "false", "", 0, 0, "",             \
	  "No Nagle algorithm: the default of TCP_NODELAY.")                                       \
	X(udp, socket_max, NUMBER, net.udp_max, net.udp_max, "128", "", 0, 1048576, "",            \
	  "UDP sockets.")                                                                          \
	X(udp, queue_packets, NUMBER, net.udp_queue_len, net.udp_queue_len, "128", "", 1, 65536,   \
	  "", "Datagrams that one socket holds until the program takes them.")                     \
	X(ip, reassembly_datagrams, NUMBER, net.reassembly.datagram_max,                           \
	  net.reassembly.datagram_max, "256", "", 0, REASSEMBLY_DATAGRAM_MAX, "",                  \
	  "Datagrams that wait for more of their fragments; 0: fragments are dropped.")            \
	X(ip, reassembly_fragments, NUMBER, net.reassembly.fragment_max,                           \
	  net.reassembly.fragment_max, "8", "", 2, 8, "", "Fragments that a datagram may have.")   \
	X(ip, reassembly_kib, NUMBER, net.reassembly.len_max, net.reassembly.len_max, "2048", "",  \
	  16, 1048576, "KiB", "What fragments that wait may pin.")                                 \
	X(ip, reassembly_timeout_ms, NUMBER, net.reassembly.timeout_ns, net.reassembly.timeout_ns, \
	  "30000", "", 1, 120000, "ms",                                                            \
	  "How long they wait (RFC 1122 says 60 to 120 s, Linux waits 30).")                       \
	X(icmp, per_second, NUMBER, net.icmp_per_second, net.icmp_per_second, "1000", "", 0,       \
	  1000000, "", "Replies and errors that a shard sends in a second.")                       \
	X(telemetry, enabled, FLAG, telemetry, telemetry, "true", "", 0, 0, "",                    \
	  "Answer on DPDK's telemetry socket under /clowder.")                                     \
	X(log, level, CHOICE, log_level, log_level, "\"warning\"", "", 0, 0,                       \
	  "error|warning|info|debug", "The least important line that is written.")

#endif
