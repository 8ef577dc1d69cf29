#!/usr/bin/env python3
"""Writes the corpora that the fuzzers begin with: packets as they are seen on wires, and conversations.

    tests/fuzz/seeds.py [folder]      default: tests/fuzz/corpus

The same bytes each time. What a target's input looks like is said at the head of its fuzz_*.c.
"""
import os
import struct
import sys

VICTIM_MAC, PEER_MAC, ALL_MAC = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", b"\xff" * 6
VICTIM, PEER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))

# --- frames; the target fills in the checksums ---


def eth(kind, payload, dst=VICTIM_MAC):
    return dst + PEER_MAC + struct.pack("!H", kind) + payload


def ip(proto, payload, options=b"", ident=1, fragment=0x4000, src=PEER, dst=VICTIM, ttl=64):
    total = 20 + len(options) + len(payload)
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, total, ident, fragment, ttl, proto, 0)
    return eth(0x0800, head + src + dst + options + payload)


def tcp(flags, seq=1000, ack=0, payload=b"", options=b"", sport=5001, dport=7, wnd=64240):
    options += b"\0" * (-len(options) % 4)
    return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags, wnd, 0,
                       0) + options + payload


def udp(payload, sport=5353, dport=7):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def icmp(kind, code, rest, payload=b""):
    return struct.pack("!BBHI", kind, code, 0, rest) + payload


def arp(op, sender=PEER, target=VICTIM, dst=ALL_MAC):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + PEER_MAC + sender + b"\0" * 6 + target
    return eth(0x0806, body + b"\0" * 18, dst)


MSS = b"\2\4\x05\xb4"
LINUX = MSS + b"\4\2\x08\x0a" + struct.pack("!II", 1, 0) + b"\1\3\3\7"
WINDOWS = MSS + b"\1\3\3\x08\1\1\4\2"
STAMPS = b"\1\1\x08\x0a" + struct.pack("!II", 2, 1)
SACK = b"\1\1\5\x12" + struct.pack("!IIII", 3000, 4000, 5000, 6000)
QUOTED = ip(6, tcp(ACK, sport=40000, dport=5000), src=VICTIM, dst=PEER)[14:48]
QUOTED_OPTIONS = ip(6, tcp(ACK, sport=40000, dport=5000), b"\1\1\1\0", src=VICTIM, dst=PEER)[14:48]

# --- packets: {control, length, frame} ---
RAW, MORE, LATER, STUFFED, POP = 1, 2, 4, 8, 16


def packets(*frames, control=POP | LATER | 1 << 5):
    return b"".join(struct.pack("<BH", control, len(f)) + f for f in frames)


