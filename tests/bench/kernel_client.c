/*
 * A closed-loop client on the kernel's TCP, to load an echo server, or one that speaks Redis's
 * protocol, from outside its process: opens all connections, then keeps one request in flight on
 * each, checks every byte that comes back, shuts its side down at the end and expects the server's
 * FIN in return. Figures as lines of "name value" pairs. One thread, epoll: it costs a request less
 * than redis-benchmark does, which is what is measured where that client is the slower side. See
 * usage().
 */
#include "histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENT_MAX = 256,
	CONNECTING_MAX = 256, /* handshakes in flight, fewer than any listener's backlog */
	SIZE_MAX_LEN = 1 << 20,
	SHARD_MAX = 64,
	GREETING_LEN = 64,
	RESP_LEN_MAX = 128, /* of a request or an answer, without the value */
};

enum exchange { ECHO, SET, GET };

enum state { CONNECTING, GREETING, READY, ASKING, ENDING, OVER };

struct conn {
	int fd;
	enum state state;
	int shard;			  /* as the server's greeting said */
	uint64_t request_count, asked_ns; /* answered; when the current one was sent */
	uint32_t sent_len, got_len;	  /* of the current one */
	char greeting[GREETING_LEN];
	uint32_t request_len, answer_len;
	char *request, *value;
	const char *answer; /* of an echo: the request */
	char *answer_text;
};

struct shard {
	unsigned conn_count;
	struct histogram latency;
};

static struct {
	struct sockaddr_in server;
	unsigned conn_count;
	uint32_t size;
	uint64_t request_max; /* of one connection; 0: until the time is up */
	double seconds, limit_seconds;
	bool greeted;
	enum exchange exchange;
} options = {.conn_count = 1, .size = 64, .limit_seconds = 60};

static struct shard shards[SHARD_MAX];
static struct conn *conns;
static unsigned opened, ready, over, failed;
static uint64_t begun_ns, ask_until_ns;
static int epoll;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Edges only: a level-triggered set polls every socket a second time, and this client is half of
 * what is measured. */
static void watch(struct conn *conn, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events | EPOLLRDHUP | EPOLLET, .data.ptr = conn};

	epoll_ctl(epoll, operation, conn->fd, &event);
}

static void end(struct conn *conn)
{
	close(conn->fd);
	conn->state = OVER;
	over++;
}

static void fail(struct conn *conn, const char *what)
{
	if (failed++ < 10)
		fprintf(stderr, "kernel_client: connection %ld after %llu requests: %s\n",
			(long)(conn - conns), (unsigned long long)conn->request_count, what);
	end(conn);
}

/* Bytes that differ from connection to connection and from request to request. */
static void fill(const struct conn *conn, char *to)
{
	uint64_t word = (uint64_t)(conn - conns) * UINT64_C(0x9e3779b97f4a7c15) +
			conn->request_count * UINT64_C(0xd1342543de82ef95);

	for (uint32_t i = 0; i < options.size; i += sizeof(word)) {
		uint32_t left = options.size - i;

		word ^= word >> 29;
		word *= UINT64_C(0xbf58476d1ce4e5b9);
		memcpy(to + i, &word, left < sizeof(word) ? left : sizeof(word));
	}
}

static uint32_t append(char *to, uint32_t len, const char *data, uint32_t data_len)
{
	memcpy(to + len, data, data_len);
	return len + data_len;
}

/* A key of its own for each connection. */
static void make_set(struct conn *conn)
{
	int head = snprintf(conn->request, RESP_LEN_MAX,
			    "*3\r\n$3\r\nSET\r\n$12\r\nkey:%08ld\r\n$%u\r\n", (long)(conn - conns),
			    options.size);

	fill(conn, conn->value);
	conn->request_len = append(conn->request, (uint32_t)head, conn->value, options.size);
	conn->request_len = append(conn->request, conn->request_len, "\r\n", 2);
	conn->answer = "+OK\r\n";
	conn->answer_len = 5;
}

/* What was set by the first request. */
static void make_get(struct conn *conn)
{
	int head = snprintf(conn->answer_text, RESP_LEN_MAX, "$%u\r\n", options.size);

	conn->request_len =
		(uint32_t)snprintf(conn->request, RESP_LEN_MAX,
				   "*2\r\n$3\r\nGET\r\n$12\r\nkey:%08ld\r\n", (long)(conn - conns));
	conn->answer_len = append(conn->answer_text, (uint32_t)head, conn->value, options.size);
	conn->answer_len = append(conn->answer_text, conn->answer_len, "\r\n", 2);
	conn->answer = conn->answer_text;
}

