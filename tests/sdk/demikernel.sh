#!/bin/sh
# demikernel.sh DIR: runs the programs of tests/sdk/demikernel against the kernel on a tap, in a network namespace.
if [ -z "$DEMIKERNEL_INSIDE" ]; then
	DEMIKERNEL_INSIDE=1
	export DEMIKERNEL_INSIDE
	[ "$(id -u)" = 0 ] && exec unshare -n sh "$0" "$@"
	exec unshare -Urn sh "$0" "$@"
fi
programs=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
ip link set lo up

cat >"$dir/config.toml" <<END
[runtime]
name = "demikernel$$"
[[port]]
device = "net_tap0,iface=demikernel"
address = "10.98.0.2/24"
kernel_address = "10.98.0.1/24"
END
CONFIG_PATH=$dir/config.toml LIBOS=catnip timeout 50 python3 - "$programs" <<'END'
import socket, subprocess, sys, time

def start(program, *args):
    return subprocess.Popen([f"{sys.argv[1]}/demikernel_{program}", *args], stdout=subprocess.PIPE, text=True)

def exchange(sock, size):
    sock.settimeout(10)
    sent = bytes(i % 251 for i in range(size))
    sock.sendall(sent)
    got = b""
    while len(got) < size:
        part = sock.recv(65536)
        assert part, "closed too early"
        got += part
    assert got == sent, "wrong bytes"

# A server: three clients, and a FIN for the last although the server ends at once.
server = start("tcp_echo", "10.98.0.2", "7000", "3")
assert server.stdout.readline() == "listening\n"
for size in (1, 10000, 50000):
    with socket.create_connection(("10.98.0.2", 7000), timeout=10) as sock:
        exchange(sock, size)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b"", "no FIN"
assert server.wait(timeout=20) == 0, "tcp_echo failed"
print("tcp_echo: 3 connections")

# A datagram server.
server = start("udp_echo", "10.98.0.2", "7001", "20")
assert server.stdout.readline() == "listening\n"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(10)
    for i in range(20):
        sent = bytes([i]) * (1 + 70 * i)
        sock.sendto(sent, ("10.98.0.2", 7001))
        assert sock.recvfrom(2000) == (sent, ("10.98.0.2", 7001)), "wrong datagram"
assert server.wait(timeout=20) == 0, "udp_echo failed"
print("udp_echo: 20 datagrams")

# A client; the port of the kernel's side comes with the client, so the server listens everywhere.
with socket.socket() as listener:
    listener.bind(("0.0.0.0", 7002))
    listener.listen()
    listener.settimeout(10)
    client = start("tcp_client", "10.98.0.1", "7002", "3000", "10")
    sock, peer = listener.accept()
    assert peer[0] == "10.98.0.2", peer
    sock.settimeout(10)
    total = 0
    while part := sock.recv(65536):
        total += len(part)
        sock.sendall(part)
    sock.close()
    assert total == 30000, total
    assert client.wait(timeout=20) == 0, "tcp_client failed"
print("tcp_client: 10 rounds, and a FIN")
END