PACKET = {
    "arp_request": packets(arp(1)),
    "arp_answer": packets(arp(2, dst=VICTIM_MAC)),
    "arp_gratuitous": packets(arp(1, target=PEER), arp(2, target=PEER)),
    "arp_conflict": packets(arp(1, sender=VICTIM), arp(2, sender=VICTIM)),
    "arp_probe": packets(arp(1, sender=b"\0\0\0\0")),
    "ping": packets(ip(1, icmp(8, 0, 0x10001, bytes(range(56))))),
    "ping_options": packets(ip(1, icmp(8, 0, 0x10001), options=b"\x07\x07\x04\0\0\0\0\0")),
    "source_route": packets(ip(1, icmp(8, 0, 0x10001), options=b"\x83\x07\x04\n\0\0\3\0")),
    "unreachable": packets(ip(1, icmp(3, 3, 0, QUOTED))),
    "unreachable_options": packets(ip(1, icmp(3, 3, 0, QUOTED_OPTIONS)), ip(1, icmp(3, 1, 0, QUOTED_OPTIONS[:32]))),
    "too_big": packets(ip(1, icmp(3, 4, 1280, QUOTED))),
    "time_exceeded": packets(ip(1, icmp(11, 0, 0, QUOTED))),
    "parameter_problem": packets(ip(1, icmp(12, 0, 0x14000000, QUOTED))),
    "udp": packets(ip(17, udp(b"hello")), ip(17, udp(b""))),
    "udp_nobody": packets(ip(17, udp(b"hello", dport=9))),
    "udp_broadcast": packets(ip(17, udp(b"all"), dst=bytes([10, 0, 0, 255]))),
    "stuffed": packets(ip(1, icmp(8, 0, 0x10001)), ip(6, tcp(SYN)), control=STUFFED) + packets(arp(1)),
    "udp_burst": packets(*[ip(17, udp(bytes([i]) * 100)) for i in range(6)], control=MORE),
    "fragments": packets(ip(17, udp(b"x" * 64)[:32], fragment=0x2000), ip(17, b"x" * 40, fragment=4)),
    "fragment_overlap": packets(ip(17, udp(b"x" * 64)[:32], fragment=0x2000), ip(17, b"y" * 48, fragment=2)),
    "syn_linux": packets(ip(6, tcp(SYN, options=LINUX)), ip(6, tcp(ACK, 1001, 1, options=STAMPS))),
    "syn_windows": packets(ip(6, tcp(SYN, options=WINDOWS))),
    "syn_ecn": packets(ip(6, tcp(SYN | ECE | CWR, options=LINUX))),
    "syn_data": packets(ip(6, tcp(SYN, payload=b"early"))),
    "syn_ack": packets(ip(6, tcp(SYN | ACK, 1, 1, options=MSS, sport=5000, dport=40000))),
    "sack": packets(ip(6, tcp(ACK, 1001, 1, options=SACK))),
    "nobody_listens": packets(ip(6, tcp(SYN, dport=8)), ip(6, tcp(ACK, dport=8)), ip(6, tcp(RST, dport=8))),
    "data_urgent": packets(ip(6, tcp(ACK | PSH | URG, 1001, 1, b"now"))),
    "christmas": packets(ip(6, tcp(0xff, options=b"\3\3\x0f\1\2\4\1\x09"))),
    "bad_checksums": packets(ip(6, tcp(SYN)), ip(17, udp(b"hello")), control=RAW | POP),
    "short": packets(b"", b"\2", ip(6, b""), ip(6, tcp(SYN)[:12]), ip(17, b"\0" * 4), ip(1, b"\x08\0")),
    "padded": packets(ip(6, tcp(SYN)) + b"\0" * 6, ip(17, udp(b"a")) + b"\0" * 17),
    "ip6": packets(eth(0x86dd, b"\x60" + b"\0" * 39), eth(0x8100, b"\0\1\x08\0")),
}

EACH_BIT, EACH_LEN = 1 << 5, 1 << 6
for name in ("arp_request", "arp_answer", "ping_options", "unreachable", "unreachable_options", "too_big", "udp", "udp_nobody",
             "fragments", "syn_linux", "syn_ack", "sack", "nobody_listens", "padded"):
    PACKET["near_" + name] = bytes([POP | EACH_BIT | EACH_LEN]) + PACKET[name][1:]

TCP_OPT = {
    "linux_syn": LINUX,
    "windows_syn": WINDOWS,
    "stamps": STAMPS,
    "sack_1": b"\1\1\5\x0a" + struct.pack("!II", 1, 2),
    "sack_2": SACK,
    "sack_4": b"\1\1\5\x22" + bytes(range(32)),
    "stamps_sack_3": STAMPS + b"\1\1\5\x1a" + bytes(range(24)),
    "end": b"\0" + LINUX,
    "fast_open": MSS + b"\x22\x0a" + b"cookie99",
    "md5": b"\x13\x12" + bytes(16) + b"\1\1",
    "no_length": b"\1\1\1\2",
    "length_0": b"\2\0\5\xb4",
    "too_long": b"\2\5\5\xb4",
    "wscale_255": b"\3\3\xff\0",
}

