#include "peer.h"

#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	GIVE_UP_MS = 20000,
	STALL_MS = 500, /* without room for so long, the other side has stopped taking */
	CHUNK_LEN = 16384,
	ODD_LEN = 1001, /* so that segments are made of parts of odd length */
	PORT = 7000,
};

static struct sockaddr_in server(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, PEER_ADDRESS, &address.sin_addr);
	return address;
}

static int open_socket(int type, int rcvbuf_len)
{
	struct timeval give_up = {.tv_sec = GIVE_UP_MS / 1000};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &give_up, sizeof(give_up));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &give_up, sizeof(give_up));
	if (rcvbuf_len)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf_len, sizeof(rcvbuf_len));
	return fd;
}

int peer_connect_error(uint16_t port)
{
	struct sockaddr_in address = server(port);
	int fd = open_socket(SOCK_STREAM, 0), error = 0;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno;
	close(fd);
	return error;
}

int peer_connect(int rcvbuf_len, int *shard)
{
	struct sockaddr_in address = server(PORT);
	int fd = open_socket(SOCK_STREAM, rcvbuf_len), number;
	char line[64] = "";
	size_t len = 0;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail_msg("connect: %s", strerror(errno));
	while (!strchr(line, '\n')) {
		assert_true(len < sizeof(line) - 1);
		assert_int_equal(recv(fd, line + len, 1, 0), 1);
		len++;
	}
	assert_int_equal(sscanf(line, "shard %d of", &number), 1);
	if (shard)
		*shard = number;
	return fd;
}

int peer_udp(void)
{
	struct sockaddr_in address = server(PORT);
	int fd = open_socket(SOCK_DGRAM, 4 << 20);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

uint8_t pattern(uint64_t offset)
{
	return (uint8_t)((offset * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static size_t send_some(int fd, size_t offset, size_t max)
{
	uint8_t chunk[CHUNK_LEN];
	size_t len = max < CHUNK_LEN ? max : CHUNK_LEN;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		chunk[i] = pattern(offset + i);
	n = send(fd, chunk, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		fail_msg("send after %zu bytes: %s", offset, strerror(errno));
	return n < 0 ? 0 : (size_t)n;
}

static size_t receive_some(int fd, size_t offset, size_t max)
{
	uint8_t chunk[CHUNK_LEN];
	ssize_t n = recv(fd, chunk, max < CHUNK_LEN ? max : CHUNK_LEN, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		fail_msg("recv after %zu bytes: %s", offset, n ? strerror(errno) : "FIN");
	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] != pattern(offset + (size_t)i))
			fail_msg("byte %zu is not what was sent", offset + (size_t)i);
	}
	return (size_t)n;
}

static void wait_for(int fd, short events, size_t sent, size_t received)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	if (poll(&pfd, 1, GIVE_UP_MS) != 1)
		fail_msg("nothing happens after %zu bytes sent and %zu received", sent, received);
}

void peer_exchange(int fd, size_t len)
{
	size_t sent = 0, received = 0;

	while (received < len) {
		wait_for(fd, sent < len ? POLLIN | POLLOUT : POLLIN, sent, received);
		if (sent < len)
			sent += send_some(fd, sent, len - sent);
		received += receive_some(fd, received, len - received);
	}
}

size_t peer_stuff(int fd, size_t max)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	size_t sent = 0;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (sent < max && poll(&pfd, 1, STALL_MS) == 1) {
		size_t left = max - sent;

		sent += send_some(fd, sent, left < ODD_LEN ? left : ODD_LEN);
	}
	return sent;
}

void peer_receive(int fd, size_t len)
{
	size_t received = 0;

	while (received < len) {
		wait_for(fd, POLLIN, len, received);
		received += receive_some(fd, received, len - received);
	}
}

void peer_expect_fin(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n != 0)
		fail_msg("instead of a FIN: %s", n < 0 ? strerror(errno) : "a byte");
}
