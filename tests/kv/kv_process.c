#include "kv_process.h"

#include "../kernel/cmocka_all.h"
#include "../kernel/netns.h"
#include "../kernel/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	START_SECONDS = 60,
	END_SECONDS = 30,
	WAIT_MS = 30000,
	SILENCE_MS = 150,
	STUFFED_MS = 700, /* so long nothing is taken: it is full */
	OPTION_MAX = 24,
	TEXT_MAX = 8192,
};

static struct program program;
static char config[] = "/tmp/clowder-kv-XXXXXX";

/* --- kv --- */

static void remove_config(void)
{
	unlink(config);
}

void kv_home(void)
{
	int fd = mkstemp(config);

	assert_true(fd >= 0);
	close(fd);
	atexit(remove_config);
	netns_leave_home();
}

static void launch(unsigned shard_count, const char *const *options)
{
	const char *argv[OPTION_MAX + 4] = {KV_PROGRAM};
	FILE *file = fopen(config, "w");
	int argc = 1;

	assert_non_null(file);
	fprintf(file,
		"[runtime]\nshards = %u\nname = \"kv%d\"\n[[port]]\n"
		"device = \"net_tap0,iface=clowder0\"\naddress = \"" KV_ADDRESS "/24\"\n"
		"kernel_address = \"10.99.0.1/24\"\n",
		shard_count, (int)getpid());
	fclose(file);
	for (int i = 0; options && options[i]; i++) {
		assert_true(i < OPTION_MAX);
		argv[argc++] = options[i];
	}
	argv[argc++] = "--config";
	argv[argc] = config;
	program_start(&program, netns_current(), argv);
}

void kv_start(unsigned shard_count, const char *const *options)
{
	launch(shard_count, options);
	program_expect(&program, "kv: ready", START_SECONDS);
}

void kv_stop(void)
{
	program_signal(&program, SIGTERM);
	kv_ended();
}

void kv_ended(void)
{
	int status = program_wait(&program, END_SECONDS);

	if (status) {
		program_show(&program);
		fail_msg("kv ended with %d", status);
	}
	program_expect(&program, "kv: ended in order", 1);
	program_clear(&program);
}

int kv_stop_unheard(void)
{
	const int empty = open("/dev/null", O_RDONLY);
	int status;

	assert_int_equal(dup2(empty, program.out), program.out);
	close(empty);
	program_signal(&program, SIGTERM);
	status = program_wait(&program, END_SECONDS);
	program_clear(&program);
	return status;
}

void kv_kill(void)
{
	program_clear(&program);
}

int kv_fails(const char *const *options, const char *text)
{
	int status;

	launch(1, options);
	status = program_wait(&program, START_SECONDS);
	program_expect(&program, text, 1);
	program_clear(&program);
	return status;
}

void kv_signal(int number)
{
	program_signal(&program, number);
}

size_t kv_resident(void)
{
	char path[64];
	unsigned long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)program.pid);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- clients --- */

static int open_at(unsigned port, int rcvbuf_len)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	inet_pton(AF_INET, KV_ADDRESS, &server.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (rcvbuf_len)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf_len, sizeof(rcvbuf_len));
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		fail_msg("connect: %s", strerror(errno));
	return fd;
}

int client_open(void)
{
	return open_at(KV_PORT, 0);
}

int client_open_port(unsigned port)
{
	return open_at(port, 0);
}

int client_open_small(int rcvbuf_len)
{
	return open_at(KV_PORT, rcvbuf_len);
}

void client_send(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			fail_msg("send: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
}

/* Lines end as they do on the wire; returns the length. */
static size_t with_returns(const char *text, char to[TEXT_MAX])
{
	size_t len = 0;

	for (; *text; text++) {
		assert_true(len + 2 < TEXT_MAX);
		if (*text == '\n')
			to[len++] = '\r';
		to[len++] = *text;
	}
	to[len] = 0;
	return len;
}

void client_say(int fd, const char *text)
{
	char wire[TEXT_MAX];

	client_send(fd, wire, with_returns(text, wire));
}

void client_expect_bytes(int fd, const void *data, size_t len)
{
	const char *expected = data;
	char got[65536];
	size_t part;
	ssize_t n;

	while (len > 0) {
		part = len < sizeof(got) ? len : sizeof(got);
		n = recv(fd, got, part, 0);
		if (n <= 0)
			fail_msg("%s, not \"%.*s\"", n ? strerror(errno) : "the end", (int)part,
				 expected);
		if (memcmp(got, expected, (size_t)n) != 0)
			fail_msg("\"%.*s\", not \"%.*s\"", (int)n, got, (int)n, expected);
		expected += n;
		len -= (size_t)n;
	}
}

void client_expect(int fd, const char *reply)
{
	char wire[TEXT_MAX];

	client_expect_bytes(fd, wire, with_returns(reply, wire));
}

void client_ask(int fd, const char *text, const char *reply)
{
	client_say(fd, text);
	client_expect(fd, reply);
}

void client_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	do {
		assert_true(len + 1 < size);
		if (recv(fd, line + len, 1, 0) != 1)
			fail_msg("no line but \"%.*s\"", (int)len, line);
	} while (line[len++] != '\n');
	line[len >= 2 ? len - 2 : 0] = 0;
}

size_t client_text(int fd, char *text, size_t size)
{
	char head[32];
	size_t len, got = 0;
	ssize_t n;

	client_line(fd, head, sizeof(head));
	assert_int_equal(head[0], '$');
	len = strtoul(head + 1, NULL, 10);
	assert_true(len < size);
	while (got < len) {
		n = recv(fd, text + got, len - got, 0);
		assert_true(n > 0);
		got += (size_t)n;
	}
	text[len] = 0;
	client_expect(fd, "\n");
	return len;
}

void client_expect_end(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n)
		fail_msg("%s, not the end", n < 0 ? strerror(errno) : "a byte");
	close(fd);
}

void client_expect_gone(int fd)
{
	char some[65536];
	ssize_t n;

	do {
		n = recv(fd, some, sizeof(some), 0);
	} while (n > 0);
	if (n < 0 && errno != ECONNRESET)
		fail_msg("%s, not the end", strerror(errno));
	close(fd);
}

void client_expect_silence(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&pfd, 1, SILENCE_MS), 0);
}

void client_reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

size_t client_stuff(int fd, const void *data, size_t len, size_t max)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	size_t sent = 0;
	ssize_t n;

	while (sent < max && poll(&pfd, 1, STUFFED_MS) == 1) {
		n = send(fd, (const char *)data + sent % len, len - sent % len,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			break; /* it was cut off */
		sent += (size_t)n;
	}
	return sent;
}
