"""Starts what is compared: kv on a tap of a network namespace of its own, and Debian's redis-server on its loopback."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

KV_ADDRESS = "10.99.0.2"
REDIS_ADDRESS = "127.0.0.1"


def enter_namespace():
    """Runs this program again in a network namespace of its own, as root of a user namespace if need be."""
    if os.environ.get("CLOWDER_INSIDE") == str(os.getppid()) or os.environ.get("CLOWDER_INSIDE") == str(os.getpid()):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["CLOWDER_INSIDE"] = str(os.getpid())  # unshare replaces this process
    how = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    os.execvp("unshare", how + [sys.executable] + sys.argv)


class Server:
    def __init__(self, name):
        self.name, self.directory = name, tempfile.mkdtemp(prefix="clowder-kv-")
        self.log = os.path.join(self.directory, "log")
        self.process = None

    def launch(self, command, **options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory, **options)

    def said(self):
        with open(self.log, "rb") as log:
            return log.read().decode(errors="replace")

    def wait_until(self, ready, what):
        deadline = time.monotonic() + 60
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("%s: not %s:\n%s" % (self.name, what, self.said()))
            time.sleep(0.05)

    def stop(self):
        """Ends it in order; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -signal.SIGKILL

    def kill(self):
        self.process.kill()
        self.process.wait()

    def forget(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()
        self.forget()


class Kv(Server):
    def __init__(self, program, shards=2, options=(), port=6379, start=True):
        super().__init__("kv")
        self.program, self.shards, self.options, self.port = program, shards, list(options), port
        self.address = (KV_ADDRESS, port)
        if start:
            self.start()

    def start(self):
        config = os.path.join(self.directory, "config.toml")
        with open(config, "w", encoding="ascii") as file:
            file.write('[runtime]\nshards = %d\nname = "kv%d"\n[[port]]\ndevice = "net_tap0,iface=clowder0"\n'
                       'address = "%s/24"\nkernel_address = "10.99.0.1/24"\n' %
                       (self.shards, os.getpid(), KV_ADDRESS))
        begun = len(self.said()) if os.path.exists(self.log) else 0
        self.launch([self.program, "--config", config, "--port", str(self.port)] + self.options)
        self.wait_until(lambda: "kv: ready" in self.said()[begun:], "ready")


class Redis(Server):
    """The program of Debian's redis-server is that of redis-check-rdb, in redis-tools, by another name: so no package
    has to be installed that would start a server of its own."""

    def __init__(self, options=(), port=6379):
        super().__init__("redis-server")
        self.address = (REDIS_ADDRESS, port)
        self.launch(["redis-server", "--port", str(port), "--save", "", "--daemonize", "no", "--enable-debug-command",
                     "yes", "--bind", "127.0.0.1", "--dir", self.directory] + list(options),
                    executable=shutil.which("redis-check-rdb"))
        self.wait_until(self.answers, "answering")

    def answers(self):
        try:
            socket.create_connection(self.address, 1).close()
            return True
        except OSError:
            return False


def report(name, error):
    """In cmocka's form, so that ci/test counts it."""
    if error:
        print("%s\n[  FAILED  ] %s" % (error, name), flush=True)
    else:
        print("[       OK ] %s" % name, flush=True)
    return bool(error)
