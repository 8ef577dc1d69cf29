#!/usr/bin/python3
"""What people use to talk to Redis talks to kv: redis-cli, redis-benchmark, python3-redis, and a program on hiredis.
    tests/kv/clients.py KV_PROGRAM HIREDIS_PROGRAM [WORD ...]       only the tests with one of these words in their names"""
import os
import subprocess
import sys
import threading
import time

import redis
import redis.cluster

import servers

HOST = servers.KV_ADDRESS


def cli(*arguments, port=6379, stdin=None):
    run = subprocess.run(["redis-cli", "-h", HOST, "-p", str(port)] + list(arguments), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, input=stdin, timeout=60, check=False)
    return run.stdout.decode(errors="replace").strip()


def benchmark(*arguments):
    """Runs redis-benchmark, which counts nothing that was not answered; its rates by test."""
    run = subprocess.run(["redis-benchmark", "-h", HOST, "--csv"] + list(arguments), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=120, check=False)
    text = run.stdout.decode(errors="replace")
    assert run.returncode == 0 and "rror" not in text, text
    rates = {}
    for line in text.splitlines():
        fields = [field.strip('"') for field in line.split('","')]
        if len(fields) > 2 and fields[0] != "test":
            rates[fields[0]] = float(fields[1])
    assert rates, text
    return rates


def equal(got, expected):
    assert got == expected, "got %r, expected %r" % (got, expected)


def redis_cli_speaks_to_it(kv, _):
    equal(cli("PING"), "PONG")
    equal(cli("-3", "HELLO").splitlines()[0].split()[0], "server")
    equal(cli("SET", "greeting", "hello, world"), "OK")
    equal(cli("GET", "greeting"), "hello, world")
    equal(cli("-n", "3", "GET", "greeting"), "")
    equal(cli("--scan", "--pattern", "gree*"), "greeting")
    equal(cli("-x", "SET", "stdin", stdin=b"from stdin"), "OK")
    equal(cli("GET", "stdin"), "from stdin")
    assert "keyspace" in cli("INFO").lower()
    assert "WRONG" not in cli("COMMAND", "DOCS", "get")
    assert "Biggest string" in cli("--bigkeys")


def redis_cli_loads_a_pipe_of_commands(kv, _):
    commands = b"".join(b"*3\r\n$3\r\nSET\r\n$9\r\npipe%05d\r\n$5\r\n%05d\r\n" % (i, i) for i in range(20000))
    said = cli("--pipe", stdin=commands)
    assert "errors: 0, replies: 20000" in said, said
    equal(cli("GET", "pipe12345"), "12345")


def redis_benchmark_is_answered(kv, _):
    rates = benchmark("-n", "20000", "-c", "50", "-t", "ping_inline,ping_mbulk,set,get,incr,mset", "-r", "1000")
    assert len(rates) >= 6, rates
    benchmark("-n", "50000", "-c", "50", "-P", "16", "-t", "set,get", "-r", "100000")
    benchmark("-n", "20000", "-c", "1000", "-t", "set,get", "-r", "1000")
    benchmark("-n", "1000", "-c", "20", "-d", "100000", "-t", "set,get", "-r", "50")


def python_redis_works(kv, _):
    client = redis.Redis(host=HOST, socket_timeout=20)
    client.flushall()
    assert client.set("key", b"\x00\xff binary", ex=100)
    equal(client.get("key"), b"\x00\xff binary")
    assert 95 <= client.ttl("key") <= 100
    equal(client.mget(["key", "none"]), [b"\x00\xff binary", None])
    equal(client.incrbyfloat("float", 0.5), 0.5)
    with client.pipeline(transaction=True) as pipe:
        for i in range(100):
            pipe.set("p%d" % i, i)
        for i in range(100):
            pipe.get("p%d" % i)
        equal(pipe.execute()[100:], [b"%d" % i for i in range(100)])
    equal(len(list(client.scan_iter("p*", count=7))), 100)
    assert client.info()["redis_version"]
    assert int(client.config_get("databases")["databases"]) == 16
    large = os.urandom(3 << 20)
    client.set("large", large)
    equal(client.get("large"), large)
    equal(client.getrange("large", 1000000, 1000009), large[1000000:1000010])