CONFIG = {
    "empty": b"",
    "port": b'[[port]]\ndevice = "net_null0"\naddress = "10.0.0.1/24"\n',
    "routes": b'[[port]]\ndevice = "0000:01:00.0"\naddress = "10.0.0.1/24"\n[[route]]\n'
              b'to = "0.0.0.0/0"\nvia = "10.0.0.254"\n',
    "wrong_types": b'[runtime]\nshards = "many"\ncpus = [0, 0, 1.5]\nidle = 3\n',
    "unknown": b"[runtime]\ncores = 4\n[nothing]\nx = 1\n",
    "limits": b"[runtime]\nshards = 99999999999999999999\ntokens = -1\nseed = 9223372036854775807\n",
    "not_toml": b"[runtime\nshards = = 2\n",
    "nested": b"a = [[[[[[[[{b = [{c = 1}]}]]]]]]]]\n",
    "strings": b'[runtime]\nname = """a\nb\\u0000\\x"""\nidle = \'poll\'\n',
    "dates": b"[tcp]\nmsl_s = 1979-05-27T07:32:00Z\nnodelay = yes\n",
}

# --- fragments: {control, id, offset / 8, length} ---
LAST, FORGED, F_LATER, F_STUFFED, F_POP, ICMP, OTHER = (1 << i for i in range(7))


def fragments(ident, *cuts, control=0):
    """A datagram cut at these offsets / 8; the target knows how long it is."""
    ends = list(cuts[1:]) + [None]
    return [struct.pack("<BBHH", control | (LAST if end is None else 0), ident, start,
                        0 if end is None else (end - start) * 8) for start, end in zip(cuts, ends)]


REASSEMBLY = {
    "two": b"".join(fragments(20, 0, 40, control=F_POP)),
    "backwards": b"".join(reversed(fragments(100, 0, 100, 185, 250))),
    "many": b"".join(fragments(250, *range(0, 750, 90))),
    "too_many": b"".join(fragments(40, *range(0, 120))),
    "overlap": b"".join(fragments(20, 0, 40) + fragments(20, 0, 30)),
    "duplicate": b"".join(sorted(fragments(20, 0, 20, 40) * 2)),
    "forged": b"".join(fragments(20, 0, 20, 40, control=FORGED)),
    "interleaved": b"".join(x for pair in zip(fragments(30, 0, 50), fragments(31, 0, 50, control=OTHER)) for x in pair),
    "ping": b"".join(fragments(30, 0, 50, control=ICMP)),
    "late": b"".join(fragments(200, 0, 100, control=F_LATER) + fragments(200, 0, 100, 200)),
    "hoard": b"".join(fragments(i, 0, 10)[0] for i in range(100)),
    "beyond": struct.pack("<BBHH", LAST, 255, 8191, 1480) + struct.pack("<BBHH", 0, 255, 0, 0),
    "tiny": b"".join(fragments(3, 0, 1, 2, 3, 4, control=F_POP)),
}

# --- conversations: a flavour, then moves; see move.h ---
MOVES = ["SEGMENT", "SEGMENT_2", "SEGMENT_3", "SEGMENT_WITH_OPTIONS", "SEGMENT_IN_FRAGMENTS", "ICMP", "ARP", "LOSE", "LISTEN",
         "ACCEPT", "CONNECT", "PUSH", "POP", "SHUTDOWN", "CLOSE", "OPTION", "TIME", "SQUEEZE", "STUFF", "JUMP"]
NEW, SEQ, ACKED, FLAGS, WND, DATA, FLIP, FAR = (1 << i for i in range(8))
BURST, BROKEN, FORGED_DATA, SAME, TWICE = (1 << i for i in range(3, 8))
RESET, AWAITED = 2, 1


def move(kind, who=0, control=0, flags=0, seq=0, ack=0, wnd=0, length=0):
    return struct.pack("<BBBBhhHH", MOVES.index(kind), who, control, flags, seq, ack, wnd, length)


def flavour(control=0, more=0):
    return struct.pack("<BBBBhhHH", 0, 0, control, more, 0, 0, 0, 0)


def segment(who=0, kind="SEGMENT", **fields):
    """A right one but for the fields that are named."""
    bits = {"seq": SEQ, "ack": ACKED, "flags": FLAGS, "wnd": WND, "length": DATA}
    control = fields.pop("control", 0)
    for name in fields:
        control |= bits[name]
    return move(kind, who, control, **fields)


