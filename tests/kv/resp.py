"""A client of the Redis protocol that hides nothing: replies keep their type, and requests may be any bytes."""
import socket


class Reply:
    """One reply: its type's first byte, and a value: bytes, an int, None or a list of replies."""
    __slots__ = ("kind", "value")

    def __init__(self, kind, value):
        self.kind, self.value = kind, value

    def __eq__(self, other):
        return self.kind == other.kind and self.value == other.value

    def __hash__(self):
        return hash((self.kind, str(self.value)))

    def __repr__(self):
        return "%s%r" % (self.kind, self.value)

    def is_error(self):
        return self.kind in "-!"


class Connection:
    def __init__(self, address, timeout=20):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 1 << 16)

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *commands):
        self.socket.sendall(b"".join(encode(command) for command in commands))

    def send_raw(self, data):
        self.socket.sendall(data)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("the server closed the connection")
        return line[:-2]

    def receive(self):
        line = self.line()
        kind, rest = chr(line[0]), line[1:]
        if kind in "+-,(#_":
            return Reply(kind, rest)
        if kind == ":":
            return Reply(kind, int(rest))
        if kind in "$=!":
            if rest == b"-1":
                return Reply(kind, None)
            data = self.file.read(int(rest) + 2)
            if data[-2:] != b"\r\n" or len(data) != int(rest) + 2:
                raise EOFError("a bulk string without its end")
            return Reply(kind, data[:-2])
        if kind in "*~>%|":
            if rest == b"-1":
                return Reply(kind, None)
            count = int(rest) * (2 if kind in "%|" else 1)
            return Reply(kind, [self.receive() for _ in range(count)])
        raise ValueError("not a reply: %r" % line)

    def call(self, *command):
        self.send(command)
        return self.receive()


def to_bytes(item):
    if isinstance(item, bytes):
        return item
    return str(item).encode()


def encode(command):
    parts = [b"*%d\r\n" % len(command)]
    for item in command:
        item = to_bytes(item)
        parts.append(b"$%d\r\n%s\r\n" % (len(item), item))
    return b"".join(parts)
