"""Random streams of commands, each from one seed: what people send, what they send wrongly, and the edges between."""
import random
import time

EXACT, SORTED, CLOSE, KIND, COMPACT = "exact", "sorted", "close", "kind", "compact"

INTEGERS = [b"0", b"1", b"-1", b"2", b"7", b"10", b"100", b"-100", b"9223372036854775807", b"-9223372036854775808",
            b"9223372036854775806", b"9223372036854775808", b"-9223372036854775809", b"4294967296", b"536870912"]
NOT_INTEGERS = [b"", b" 1", b"1 ", b"+1", b"01", b"-0", b"1.5", b"abc", b"0x10", b"1e3", b"--1", b"\xff",
                b"99999999999999999999999"]
FLOATS = [b"0", b"1.5", b"-1.5", b"3.0e3", b"1e-3", b"0.1", b"10.5", b"5.0e3", b"1e17", b"-0.0001", b"3.14159265358979",
          b"nan", b"inf", b"-inf", b"abc", b"", b" 1", b"0x1p3", b"1.7e308", b"1e4932", b"123456789.123456789"]


class Step:
    """One command on one connection, how its replies are compared, and what to wait afterwards."""
    __slots__ = ("command", "how", "sleep_ms")

    def __init__(self, command, how=EXACT, sleep_ms=0):
        self.command, self.how, self.sleep_ms = command, how, sleep_ms