def with_options(options, who=0, **fields):
    return segment(who, "SEGMENT_WITH_OPTIONS", **fields) + options


def option(kind, **fields):
    return struct.pack("<B", kind) + move("SEGMENT", **fields)[1:]


def data(n, who=0):
    return segment(who, length=n)


def syn(who=0):
    return move("SEGMENT", who, NEW)


def push(n, sock=0):
    return move("PUSH", sock, length=n - 1)


def close(way=0, sock=0):
    return move("CLOSE", sock, flags=way)


def time(ms):
    return move("TIME", flags=ms if ms < 100 else 99 + ms // 100 if ms <= 10000 else 199 + ms // 10000)


def lose(n):
    return move("LOSE", flags=n)


def sockopt(which, value, sock=0):
    names = ["LINGER", "KEEPALIVE", "RCVBUF", "SNDBUF", "ERROR", "KEEPIDLE", "KEEPINTVL", "KEEPCNT", "USER_TIMEOUT", "NODELAY",
             "MAXSEG", "INFO", "TTL", "TOS"]
    return move("OPTION", sock, flags=names.index(which), length=value)


ANSWER, ACCEPT, POP_IT = segment(), move("ACCEPT"), move("POP")
OPEN = ACCEPT + syn() + ANSWER
CONNECT, A = move("CONNECT"), 3  # the flow of the program's first connection
CONNECTED = CONNECT + move("ARP", seq=2) + syn(A) + segment(A)
FIN_ACK = segment(flags=FIN | ACK)
SHUT_WR = move("SHUTDOWN", flags=1)
CASES = {
    "open": OPEN,
    "echo": OPEN + (POP_IT + data(100) + push(100) + ANSWER) * 4 + FIN_ACK + POP_IT + close() + ANSWER,
    "bulk_in": OPEN + (data(1448) * 2 + POP_IT * 2) * 8 + FIN_ACK + POP_IT + close() + ANSWER,
    "bulk_out": OPEN + (push(4000) + ANSWER) * 10 + SHUT_WR + ANSWER + FIN_ACK + close(),
    "connect": CONNECTED + push(500) + segment(A) + POP_IT + data(50, A) + close() + segment(A, flags=FIN | ACK),
    "refused": CONNECT + segment(A, flags=RST | ACK),
    "nobody": move("ARP", seq=1) + CONNECT + time(5000) * 6,
    "simultaneous_open": CONNECT + segment(A, control=NEW, flags=SYN) + segment(A) + push(9) + segment(A),
    "simultaneous_close": OPEN + segment(0 | SAME, flags=ACK) + close() + segment(seq=0, ack=-1, flags=FIN | ACK) +
                          segment(seq=1),
    "half_close": OPEN + FIN_ACK + POP_IT + push(3000) + ANSWER * 2 + SHUT_WR + ANSWER + close(AWAITED),
    "other_half_close": OPEN + SHUT_WR + ANSWER + data(1000) + POP_IT + data(500) + POP_IT + FIN_ACK + POP_IT + close(),
    "zero_window": OPEN + push(4000) + segment(wnd=0) + time(1000) * 5 + segment(wnd=1) + segment(wnd=500) + ANSWER * 3,
    "silly_window": OPEN + push(4000) + segment(wnd=3) * 6 + time(500) + ANSWER * 3,
    "narrow": ACCEPT + segment(control=NEW, wnd=700) + segment(wnd=700) + push(5000) + segment(wnd=701) * 9 + segment(wnd=1449) * 3,
    "narrow_from_us": CONNECT + segment(A, control=NEW, wnd=100) + segment(A, wnd=100) + push(900) + segment(A, wnd=150) * 9,
    "full": OPEN + data(1448) * 7 + time(300) + POP_IT * 7 + data(1448) * 2,
    "lost": OPEN + lose(1) + push(6000) * 3 + ANSWER * 6 + time(300) + ANSWER * 3,
    "sack_holes": OPEN + push(6000) * 2 + ANSWER + lose(2) + push(6000) + ANSWER * 3 + lose(1) + push(6000) + ANSWER * 6,
    "sack_any": OPEN + push(6000) * 2 + with_options(option(2, seq=1448, length=1448)) + with_options(option(3, seq=2896, length=900, ack=6000, wnd=100)),
    "sack_lies": OPEN + push(6000) + with_options(option(3, seq=-30000, length=30000, ack=30000, wnd=9)) * 3,
    "no_sack": OPEN + lose(1) + push(6000) * 2 + ANSWER * 8 + time(300) + ANSWER * 3,
    "timeouts": OPEN + push(3000) + time(500) * 5 + time(10000) + ANSWER,
    "tail_loss": OPEN + push(1448) + ANSWER + lose(1) + push(1000) + time(100) * 3 + ANSWER,
    "reordered": OPEN + segment(SAME, seq=1448, length=1000) + segment(SAME, seq=500, length=948) + POP_IT * 3 + data(1448) + data(1000),
    "gap_edges": OPEN + b"".join(segment(SAME, seq=500, length=300) + data(n) + POP_IT * 2 + data(300) + POP_IT for n in (499, 500, 501, 799, 800, 801)),
    "duplicates": OPEN + segment(TWICE, length=1000) + segment(SAME, seq=-1000, length=1000) + segment(SAME, seq=-500, length=900) + POP_IT * 2,
    "burst": OPEN + segment(BURST, length=1448) * 5 + data(1448) + POP_IT * 6,
    "beyond": OPEN + segment(seq=8000, length=1000) + segment(seq=20000, length=10) + segment(seq=-20000, length=10),
    "reset": OPEN + push(3000) + segment(flags=RST) + POP_IT + close(),
    "reset_in_window": OPEN + segment(seq=64, flags=RST) + segment(seq=1, flags=RST | ACK) + segment(seq=-1, flags=RST),
    "reset_linger": OPEN + push(3000) + close(RESET) + ANSWER,
    "syn_in_window": OPEN + segment(SAME, flags=SYN) + ANSWER + segment(SAME, seq=5, flags=SYN | ACK) + ANSWER,
    "future_ack": OPEN + segment(ack=64) + push(9) + segment(ack=-30000) + segment(ack=30000, control=FAR),
    "unread": OPEN + data(500) + close() + ANSWER,
    "time_wait": OPEN + close() + ANSWER + FIN_ACK + syn() + time(5000) + syn(),
    "syn_queue": b"".join(syn(i) for i in range(3)) * 2 + time(1000) + time(5000) * 4,
    "many": b"".join(ACCEPT + syn(i) + segment(i) for i in range(3)) + push(10, 1) + segment(1),
    "backlog": syn(0) + segment(0) + syn(1) + segment(1) + syn(2) + segment(2) + move("LISTEN") + time(1) + move("LISTEN"),
    "accept_late": syn() + ANSWER + data(100) + FIN_ACK + ACCEPT + POP_IT * 2,
    "fragments": OPEN + segment(kind="SEGMENT_IN_FRAGMENTS", length=1200) + move("SEGMENT", length=400) + POP_IT,
    "fragments_backwards": OPEN + segment(kind="SEGMENT_IN_FRAGMENTS", length=1200) + move("SEGMENT", flags=1, length=300) + POP_IT,
    "fragments_bad": OPEN + b"".join(segment(kind="SEGMENT_IN_FRAGMENTS", length=600) + move("SEGMENT", flags=f, length=200)
                                     for f in (2, 4, 8, 15)) + time(31000),
    "pmtud": OPEN + push(6000) + move("ICMP", 0, 4, 3, wnd=576, length=12) + ANSWER * 8 + time(1000) + ANSWER * 4,
    "icmp_blind": OPEN + push(3000) + move("ICMP", 0, 4, 3, seq=30000, wnd=68) + move("ICMP", 0, 1, 3) + move("ICMP", 0, 3, 3, seq=-9) +
                  move("ICMP", 0, 0, 11) + move("ICMP", 0, 0, 4) + ANSWER * 2,
    "icmp_connect": CONNECT + move("ICMP", A, 1, 3) + move("ICMP", A, 3, 3),
    "keepalive": OPEN + sockopt("KEEPALIVE", 1) + time(20000) + ANSWER + time(20000) + time(20000) + POP_IT,
    "user_timeout": OPEN + sockopt("USER_TIMEOUT", 2000) + push(100) + time(1000) * 3 + POP_IT + sockopt("ERROR", 0) + sockopt("INFO", 0),
    "options": OPEN + sockopt("MAXSEG", 500) + sockopt("SNDBUF", 5000) + sockopt("RCVBUF", 5000) + sockopt("NODELAY", 1) + push(5000) * 2 +
               sockopt("INFO", 0) + ANSWER * 4 + sockopt("LINGER", 1) + close(),
    "old_stamps": OPEN + with_options(option(4, seq=-5000), length=10) + with_options(option(4, ack=-500), length=10) +
                  with_options(option(0), length=10) + POP_IT,
    "odd_syn": ACCEPT + with_options(option(5, control=15, flags=15, length=9), control=NEW) + ANSWER + push(3000) + ANSWER * 9,
    "bare_syn": ACCEPT + with_options(option(0), control=NEW) + ANSWER + push(2000) + ANSWER * 3 + data(100) + POP_IT,
    "raw_options": OPEN + with_options(option(1, length=12) + b"\1\1\x05\x0a\0\0\0\1\0\0\0\2", length=5),
    "ecn": ACCEPT + with_options(option(6, who=2), control=NEW | FLAGS, flags=SYN | ECE | CWR) + ANSWER +
           with_options(option(6, who=3), length=1000) * 3 + push(6000) + segment(flags=ACK | ECE) + segment(flags=ACK | CWR),
    "urgent": OPEN + segment(flags=ACK | URG | PSH, length=10) + POP_IT,
    "broken": OPEN + segment(BROKEN, length=100) + segment(control=FLIP, flags=2, length=100) + segment(FORGED_DATA, length=100) + POP_IT * 2,
    "scarce": OPEN + move("SQUEEZE", 0, length=190) + data(1448) * 4 + push(3000) + move("SQUEEZE", 1, length=128) + ANSWER + time(300) +
              move("SQUEEZE", 0) + move("SQUEEZE", 1) + ANSWER + POP_IT,
    "stuffed": OPEN + move("STUFF", flags=1) + push(3000) + data(100) + time(500) + move("STUFF") + ANSWER,
    "jump": OPEN + push(3000) + move("JUMP", flags=30) + ANSWER + data(10) + move("JUMP", flags=99),
    "arp": OPEN + move("ARP", control=4, flags=1) + move("ARP", control=1 | 8, flags=1) + move("ARP", control=16, flags=2, wnd=77) +
           move("ARP", control=1 | 16, flags=2, wnd=9) + push(10) + time(60000),
}
FLAVOURS = {"no_sack": (4, 0), "timeouts": (3, 0), "lost": (32, 0), "options": (8, 0), "bulk_in": (64, 0), "connect": (0, 64), "nobody": (0, 64),
            "arp": (0, 64), "ecn": (0, 4), "syn_queue": (16, 34), "half_close": (0, 16), "narrow": (2 | 8, 0), "narrow_from_us": (2 | 8, 0)}
CONVERSATION = {name: flavour(*FLAVOURS.get(name, (0, 0))) + moves for name, moves in CASES.items()}
for name, how in {"cookie": (0, 1), "cookie_no_stamps": (1, 1)}.items():
    CONVERSATION[name] = flavour(*how) + syn() + ACCEPT + segment(length=9) + POP_IT + push(3000) + ANSWER * 3 + syn(1) + segment(1, ack=1)


def request(*args):
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in args)


