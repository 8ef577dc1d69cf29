#!/usr/bin/env python3
"""A judge that finds nothing judges nothing: captures with one fault each, made here, must be found.

    test_judge.py JUDGE
"""
import struct
import subprocess
import sys
import tempfile

CLIENT, OURS = bytes([10, 99, 0, 1]), bytes([10, 99, 0, 2])
FIN, SYN, PSH, ACK = 1, 2, 8, 16
MSS, SACK, STAMPS, SCALE = b"\2\4\5\xb4", b"\4\2", b"\x08\x0a\0\0\0\1\0\0\0\0", b"\1\3\3\7"
HONEST_OPTIONS = MSS + SACK + STAMPS + SCALE
HELLO = b"hello, judge"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(source, flags, seq, ack, data=b"", options=b""):
    ports = (7000, 40000) if source == OURS else (40000, 7000)
    target = CLIENT if source == OURS else OURS
    length = 20 + len(options)
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, length // 4 << 4, flags, 65535, 0, 0) + options + data
    pseudo = source + target + struct.pack("!HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + source + target
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp


def conversation(options=HONEST_OPTIONS):
    """A handshake, a request, an answer and what acknowledges it; the second and the fifth are ours."""
    end = 1001 + len(HELLO)
    return [
        segment(CLIENT, SYN, 1000, 0, options=HONEST_OPTIONS),
        segment(OURS, SYN | ACK, 5000, 1001, options=options),
        segment(CLIENT, ACK, 1001, 5001),
        segment(CLIENT, PSH | ACK, 1001, 5001, HELLO),
        segment(OURS, PSH | ACK, 5001, end, HELLO),
        segment(CLIENT, ACK, end, 5001 + len(HELLO)),
    ]


def flipped(frame, at):
    return frame[:at] + bytes([frame[at] ^ 0x10]) + frame[at + 1:]


def with_answer(frame):
    frames = conversation()
    frames[4] = frame
    return frames


def pieces(*begins, end):
    """The client sends 1001 to 2000 and 2200 to 2300, then a hundred from each of begins; ours acknowledges end."""
    frames = conversation()[:3]
    frames.append(segment(CLIENT, ACK, 1001, 5001, b"." * 999))
    frames.append(segment(CLIENT, ACK, 2200, 5001, b"." * 100))
    frames += [segment(CLIENT, ACK, begin, 5001, b"." * 100) for begin in begins]
    return frames + [segment(OURS, ACK, 5001, end)]


def cases():
    honest = conversation()
    end = 1001 + len(HELLO)
    yield "an honest conversation", honest, [], 0, ""
    yield "a bad IP checksum", with_answer(flipped(honest[4], 24)), [], 1, "bad ip checksum"
    yield "a bad TCP checksum", with_answer(flipped(honest[4], 50)), [], 1, "bad tcp checksum"
    yield "a peer's bad checksum", honest[:5] + [flipped(honest[5], 50)], [], 0, ""
    yield "an ACK of what never came", with_answer(segment(OURS, PSH | ACK, 5001, end + 5000, HELLO)), [], 1, \
        "acknowledges what it never received"
    yield "a hole filled in pieces", pieces(2000, 2100, 2300, end=2400), [], 0, ""
    yield "a hole filled in part", pieces(2000, 2100, end=2400), [], 1, "acknowledges what it never received"
    yield "bytes left out", with_answer(segment(OURS, PSH | ACK, 9001, end, HELLO)), [], 1, \
        "skips bytes that it never sent"
    yield "other options' order", conversation(SACK + MSS + STAMPS + SCALE), [], 1, "options in another order"
    yield "an answer sent twice", honest[:5] + honest[4:], ["no-loss"], 1, "sent twice"
    yield "an answer sent twice under loss", honest[:5] + honest[4:], [], 0, ""
    yield "nothing of ours", [honest[0]], [], 2, "no packet of"


def judged(judge, frames, flags):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IIII", 1, number * 1000, len(frame), len(frame)) + frame)
        file.flush()
        run = subprocess.run([judge, file.name, "10.99.0.2"] + flags, stdout=subprocess.PIPE, text=True,
                             check=False)
    return run.returncode, run.stdout


def main():
    failed = 0
    for name, frames, flags, status, words in cases():
        got, text = judged(sys.argv[1], frames, flags)
        good = got == status and words in text
        failed += not good
        print("%s: %s" % ("ok" if good else "FAILED", name))
        if not good:
            print("expected %d and \"%s\", got %d:\n%s" % (status, words, got, text))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