class Stream:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.far = iter(self.random.sample(range(2, 90000), 80000))
        names = [b"a", b"b", b"c", b"key:1", b"key:2", b"{t}1", b"{t}2", b"{t}3", b"x{t}y", b"", b"\x00\xff\r\n", b"{}", b"{}z",
                 b"with space", b"k" * 300, b"counter", b"float", b"bits", b"lcs1", b"lcs2"]
        self.names = names + [b"n%d" % i for i in range(20)]
        self.multi = False
        self.table = [
            (12, self.get), (16, self.set), (3, self.getex), (4, self.one_key), (4, self.mget), (4, self.mset), (8, self.count),
            (5, self.edit), (4, self.range), (5, self.bits), (2, self.lcs), (5, self.delete), (8, self.expire), (6, self.ttl),
            (2, self.rename), (2, self.copy), (3, self.object), (2, self.scan_all), (1, self.many), (4, self.select),
            (2, self.talk), (3, self.transaction), (1, self.nonsense), (1, self.clear), (2, self.server)]
        self.weights = [weight for weight, _ in self.table]

    # --- what commands are made of ---

    def key(self):
        return self.random.choice(self.names)

    def keys(self, most=5):
        return [self.key() for _ in range(self.random.randint(1, most))]

    def integer(self):
        roll = self.random.random()
        if roll < 0.5:
            return b"%d" % self.random.randint(-20, 1000)
        return self.random.choice(INTEGERS if roll < 0.9 else NOT_INTEGERS)

    def small(self):
        roll = self.random.random()
        if roll < 0.9:
            return b"%d" % self.random.randint(-12, 40)
        return self.random.choice(NOT_INTEGERS + [b"9223372036854775807", b"-9223372036854775808"])

    def value(self):
        roll = self.random.random()
        if roll < 0.25:
            return self.integer()
        if roll < 0.35:
            return self.random.choice(FLOATS)
        if roll < 0.4:
            return b""
        if roll < 0.44:
            return self.random.randbytes(self.random.choice([4095, 4096, 4097, 32767, 32768, 70000]))
        if roll < 0.5:
            return b"v" * self.random.choice([43, 44, 45, 46, 127, 128])
        return self.random.randbytes(self.random.randint(1, 60))

    def word(self, *words):
        """A word, now and then in another case."""
        word = self.random.choice(words)
        if self.random.random() < 0.2:
            word = bytes(c ^ 32 if chr(c).isalpha() and self.random.random() < 0.5 else c for c in word)
        return word

    def distance(self):
        """Seconds ahead that no other expiry of this stream has, and that no time a run takes makes equal to another's."""
        return next(self.far) * 1000

    def expiry(self, seconds, absolute):
        roll = self.random.random()
        unit = 1 if seconds else 1000
        if roll < 0.12:
            return self.random.choice([b"0", b"-1", b"abc", b"", b"9223372036854775807", b"-9223372036854775808",
                                       b"9223372036854770", b"1.5"])
        if absolute:
            now = int(time.time())
            ahead = self.distance() if roll < 0.8 else -self.random.randint(1, 100000)
            return b"%d" % ((now + ahead) * unit)
        if roll < 0.85:
            return b"%d" % (self.distance() * unit)
        return b"%d" % (-self.random.randint(1, 1000) * unit)

    # --- commands ---

    def get(self):
        return [Step([self.word(b"GET", b"STRLEN", b"GETDEL"), self.key()])]

    def set(self):
        command = [self.word(b"SET"), self.key(), self.value()]
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2, 3])):
            option = self.word(b"NX", b"XX", b"GET", b"KEEPTTL", b"EX", b"PX", b"EXAT", b"PXAT")
            command.append(option)
            kind = option.upper()
            if kind in (b"EX", b"PX", b"EXAT", b"PXAT") and self.random.random() < 0.97:
                command.append(self.expiry(kind in (b"EX", b"EXAT"), kind.endswith(b"AT")))
        if self.random.random() < 0.15:
            return self.soon([b"SET", command[1], command[2], b"PX"])
        roll = self.random.random()
        if roll < 0.1:
            command = [self.word(b"SETEX"), command[1], self.expiry(True, False), command[2]]
        elif roll < 0.2:
            command = [self.word(b"PSETEX"), command[1], self.expiry(False, False), command[2]]
        elif roll < 0.3:
            command = [self.word(b"SETNX", b"GETSET"), command[1], command[2]]
        # Redis keeps what is set with an expiry that has passed until somebody looks at it.
        return [Step(command), Step([b"EXISTS", command[1]])] if len(command) > 4 else [Step(command)]

    def soon(self, command):
        """Expires in an instant, and is looked at when it has: both sides must have noticed then."""
        if self.multi:
            return [Step(command + [b"60000"])]
        key = command[1]
        return [Step(command + [b"%d" % self.random.randint(1, 6)], sleep_ms=12), Step([b"EXISTS", key])]

    def getex(self):
        command = [self.word(b"GETEX"), self.key()]
        option = self.word(b"EX", b"PX", b"EXAT", b"PXAT", b"PERSIST", b"NX", b"")
        if option:
            command.append(option)
        kind = option.upper()
        if kind in (b"EX", b"PX", b"EXAT", b"PXAT"):
            command.append(self.expiry(kind in (b"EX", b"EXAT"), kind.endswith(b"AT")))
        return [Step(command)]

    def one_key(self):
        return [Step([self.word(b"TYPE", b"EXISTS", b"PERSIST", b"TOUCH", b"STRLEN"), self.key()])]

    def mget(self):
        return [Step([self.word(b"MGET", b"EXISTS", b"TOUCH")] + self.keys(8))]

    def mset(self):
        command = [self.word(b"MSET", b"MSETNX")]
        for key in self.keys():
            command += [key, self.value()]
        if self.random.random() < 0.05:
            command.pop()
        return [Step(command)]

    def count(self):
        roll = self.random.random()
        key = self.random.choice([self.key(), b"counter", b"float"])
        if roll < 0.3:
            return [Step([self.word(b"INCR", b"DECR"), key])]
        if roll < 0.7:
            return [Step([self.word(b"INCRBY", b"DECRBY"), key, self.integer()])]
        return [Step([self.word(b"INCRBYFLOAT"), key, self.random.choice(FLOATS + INTEGERS)])]

    def edit(self):
        if self.random.random() < 0.5:
            return [Step([self.word(b"APPEND"), self.key(), self.value()])]
        offset = self.random.choice([b"%d" % self.random.randint(0, 100), b"5000", b"-1", b"abc", b"536870911", b"536870912",
                                     b"9223372036854775807"])
        value = self.value()
        if offset == b"536870911":
            value = b"xx"
        return [Step([self.word(b"SETRANGE"), self.key(), offset, value])]

    def range(self):
        return [Step([self.word(b"GETRANGE", b"SUBSTR"), self.key(), self.small(), self.small()])]

    def bits(self):
        key = self.random.choice([self.key(), b"bits"])
        roll = self.random.random()
        if roll < 0.4:
            offset = self.random.choice([b"%d" % self.random.randint(0, 2000), b"-1", b"4294967296", b"x", b"40000"])
            return [Step([self.word(b"SETBIT"), key, offset, self.random.choice([b"0", b"1", b"1", b"2", b"-1", b"x"])])]
        if roll < 0.6:
            return [Step([self.word(b"GETBIT"), key, self.random.choice([b"%d" % self.random.randint(0, 2000), b"-1",
                                                                         b"4294967295", b"4294967296", b"x"])])]
        command = [self.word(b"BITCOUNT"), key]
        if roll < 0.9:
            command += [self.small(), self.small()]
            if self.random.random() < 0.5:
                command.append(self.word(b"BIT", b"BYTE", b"BITE"))
        elif roll < 0.93:
            command.append(self.small())
        return [Step(command)]

    def lcs(self):
        steps = []
        if self.random.random() < 0.5:
            for key in (b"lcs1", b"lcs2"):
                text = bytes(self.random.choice(b"abcd") for _ in range(self.random.randint(0, 60)))
                steps.append(Step([b"SET", key, text]))
        command = [self.word(b"LCS"), self.random.choice([b"lcs1", self.key()]), self.random.choice([b"lcs2", self.key()])]
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            option = self.word(b"LEN", b"IDX", b"MINMATCHLEN", b"WITHMATCHLEN", b"XYZ")
            command.append(option)
            if option.upper() == b"MINMATCHLEN":
                command.append(self.small())
        if sum(len(value) for value in command) > 2000:
            return steps
        return steps + [Step(command)]

    def delete(self):
        return [Step([self.word(b"DEL", b"UNLINK")] + self.keys(3))]

    def expire(self):
        name = self.word(b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT")
        kind = name.upper()
        if self.random.random() < 0.1:
            return self.soon([b"PEXPIRE", self.key()])
        command = [name, self.key(), self.expiry(not kind.startswith(b"P"), kind.endswith(b"AT"))]
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            command.append(self.word(b"NX", b"XX", b"GT", b"LT", b"QQ"))
        return [Step(command)]

    def ttl(self):
        return [Step([self.word(b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"), self.key()], CLOSE)]

    def rename(self):
        return [Step([self.word(b"RENAME", b"RENAMENX"), self.key(), self.key()])]

    def copy(self):
        command = [self.word(b"COPY"), self.key(), self.key()]
        if self.random.random() < 0.4:
            command += [self.word(b"DB"), self.random.choice([b"0", b"1", b"2", b"15", b"16", b"-1", b"x"])]
        if self.random.random() < 0.4:
            command.append(self.word(b"REPLACE"))
        if self.random.random() < 0.3:
            command = [self.word(b"MOVE"), command[1], self.random.choice([b"0", b"1", b"2", b"16", b"-1", b"x"])]
        return [Step(command)]

    def object(self):
        name = self.word(b"ENCODING", b"ENCODING", b"ENCODING", b"REFCOUNT", b"IDLETIME", b"FREQ", b"NONE")
        how = {b"IDLETIME": KIND, b"REFCOUNT": KIND, b"ENCODING": COMPACT}.get(name.upper(), EXACT)
        return [Step([self.word(b"OBJECT"), name, self.key()], how)]

    def scan_all(self):
        pattern = self.random.choice([b"*", b"n*", b"n1?", b"[a-c]", b"[^a]*", b"k*", b"\\{t\\}*", b"n[1-3]", b"nothing", b"", b"*\xff*"])
        if self.multi or self.random.random() < 0.5:
            return [Step([self.word(b"KEYS"), pattern], SORTED)]
        options = [b"MATCH", pattern] if self.random.random() < 0.5 else []
        if self.random.random() < 0.5:
            options += [b"COUNT", self.random.choice([b"1", b"3", b"10", b"1000", b"0", b"-1", b"x"])]
        if self.random.random() < 0.3:
            options += [b"TYPE", self.random.choice([b"string", b"list", b"STRING"])]
        return [Step([b"SCAN", b"whole"] + options, SORTED)]

    def many(self):
        return [Step([self.word(b"DBSIZE")]), Step([self.word(b"RANDOMKEY")], KIND),
                Step([self.word(b"SCAN"), self.random.choice([b"x", b"1.5", b"0x1"])])]

    def select(self):
        roll = self.random.random()
        if roll < 0.9:
            return [Step([self.word(b"SELECT"), b"%d" % self.random.choice([0, 0, 0, 1, 1, 2, 15])])]
        return [Step([self.word(b"SELECT"), self.random.choice([b"16", b"-1", b"x", b""])])]

    def talk(self):
        return [Step(self.random.choice([
            [b"PING"], [b"PING", self.value()], [b"PING", b"a", b"b"], [b"ECHO", self.value()], [b"ECHO"], [b"CLIENT", b"GETNAME"],
            [b"CLIENT", b"SETNAME", b"me"], [b"CLIENT", b"SETNAME", b"with space"], [b"CLIENT", b"SETNAME", b""],
            [b"CLIENT", b"REPLY", b"ON"], [b"CLIENT", b"REPLY", b"PERHAPS"], [b"CLIENT", b"NO-EVICT", b"on"],
            [b"CLIENT", b"NO-EVICT", b"x"], [b"CLIENT", b"NOTHING"], [b"CLIENT"], [b"CLIENT", b"UNPAUSE"], [b"AUTH", b"x"],
            [b"AUTH", b"default", b"x"], [b"AUTH", b"nobody", b"x"], [b"AUTH"], [b"HELLO", b"4"], [b"HELLO", b"x"], [b"READONLY"],
            [b"READWRITE"], [b"ASKING"], [b"UNWATCH"], [b"DISCARD"], [b"EXEC"], [b"CLUSTER", b"INFO"], [b"WAIT", b"0", b"10"],
        ]))]

    def server(self):
        command = self.random.choice([
            [b"COMMAND", b"COUNT", b"x"], [b"COMMAND", b"NOTHING"], [b"COMMAND", b"INFO", b"nothing"],
            [b"COMMAND", b"INFO", b"get"], [b"COMMAND", b"GETKEYS", b"MSET", b"a", b"1", b"b", b"2"],
            [b"COMMAND", b"GETKEYS", b"GET", b"k"], [b"COMMAND", b"GETKEYS", b"PING"], [b"COMMAND", b"GETKEYS", b"nothing", b"1"],
            [b"CONFIG", b"GET"], [b"CONFIG", b"NOTHING"], [b"CONFIG", b"GET", b"nothing-like-it"],
            [b"CONFIG", b"SET", b"nothing-like-it", b"1"], [b"CONFIG", b"SET", b"maxmemory", b"abc"],
            [b"CONFIG", b"GET", b"maxmemory-policy"], [b"CONFIG", b"GET", b"databases"], [b"CONFIG", b"SET", b"databases", b"2"],
            [b"TIME", b"x"], [b"DEBUG"], [b"DEBUG", b"NOTHING"], [b"MEMORY"], [b"MEMORY", b"NOTHING"],
            [b"MEMORY", b"USAGE"], [b"MEMORY", b"USAGE", b"no such key"], [b"MEMORY", b"USAGE", b"a", b"SAMPLES", b"x"],
            [b"FUNCTION", b"FLUSH"], [b"SLOWLOG", b"RESET"], [b"SLOWLOG", b"GET", b"-2"], [b"SLOWLOG"], [b"SLOWLOG", b"X"],
            [b"LATENCY", b"RESET"], [b"LATENCY", b"LATEST"], [b"LATENCY", b"HISTORY", b"nothing"], [b"LATENCY", b"X"],
            [b"SWAPDB", b"0", b"1"], [b"SWAPDB", b"0", b"16"], [b"SWAPDB", b"x", b"1"], [b"SWAPDB", b"1", b"1"],
            [b"OBJECT"], [b"OBJECT", b"ENCODING"], [b"OBJECT", b"NOTHING", b"a"], [b"PUBLISH", b"ch", b"hello"],
            [b"PUBSUB", b"CHANNELS"], [b"PUBSUB", b"NUMSUB", b"a", b"b"], [b"PUBSUB", b"NUMPAT"], [b"PUBSUB", b"X"], [b"LASTSAVE", b"x"],
        ])
        return [Step(command, KIND if command[0] in (b"TIME", b"LASTSAVE") or command[1:] == [b"INFO", b"get"] else EXACT)]

    def clear(self):
        return [Step(self.random.choice([[b"FLUSHDB"], [b"FLUSHALL", b"ASYNC"], [b"FLUSHDB", b"SYNC"], [b"FLUSHALL", b"X"],
                                         [b"FLUSHDB", b"SYNC", b"ASYNC"]]))]

    def nonsense(self):
        command = self.random.choice([
            [b"NOSUCH"], [b"NOSUCH", b"a", b"b"], [b"nosuch", b"\xff\r\n", b"'"], [b""], [b"GET" * 60, b"x" * 200],
            [b"NOSUCH"] + [b"arg%d" % i for i in range(40)], [b"GET\x00", b"a"], [b"get", b"a", b"b"], [b"SUBSCRIBE"]])
        return [Step(command)]

    def transaction(self):
        if self.multi:
            return [Step([self.word(b"MULTI", b"WATCH", b"WATCH"), self.key()])]
        steps = []
        if self.random.random() < 0.4:
            steps.append(Step([self.word(b"WATCH")] + self.keys(3)))
            if self.random.random() < 0.3:
                steps += self.any()
        steps.append(Step([self.word(b"MULTI")]))
        self.multi, inside = True, []
        for _ in range(self.random.randint(0, 6)):
            inside += self.any()
        self.multi = False
        return steps + inside + [Step([self.word(b"EXEC", b"EXEC", b"EXEC", b"EXEC", b"DISCARD")])]

    # --- a stream ---

    def any(self):
        steps = self.random.choices(self.table, self.weights)[0][1]()
        hurried = any(step.sleep_ms for step in steps)
        for step in steps:
            if not hurried and self.random.random() < 0.01 and step.command[0].upper() not in (b"EXEC", b"DISCARD", b"MULTI", b"SCAN", b"SET", b"SUBSCRIBE", b"COMMAND", b"HELLO"):
                if len(step.command) > 1 and self.random.random() < 0.5:
                    step.command.pop()
                else:
                    step.command.append(self.value())
        return steps

    def batch(self, count):
        steps = []
        while len(steps) < count:
            steps += self.any()
        return steps
