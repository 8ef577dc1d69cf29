#!/usr/bin/env python3
"""tshark as judge over what one host sent.

    judge.py FILE ADDRESS [no-loss]

FILE is a capture taken where ADDRESS meets the wire, so that everything it sent and received is in it.
Prints figures, then one line a finding, and ends with 0 (none), 1 (findings) or 2 (tshark cannot say).
Only ADDRESS's packets are judged: the kernel may leave checksums of its own unfinished. With no-loss,
what ADDRESS sent twice is a finding, too.
"""
import subprocess
import sys

# field -> what is wrong with a packet of ours that has it
FLAGS = {
    "tcp.analysis.lost_segment": "skips bytes that it never sent",
}
RETRANSMISSIONS = ("tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
                   "tcp.analysis.spurious_retransmission")
FIGURES = {
    "tcp.analysis.out_of_order": "out of order",
    "tcp.analysis.duplicate_ack": "duplicate ACKs",
    "tcp.analysis.keep_alive": "keepalives",
    "tcp.analysis.zero_window": "zero windows",
}
BASE = ["frame.number", "ip.src", "frame.cap_len", "frame.len", "ip.checksum.status",
        "tcp.checksum.status", "udp.checksum.status", "_ws.malformed", "tcp.flags",
        "tcp.option_kind", "tcp.options.wscale.shift", "tcp.options.mss_val",
        "tcp.stream", "tcp.seq", "tcp.nxtseq", "tcp.ack"]
FIELDS = BASE + list(FLAGS) + list(RETRANSMISSIONS) + list(FIGURES)
ORDER = [2, 4, 8, 3]  # MSS, SACK permitted, timestamps, window scale: as Linux sends them
SHOWN_MAX = 10
BAD = "0"


class Received:
    """What of one stream has passed the capture towards ADDRESS.

    tshark's own flag for it, tcp.analysis.ack_lost_segment, was seen on ACKs of bytes that are all in the
    capture, where a peer had sent again what lay among segments that came out of order.
    """

    def __init__(self):
        self.end = None  # all before it has come
        self.ahead = []  # [begin, end), beyond it

    def add(self, begin, end):
        if self.end is None:
            self.end = begin
        self.ahead.append((begin, end))
        for begin, end in sorted(self.ahead):
            if begin <= self.end:
                self.end = max(self.end, end)
        self.ahead = [part for part in self.ahead if part[1] > self.end]

    def has(self, ack):
        return self.end is None or ack <= self.end


def packets(path):
    command = ["tshark", "-n", "-r", path, "-o", "ip.check_checksum:TRUE", "-o",
               "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o",
               "tcp.analyze_sequence_numbers:TRUE", "-T", "fields", "-E", "separator=/t",
               "-E", "occurrence=a"]
    # What the bytes in the streams look like is nobody's business, least of all by their port.
    command += ["-d", "tcp.port==7000,data", "-d", "udp.port==7000,data"]
    for field in FIELDS:
        command += ["-e", field]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tshark:
        for line in tshark.stdout:
            values = line.rstrip("\n").split("\t")
            yield dict(zip(FIELDS, values + [""] * (len(FIELDS) - len(values))))
        complaint = tshark.stderr.read()
        if tshark.wait() != 0:
            raise RuntimeError(complaint)


def options_in_order(kinds):
    kinds = [int(kind) for kind in kinds.split(",") if kind]
    known = [kind for kind in kinds if kind > 1]
    return known == [kind for kind in ORDER if kind in known]


def quotes(packet):
    """An ICMP error: its TCP fields are those of the packet that it is about."""
    return "," in packet["ip.src"]


def findings_of(packet, no_loss, received):
    for layer in ("ip", "tcp", "udp"):
        # The first: an ICMP error quotes headers whose checksum cannot be checked.
        if BAD in packet[layer + ".checksum.status"].split(",")[:1]:
            yield "bad %s checksum" % layer
    if packet["_ws.malformed"]:
        yield "malformed: " + packet["_ws.malformed"]
    for field, what in FLAGS.items():
        if packet[field]:
            yield what
    if packet["tcp.ack"] and not quotes(packet) and packet["tcp.stream"] in received and \
            not received[packet["tcp.stream"]].has(int(packet["tcp.ack"])):
        yield "acknowledges what it never received"
    if no_loss and any(packet[field] for field in RETRANSMISSIONS):
        yield "sent twice, though nothing was lost"
    if packet["tcp.flags"] and int(packet["tcp.flags"], 0) & 2 and not options_in_order(packet["tcp.option_kind"]):
        yield "options in another order than Linux's: " + packet["tcp.option_kind"]


def main():
    path, address = sys.argv[1:3]
    no_loss = "no-loss" in sys.argv[3:]
    findings, count, ours, twice, shifts, received = [], 0, 0, 0, set(), {}
    figures = dict.fromkeys(FIGURES, 0)
    for packet in packets(path):
        count += 1
        if packet["ip.src"].split(",")[0] != address:
            if packet["tcp.nxtseq"] and not quotes(packet):
                received.setdefault(packet["tcp.stream"], Received()).add(
                    int(packet["tcp.seq"]), int(packet["tcp.nxtseq"]))
            continue
        ours += 1
        if packet["frame.cap_len"] != packet["frame.len"]:
            print("judge: frame %s was not captured whole" % packet["frame.number"])
            return 2
        if packet["tcp.options.wscale.shift"]:
            shifts.add(packet["tcp.options.wscale.shift"])
        twice += any(packet[field] for field in RETRANSMISSIONS)
        for field in FIGURES:
            figures[field] += bool(packet[field])
        findings += ["frame %s: %s" % (packet["frame.number"], what) for what in findings_of(packet, no_loss, received)]
    print("judge: packets %d ours %d retransmitted %d %s window-scale %s findings %d" % (
        count, ours, twice, " ".join("%s %d" % (FIGURES[f].replace(" ", "-"), figures[f]) for f in FIGURES),
        ",".join(sorted(shifts)) or "none", len(findings)))
    for finding in findings[:SHOWN_MAX]:
        print("judge: " + finding)
    if ours == 0:
        print("judge: no packet of %s in %s" % (address, path))
        return 2
    return 1 if findings else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        print("judge: tshark: %s" % error)
        sys.exit(2)