def optimistic_transactions_lose_no_increment(kv, _):
    """WATCH, GET, MULTI, SET, EXEC by several threads, on counters of different shards; a reader never sees half of one."""
    redis.Redis(host=HOST).mset({"left": 0, "right": 0})
    halves, done = [], threading.Event()

    def count():
        client = redis.Redis(host=HOST, socket_timeout=20)
        for _ in range(60):
            while True:
                with client.pipeline() as pipe:
                    try:
                        pipe.watch("left", "right")
                        left, right = int(pipe.get("left")), int(pipe.get("right"))
                        pipe.multi()
                        pipe.set("left", left + 1)
                        pipe.set("right", right + 1)
                        pipe.execute()
                        break
                    except redis.WatchError:
                        pass

    def look():
        client = redis.Redis(host=HOST, socket_timeout=20)
        while not done.is_set():
            with client.pipeline(transaction=True) as pipe:
                left, right = pipe.get("left").get("right").execute()
            if left != right:
                halves.append((left, right))

    threads = [threading.Thread(target=count) for _ in range(5)]
    reader = threading.Thread(target=look)
    for thread in threads + [reader]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    equal(halves, [])
    equal(redis.Redis(host=HOST).mget("left", "right"), [b"300", b"300"])


def messages_reach_subscribers_on_every_shard(kv, _):
    subscribers = [redis.Redis(host=HOST, socket_timeout=20).pubsub(ignore_subscribe_messages=False) for _ in range(20)]
    for i, subscriber in enumerate(subscribers):
        if i % 2:
            subscriber.subscribe("news")
        else:
            subscriber.psubscribe("ne*")
        assert subscriber.get_message(timeout=10)["type"] in ("subscribe", "psubscribe")
    client = redis.Redis(host=HOST, socket_timeout=20)
    for i in range(50):
        equal(client.publish("news", "number %d" % i), 20)
    for subscriber in subscribers:
        for i in range(50):
            equal(subscriber.get_message(timeout=10)["data"], b"number %d" % i)
        subscriber.close()


def hiredis_works(kv, program):
    run = subprocess.run([program, HOST, "6379"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert run.returncode == 0, run.stdout.decode(errors="replace")


def a_million_keys_expire(kv, _):
    client = redis.Redis(host=HOST, socket_timeout=60)
    client.flushall()
    for begin in range(0, 1000000, 5000):
        with client.pipeline(transaction=False) as pipe:
            for i in range(begin, begin + 5000):
                pipe.set("expiring:%07d" % i, "x" * 16, px=3000 + i % 2000)
            pipe.execute()
    deadline = time.monotonic() + 60
    while client.dbsize():
        assert time.monotonic() < deadline, "%d keys are left" % client.dbsize()
        time.sleep(0.1)
    assert client.info("stats")["expired_keys"] >= 1000000


def shards_are_nodes_to_cluster_clients(kv, _):
    assert "cluster_state:ok" in cli("CLUSTER", "INFO")
    for i in range(50):
        equal(cli("-c", "SET", "ck%d" % i, str(i)).splitlines()[-1], "OK")
        equal(cli("-c", "GET", "ck%d" % i).splitlines()[-1], str(i))
    assert any(cli("GET", "ck%d" % i).startswith("MOVED") for i in range(50))
    benchmark("--cluster", "-n", "30000", "-c", "50", "-t", "set,get", "-r", "10000")
    client = redis.cluster.RedisCluster(host=HOST, port=6379, socket_timeout=20)
    for i in range(200):
        assert client.set("py%d" % i, i)
    equal([client.get("py%d" % i) for i in range(200)], [b"%d" % i for i in range(200)])
    equal(client.mget_nonatomic(["py1", "py2", "py3"]), [b"1", b"2", b"3"])
    client.mset({"{tag}a": 1, "{tag}b": 2})
    equal(client.mget("{tag}a", "{tag}b"), [b"1", b"2"])


FORWARD = [redis_cli_speaks_to_it, redis_cli_loads_a_pipe_of_commands, redis_benchmark_is_answered, python_redis_works,
           optimistic_transactions_lose_no_increment, messages_reach_subscribers_on_every_shard, hiredis_works,
           a_million_keys_expire]
CLUSTER = [shards_are_nodes_to_cluster_clients]


def main():
    program, hiredis = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    words = sys.argv[3:]
    servers.enter_namespace()
    failures = 0
    for tests, options in ((FORWARD, []), (CLUSTER, ["--cluster", "yes"])):
        tests = [test for test in tests if not words or any(word in test.__name__ for word in words)]
        if not tests:
            continue
        with servers.Kv(program, options=options) as kv:
            for test in tests:
                error = ""
                try:
                    test(kv, hiredis)
                except Exception as problem:  # whatever goes wrong is this test's failure
                    error = "%s: %.2000s\n%s" % (type(problem).__name__, problem, kv.said()[-2000:])
                failures += servers.report(test.__name__, error)
            status = kv.stop()
            failures += servers.report("kv_ends_in_order_%s" % ("as_a_cluster" if options else "and_forwarding"),
                                       "exit status %d:\n%s" % (status, kv.said()[-3000:]) if status else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