GET = request(b"GET", b"key")
RESP_IN = {name: bytes([split]) + sent for name, (split, sent) in {
    "pipeline": (5, GET * 3 + request(b"SET", b"key", b"value\r\n") + GET),
    "bytes": (0, GET + request(b"") + b"PING\r\n" + GET),
    "many": (7, request(*[b"%d" % i for i in range(20)]) + GET),
    "none": (3, b"*0\r\n*-1\r\n\r\n\n  \r\n" + GET),
    "long": (20, request(b"SET", b"key", b"v" * 4096, b"w" * 300) + GET),
    "inline": (4, b"SET  key\t\"a \\x41\\n\\q\\\"\" 'it\\'s' \"\"\r\nGET key\n"),
    "unbalanced": (4, b"GET \"key\r\n"),
    "unbalanced_behind": (4, b"GET 'key'x\r\n"),
    "no_dollar": (4, b"*2\r\n$3\r\nGET\r\n:3\r\n"),
    "bad_count": (4, b"*01\r\n"),
    "bad_len": (4, b"*1\r\n$-1\r\n"),
    "announced": (4, b"*1000000\r\n$536870912\r\nabc"),
    "stranger": (4, b"*11\r\n" + GET),
    "no_newline": (90, b"*1\rX$4\rXPINGxx" + GET),
    "endless_line": (200, b"*1\r\n$" + b"1" * 65537),
}.items()}

