/*
 * The kernel's own echo, for comparison: one thread, epoll, level-triggered, non-blocking sockets,
 * TCP_NODELAY. What a write leaves over is kept, and that connection is not read until it is gone.
 *
 *      epoll_echo ADDRESS PORT
 *
 * Ends with 0 on SIGINT or SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT_MAX = 256, CHUNK_LEN = 65536 };

struct conn {
	int fd;
	uint32_t left_off, left_len; /* what the last write left over */
	char *left;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void drop_conn(struct conn *conn)
{
	close(conn->fd);
	free(conn->left);
	free(conn);
}

static void want(int epoll, struct conn *conn, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = conn};

	epoll_ctl(epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

/* Writes what it can; keeps a copy of the rest. False: the connection is dead. */
static int echo(int epoll, struct conn *conn, const char *data, uint32_t len)
{
	ssize_t n = write(conn->fd, data, len);

	if (n < 0 && errno != EAGAIN)
		return 0;
	if (n < 0)
		n = 0;
	if ((uint32_t)n == len)
		return 1;
	conn->left_len = len - (uint32_t)n;
	conn->left_off = 0;
	conn->left = malloc(conn->left_len);
	if (!conn->left)
		return 0;
	memcpy(conn->left, data + n, conn->left_len);
	want(epoll, conn, EPOLLOUT);
	return 1;
}

static int flush(int epoll, struct conn *conn)
{
	ssize_t n = write(conn->fd, conn->left + conn->left_off, conn->left_len - conn->left_off);

	if (n < 0)
		return errno == EAGAIN;
	conn->left_off += (uint32_t)n;
	if (conn->left_off < conn->left_len)
		return 1;
	free(conn->left);
	conn->left = NULL;
	want(epoll, conn, EPOLLIN);
	return 1;
}

static void serve(int epoll, struct conn *conn)
{
	static char chunk[CHUNK_LEN];
	ssize_t n;
	int alive;

	if (conn->left) {
		alive = flush(epoll, conn);
	} else {
		n = read(conn->fd, chunk, sizeof(chunk));
		if (n > 0)
			alive = echo(epoll, conn, chunk, (uint32_t)n);
		else
			alive = n < 0 && errno == EAGAIN;
	}
	if (!alive)
		drop_conn(conn);
}

static void accept_all(int epoll, int listener)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct conn *conn;
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		conn = calloc(1, sizeof(*conn));
		if (!conn) {
			close(fd);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		conn->fd = fd;
		event.data.ptr = conn;
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static int listen_on(const char *address, const char *port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &local.sin_addr) != 1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)) || listen(fd, 4096))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct sigaction action = {.sa_handler = on_signal};
	struct epoll_event events[EVENT_MAX], event = {.events = EPOLLIN};
	int epoll, listener, n;

	if (argc != 3) {
		fprintf(stderr, "usage: epoll_echo ADDRESS PORT\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	listener = listen_on(argv[1], argv[2]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) {
		perror("epoll_echo");
		return 1;
	}
	printf("epoll_echo: listening on %s:%s\n", argv[1], argv[2]);
	fflush(stdout);
	while (!stop) {
		n = epoll_wait(epoll, events, EVENT_MAX, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				serve(epoll, events[i].data.ptr);
			else
				accept_all(epoll, listener);
		}
	}
	return 0;
}