static void make_request(struct conn *conn)
{
	if (options.exchange == ECHO) {
		fill(conn, conn->request);
		conn->request_len = conn->answer_len = options.size;
		conn->answer = conn->request;
	} else if (options.exchange == SET || conn->request_count == 0) {
		make_set(conn);
	} else if (conn->request_count == 1) {
		make_get(conn); /* and the same ever after */
	}
}

static void send_more(struct conn *conn)
{
	ssize_t n = send(conn->fd, conn->request + conn->sent_len,
			 conn->request_len - conn->sent_len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		fail(conn, strerror(errno));
		return;
	}
	if (n > 0)
		conn->sent_len += (uint32_t)n;
	if (conn->sent_len < conn->request_len || (uint32_t)n < conn->request_len)
		watch(conn, EPOLL_CTL_MOD,
		      conn->sent_len < conn->request_len ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void ask(struct conn *conn)
{
	conn->asked_ns = now_ns();
	if (conn->asked_ns >= ask_until_ns ||
	    (options.request_max && conn->request_count == options.request_max)) {
		conn->state = ENDING;
		shutdown(conn->fd, SHUT_WR);
		return;
	}
	conn->state = ASKING;
	conn->sent_len = conn->got_len = 0;
	make_request(conn);
	send_more(conn);
}

/* Takes the answer's bytes that have come. */
static void answered(struct conn *conn, const char *data, uint32_t len)
{
	uint32_t most = options.exchange == ECHO ? conn->sent_len : conn->answer_len;

	if (len > most - conn->got_len || memcmp(data, conn->answer + conn->got_len, len) != 0) {
		fail(conn, "the answer is not what it should be");
		return;
	}
	conn->got_len += len;
	if (conn->got_len < conn->answer_len)
		return;
	histogram_add(&shards[conn->shard].latency, now_ns() - conn->asked_ns);
	conn->request_count++;
	ask(conn);
}

static void made_ready(struct conn *conn)
{
	conn->state = READY;
	shards[conn->shard].conn_count++;
	ready++;
}

/* "shard N of M ..." and a newline. */
static void greeted(struct conn *conn, const char *data, uint32_t len)
{
	if (conn->got_len + len >= GREETING_LEN) {
		fail(conn, "the greeting is too long");
		return;
	}
	memcpy(conn->greeting + conn->got_len, data, len);
	conn->got_len += len;
	if (!memchr(conn->greeting, '\n', conn->got_len))
		return;
	if (sscanf(conn->greeting, "shard %d", &conn->shard) != 1 || conn->shard < 0 ||
	    conn->shard >= SHARD_MAX) {
		conn->shard = 0;
		fail(conn, "the greeting does not name a shard");
		return;
	}
	made_ready(conn);
}

enum { CHUNK_LEN = 65536 };

/* What recv() returned: a part of the answer, the server's end, or an error. */
static void received(struct conn *conn, const char *chunk, ssize_t n)
{
	if (n < 0)
		fail(conn, strerror(errno));
	else if (n == 0 && conn->state == ENDING)
		end(conn);
	else if (n == 0)
		fail(conn, "the server closed the connection");
	else if (conn->state == GREETING)
		greeted(conn, chunk, (uint32_t)n);
	else if (conn->state == ASKING)
		answered(conn, chunk, (uint32_t)n);
	else
		fail(conn, "bytes came that nobody had asked for");
}

/* A read that leaves room has emptied the socket; an end that has come with the bytes wants one
 * more. */
static void read_all(struct conn *conn, bool ended)
{
	static char chunk[CHUNK_LEN];
	ssize_t n;

	do {
		n = recv(conn->fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno == EAGAIN)
			return;
		received(conn, chunk, n);
	} while (conn->state != OVER && (n == CHUNK_LEN || ended));
}

static void connected(struct conn *conn)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		fail(conn, strerror(error));
		return;
	}
	watch(conn, EPOLL_CTL_MOD, EPOLLIN);
	if (options.greeted)
		conn->state = GREETING;
	else
		made_ready(conn);
}

static void open_one(struct conn *conn)
{
	int on = 1;

	opened++;
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	conn->request = malloc(options.size + RESP_LEN_MAX);
	conn->value = malloc(options.size);
	conn->answer_text = malloc(options.size + RESP_LEN_MAX);
	if (conn->fd < 0 || !conn->request || !conn->value || !conn->answer_text) {
		fail(conn, "out of files or memory");
		return;
	}
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(conn->fd, (struct sockaddr *)&options.server, sizeof(options.server)) &&
	    errno != EINPROGRESS) {
		fail(conn, strerror(errno));
		return;
	}
	watch(conn, EPOLL_CTL_ADD, EPOLLOUT);
}