SELECT, SET, DEL = request(b"SELECT", b"3"), request(b"SET", b"key", b"value"), request(b"DEL", b"key")
MULTI, EXEC = request(b"MULTI"), request(b"EXEC")
AOF_READER = {name: bytes([before]) + log for name, (before, log) in {
    "empty": (0, b""),
    "plain": (0, SELECT + SET * 2 + DEL),
    "across": (60, SELECT + SET * 2 + DEL),
    "transaction": (0, SELECT + MULTI + SET + SELECT + DEL + EXEC + SET),
    "open": (0, SET + MULTI + SET + DEL),
    "open_across": (70, SET + MULTI + SET + DEL),
    "nested": (0, MULTI + SET + MULTI + EXEC),
    "ended_twice": (0, MULTI + EXEC + EXEC),
    "torn": (0, SET + DEL[:-4]),
    "torn_across": (30, SET + SET[:-9]),
    "zeros": (0, SET + DEL[:9] + b"\0" * 40),
    "zeros_in_a_value": (50, SET + b"*2\r\n$3\r\nDEL\r\n$20\r\nkey" + b"\0" * 99),
    "length": (0, SET + b"*2\r\n$3\r\nDEL\r\n$300\r\nkey\r\n" + SET * 3),
    "length_across": (20, b"*2\r\n$3\r\nDEL\r\n$300\r\nkey\r\n" + SET * 3),
    "stars": (40, SET + b"*2\r\n$3\r\nSET\r\n$999\r\n" + b"\r\n*" * 20 + b"\r\n*1\r\n$1"),
    "huge": (0, b"*2\r\n$9999999999\r\nkey\r\n"),
    "many": (9, b"*1000000\r\n" + b"$1\r\nx\r\n" * 40),
    "too_many": (0, b"*99999999999\r\n"),
    "none": (0, b"*0\r\n" + SET),
    "inline": (0, SET + b"PING\r\n"),
    "no_dollar": (0, b"*1\r\n:3\r\n"),
    "database": (0, request(b"SELECT", b"16") + SET),
    "no_database": (0, request(b"SELECT") + request(b"select", b"1", b"2")),
    "empty_words": (0, request(b"") + request(b"", b"") + SET),
}.items()}

TARGETS = {"packet": PACKET, "tcp_opt": TCP_OPT, "config": CONFIG, "reassembly": REASSEMBLY,
           "conversation": CONVERSATION, "resp_in": RESP_IN, "aof_reader": AOF_READER}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "corpus")
    for target, inputs in TARGETS.items():
        os.makedirs(os.path.join(root, target), exist_ok=True)
        for name, content in inputs.items():
            with open(os.path.join(root, target, name), "wb") as file:
                file.write(content)


if __name__ == "__main__":
    main()
