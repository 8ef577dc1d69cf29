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

# --- packets: {control, length, frame} ---
RAW, MORE, LATER, SEND, POP = 1, 2, 4, 8, 16


def packets(*frames, control=SEND | POP | LATER | 1 << 5):
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
    "too_big": packets(ip(1, icmp(3, 4, 1280, QUOTED))),
    "time_exceeded": packets(ip(1, icmp(11, 0, 0, QUOTED))),
    "parameter_problem": packets(ip(1, icmp(12, 0, 0x14000000, QUOTED))),
    "udp": packets(ip(17, udp(b"hello")), ip(17, udp(b""))),
    "udp_nobody": packets(ip(17, udp(b"hello", dport=9))),
    "udp_broadcast": packets(ip(17, udp(b"all"), dst=bytes([10, 0, 0, 255]))),
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
    "bad_checksums": packets(ip(6, tcp(SYN)), ip(17, udp(b"hello")), control=RAW | SEND),
    "short": packets(b"", b"\2", ip(6, b""), ip(6, tcp(SYN)[:12]), ip(17, b"\0" * 4), ip(1, b"\x08\0")),
    "padded": packets(ip(6, tcp(SYN)) + b"\0" * 6, ip(17, udp(b"a")) + b"\0" * 17),
    "ip6": packets(eth(0x86dd, b"\x60" + b"\0" * 39), eth(0x8100, b"\0\1\x08\0")),
}

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
LAST, FORGED, F_LATER, F_SEND, F_POP, ICMP, OTHER = (1 << i for i in range(7))


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
    "ping": b"".join(fragments(30, 0, 50, control=ICMP | F_SEND)),
    "late": b"".join(fragments(200, 0, 100, control=F_LATER) + fragments(200, 0, 100, 200)),
    "hoard": b"".join(fragments(i, 0, 10)[0] for i in range(100)),
    "beyond": struct.pack("<BBHH", LAST, 255, 8191, 1480) + struct.pack("<BBHH", 0, 255, 0, 0),
    "tiny": b"".join(fragments(3, 0, 1, 2, 3, 4, control=F_POP)),
}

# --- conversations: a flavour, then moves ---
NEW, SEQ, ACKED, FLAGS, WND, OPTIONS, PAYLOAD, FLIP = (1 << i for i in range(8))


def segment(control=0, choice=0, tail=b""):
    return bytes([0, control, choice]) + tail


def data(n, choice=0):
    return segment(PAYLOAD, choice, struct.pack("<H", n))


def flags(value, choice=0):
    return segment(FLAGS, choice, bytes([value]))


def push(n, held=0):
    return bytes([6, held]) + struct.pack("<H", n)


def time(n):
    return bytes([13, n])


POP_IT, ACCEPT, CONNECT, TAKE = b"\x08\0", b"\x09", b"\x0a\0", b"\x0e\x0f"
OPEN = segment(NEW) + TAKE + segment() + ACCEPT
CLOSE, SHUT_WR = b"\x0c\0\1", b"\x0b\0\1"