static void serve(struct conn *conn, uint32_t events)
{
	if (conn->state == OVER)
		return;
	if (conn->state == CONNECTING) {
		connected(conn);
		return;
	}
	if (conn->state == ASKING && (events & EPOLLOUT))
		send_more(conn);
	if (conn->state != OVER && (events & ~(uint32_t)EPOLLOUT))
		read_all(conn, events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP));
}

/* Runs until every connection is over; false when the limit passed first. */
static bool run(void)
{
	struct epoll_event events[EVENT_MAX];
	uint64_t give_up_ns = now_ns() + (uint64_t)(options.limit_seconds * 1e9);

	while (over < options.conn_count) {
		while (opened < options.conn_count && opened - ready - failed < CONNECTING_MAX)
			open_one(&conns[opened]);
		if (!begun_ns && ready + failed == options.conn_count) {
			begun_ns = now_ns();
			ask_until_ns = options.seconds > 0
					       ? begun_ns + (uint64_t)(options.seconds * 1e9)
					       : UINT64_MAX;
			for (unsigned i = 0; i < options.conn_count; i++) {
				if (conns[i].state == READY)
					ask(&conns[i]);
			}
		}
		int n = epoll_wait(epoll, events, EVENT_MAX, 100);

		for (int i = 0; i < n; i++)
			serve(events[i].data.ptr, events[i].events);
		if (now_ns() >= give_up_ns)
			return false;
	}
	return true;
}

static void print_line(const char *name, int number, unsigned conn_count,
		       const struct histogram *latency, double seconds)
{
	printf("%s", name);
	if (number >= 0)
		printf(" %d", number);
	printf(" connections %u requests %llu rate %.0f p50_us %.1f p99_us %.1f p99.9_us %.1f\n",
	       conn_count, (unsigned long long)latency->count,
	       seconds > 0 ? (double)latency->count / seconds : 0,
	       (double)histogram_quantile(latency, 0.5) / 1e3,
	       (double)histogram_quantile(latency, 0.99) / 1e3,
	       (double)histogram_quantile(latency, 0.999) / 1e3);
}

static void report(void)
{
	static struct shard total;
	double seconds = begun_ns ? (double)(now_ns() - begun_ns) / 1e9 : 0;

	for (int i = 0; i < SHARD_MAX; i++) {
		if (options.greeted && shards[i].conn_count)
			print_line("shard", i, shards[i].conn_count, &shards[i].latency, seconds);
		total.conn_count += shards[i].conn_count;
		histogram_merge(&total.latency, &shards[i].latency);
	}
	print_line("total", -1, total.conn_count, &total.latency, seconds);
}

static int usage(void)
{
	fprintf(stderr, "usage: kernel_client [options] ADDRESS PORT\n"
			"  -c COUNT    connections (1)\n"
			"  -s BYTES    size of a request or value, 1 .. 1048576 (64)\n"
			"  -r set|get  Redis's protocol: SET, or after one SET only GET\n"
			"  -n COUNT    requests of one connection; or\n"
			"  -t SECONDS  how long to ask\n"
			"  -l SECONDS  give up after this (60)\n"
			"  -g          the server greets with \"shard N\": figures per shard\n");
	return 2;
}

static bool parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:s:r:n:t:l:g")) != -1) {
		if (c == 'c')
			options.conn_count = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 's')
			options.size = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'r' && strcmp(optarg, "set") == 0)
			options.exchange = SET;
		else if (c == 'r' && strcmp(optarg, "get") == 0)
			options.exchange = GET;
		else if (c == 'n')
			options.request_max = strtoull(optarg, NULL, 10);
		else if (c == 't')
			options.seconds = strtod(optarg, NULL);
		else if (c == 'l')
			options.limit_seconds = strtod(optarg, NULL);
		else if (c == 'g')
			options.greeted = true;
		else
			return false;
	}
	if (argc - optind != 2 || options.size < 1 || options.size > SIZE_MAX_LEN ||
	    !options.conn_count || (!options.request_max && options.seconds <= 0))
		return false;
	options.server.sin_family = AF_INET;
	options.server.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	return inet_pton(AF_INET, argv[optind], &options.server.sin_addr) == 1;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	bool in_time;

	if (!parse(argc, argv))
		return usage();
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	conns = calloc(options.conn_count, sizeof(*conns));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!conns || epoll < 0) {
		perror("kernel_client");
		return 1;
	}
	in_time = run();
	report();
	if (!in_time)
		fprintf(stderr,
			"kernel_client: gave up after %.0f s with %u of %u connections over\n",
			options.limit_seconds, over, options.conn_count);
	if (failed)
		fprintf(stderr, "kernel_client: %u of %u connections failed\n", failed,
			options.conn_count);
	return in_time && !failed ? 0 : 1;
}