TCP = {
    "open": bytes([3]) + OPEN,
    "echo": bytes([3]) + OPEN + (data(100) + POP_IT + push(99) + TAKE + segment()) * 4 + CLOSE + TAKE + flags(FIN | ACK),
    "bulk_in": bytes([0x13]) + OPEN + (data(1399) * 2 + TAKE + POP_IT) * 12 + flags(FIN | ACK) + POP_IT + CLOSE + TAKE,
    "bulk_out": bytes([7]) + OPEN + (push(3999) * 2 + TAKE + segment()) * 8 + SHUT_WR + TAKE + segment() + flags(FIN | ACK),
    "connect": bytes([3]) + CONNECT + TAKE + segment() + push(500) + TAKE + segment() + CLOSE + TAKE,
    "refused": bytes([3]) + CONNECT + TAKE + flags(RST | ACK),
    "nobody": bytes([3]) + CONNECT + (TAKE + time(240)) * 6,
    "lost": bytes([3]) + OPEN + push(3999) * 3 + TAKE + segment(ACKED, 0, b"\xa0" + struct.pack("<h", -3000)) * 4 +
            TAKE + time(255) + TAKE + segment(),
    "timeouts": bytes([3]) + OPEN + push(1000) + (TAKE + time(210)) * 10,
    "reordered": bytes([3]) + OPEN + segment(SEQ | PAYLOAD, 0, b"\xa0" + struct.pack("<hH", 2000, 1000)) + TAKE +
                 segment(SEQ | PAYLOAD, 0, b"\xa0" + struct.pack("<hH", 500, 1390)) + TAKE + data(1300) * 2 + POP_IT * 4,
    "shut_window": bytes([3]) + OPEN + push(3999) + segment(WND, 0, b"\0\0\0") + TAKE + (time(220) + TAKE) * 4 + segment(),
    "small_window": bytes([3]) + OPEN + push(3999) + (segment(WND, 0, b"\x40\0\0") + TAKE) * 6,
    "full": bytes([3]) + OPEN + data(1399) * 9 + TAKE + POP_IT * 9 + TAKE,
    "both_close": bytes([3]) + OPEN + SHUT_WR + TAKE + segment(FLAGS | ACKED, 0, b"\0\xff" + bytes([FIN | ACK])) + segment(),
    "reset": bytes([3]) + OPEN + push(3000) + flags(RST) + POP_IT + CLOSE,
    "reset_in_window": bytes([3]) + OPEN + segment(SEQ | FLAGS, 0, b"\0\x40" + bytes([RST])) + TAKE,
    "syn_in_window": bytes([3]) + OPEN + flags(SYN) + TAKE + segment(),
    "future_ack": bytes([3]) + OPEN + segment(ACKED, 0, b"\0\x40") + TAKE,
    "unread": bytes([3]) + OPEN + data(500) + CLOSE + TAKE,
    "half_close": bytes([3]) + OPEN + flags(FIN | ACK) + POP_IT + push(2000) + TAKE + segment() + CLOSE + TAKE + segment(),
    "syn_flood": bytes([11]) + b"".join(segment(NEW, i) for i in range(8)) + TAKE + time(210) + TAKE,
    "many": bytes([3]) + b"".join(segment(NEW, i) + TAKE + segment(0, i) + ACCEPT for i in range(6)),
    "icmp": bytes([3]) + OPEN + push(3999) + TAKE + b"\5\0\0\3\4" + struct.pack("<H", 576) + TAKE + time(210) + TAKE,
    "unreachable": bytes([3]) + CONNECT + TAKE + b"\5\0\0\3\1\0\0",
    "scarce": bytes([3]) + OPEN + b"\x0f\xff" * 4 + data(1000) * 3 + push(2000) + TAKE + b"\x0f\0" + segment() + TAKE,
    "sacked": bytes([3]) + OPEN + push(3999) * 2 + TAKE + segment(OPTIONS, 0, b"\x0c\1\1\5\x0a" + bytes(8)) * 4 + TAKE,
    "sacked_holes": bytes([3]) + OPEN + push(3999) * 3 + TAKE + TAKE.join(
        segment(ACKED | OPTIONS, 0, b"\xa0" + struct.pack("<hBHH", -11000, 192, 1460 * i, 1460)) for i in range(2, 6)),
    "sacked_newreno": bytes([0x43]) + OPEN + push(3999) * 3 + TAKE + TAKE.join(
        segment(ACKED | OPTIONS, 0, b"\xa0" + struct.pack("<hBHH", -11000, 192, 1448, 1448 * i)) for i in range(1, 6)),
    "no_sack": bytes([0x23]) + OPEN + push(3999) * 3 + TAKE + segment(ACKED, 0, b"\xa0" + struct.pack("<h", -11000)) * 5 + TAKE,
    "cookie": bytes([0x83]) + segment(NEW) + TAKE + segment(NEW | FLAGS | SEQ, 0, b"\0\1" + bytes([ACK])) + ACCEPT + data(9),
    "corrupt": bytes([3]) + OPEN + segment(PAYLOAD | FLIP, 0, struct.pack("<HHB", 300, 40, 2)) + TAKE + data(10),
    "time_wait": bytes([3]) + OPEN + CLOSE + TAKE + segment() + flags(FIN | ACK) + TAKE + segment(NEW) + time(250) + TAKE,
}

TARGETS = {"packet": PACKET, "tcp_opt": TCP_OPT, "config": CONFIG, "reassembly": REASSEMBLY, "tcp": TCP}


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
