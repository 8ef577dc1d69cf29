/*
 * What a returned completion costs with 1, 1,000 and 100,000 pops pending, by demi_wait_any with
 * the full array of tokens and by demi_wait_next_n. Pops are spread over UDP sockets; the kernel,
 * on the other side of a tap in a network namespace of our own, sends datagrams to random ones.
 * Only the waits for what has arrived are timed, not its arrival, by the cycle counter, as the
 * system's clock may be as coarse as what is measured: figures are nanoseconds per result without
 * what two looks at the counter cost, means without the lowest and highest twentieth: where the
 * counter is coarse, too (10 ns on Zen), a median would be one of its steps. All cases take turns
 * in one run.
 */
#include "qd_map.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUND_COUNT = 5,
	BATCH_COUNT = 1000, /* of a case in a round */
	BATCH_MAX = 32,
	POPS_PER_SOCKET = 100,
	SOCKET_MAX = 1000,
	TOKEN_MAX = SOCKET_MAX * POPS_PER_SOCKET,
	PORT_BASE = 20000,
	SPARE_PORT = 19999, /* nobody sends there */
	PUMP_MAX = 1000000, /* turns of the loop; then a datagram must have been lost */
};

enum way { BY_WAIT_ANY, BY_WAIT_NEXT_N };

static const struct {
	const char *name;
	int pending, batch;
} cases[] = {
	{"1 pending, one at a time", 1, 1},
	{"1,000 pending, one at a time", 1000, 1},
	{"100,000 pending, one at a time", 100000, 1},
	{"1,000 pending, 32 at a time", 1000, BATCH_MAX},
	{"100,000 pending, 32 at a time", 100000, BATCH_MAX},
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

struct sock {
	int qd, first, count; /* its tokens are qts[first .. first + count) */
};

static struct sock socks[SOCKET_MAX];
static int sock_count, pending;
static demi_qtoken_t qts[TOKEN_MAX], spare_qt;
static struct qd_map sock_of;
static int kernel_fd;
static double samples[CASE_COUNT][2][ROUND_COUNT * BATCH_COUNT];
static int sample_count[CASE_COUNT][2];

static void must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "bench_wait: %s: %s\n", what, demi_strerror(error));
	exit(1);
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static struct sockaddr_in address(const char *host, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static int open_udp(int port)
{
	struct sockaddr_in local = address("10.99.0.2", port);
	int qd;

	must(demi_socket(&qd, AF_INET, SOCK_DGRAM, 0), "socket");
	must(demi_bind(qd, (struct sockaddr *)&local, sizeof(local)), "bind");
	return qd;
}

static void open_socks(int count)
{
	pending = count;
	sock_count = (count + POPS_PER_SOCKET - 1) / POPS_PER_SOCKET;
	for (int i = 0; i < sock_count; i++) {
		struct sock *s = &socks[i];

		s->qd = open_udp(PORT_BASE + i);
		s->first = i * POPS_PER_SOCKET;
		s->count = count < POPS_PER_SOCKET ? count : POPS_PER_SOCKET;
		must(qd_map_put(&sock_of, s->qd, s), "map");
		for (int j = 0; j < s->count; j++)
			must(demi_pop(&qts[s->first + j], s->qd), "pop");
	}
}

/* Closed pops complete, too, and are taken, so that the next case begins without any. */
static void close_socks(void)
{
	static const struct timespec none;
	demi_qresult_t results[BATCH_MAX];
	int n, taken = 0;

	for (int i = 0; i < sock_count; i++) {
		qd_map_take_or_null(&sock_of, socks[i].qd);
		must(demi_close(socks[i].qd), "close");
	}
	while (taken < pending) {
		int error = demi_wait_next_n(results, BATCH_MAX, &n, &none);

		must(error == ETIMEDOUT ? 0 : error, "wait for what was closed");
		taken += n;
	}
}

static uint64_t tokens_done(void)
{
	struct demi_shard_figures f = {.size = sizeof(f)};

	must(demi_shard_figures(0, &f), "figures");
	return f.tokens_done;
}

/* Sends datagrams to random sockets and turns the loop until all have completed a pop. */
static void arrive(int count)
{
	static const struct timespec none;
	uint64_t goal = tokens_done() + (uint64_t)count;
	demi_qresult_t result;

	for (int i = 0; i < count; i++) {
		struct sockaddr_in to =
			address("10.99.0.2", PORT_BASE + (int)(random() % sock_count));

		if (sendto(kernel_fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1) {
			perror("bench_wait: sendto");
			exit(1);
		}
	}
	for (int i = 0; tokens_done() < goal; i++) {
		if (i == PUMP_MAX) {
			fprintf(stderr, "bench_wait: a datagram did not arrive\n");
			exit(1);
		}
		demi_wait(&result, spare_qt, &none);
	}
}

/* The result's pop is begun again, in its old place of the array. */
static void again(demi_qresult_t *result)
{
	struct sock *s = qd_map_get_or_null(&sock_of, result->qr_qd);
	demi_qtoken_t *qt = s ? &qts[s->first] : NULL;
	int i = 0;

	while (s && i < s->count && qt[i] != result->qr_qt)
		i++;
	if (!s || i == s->count || result->qr_opcode != DEMI_OPC_POP) {
		fprintf(stderr, "bench_wait: not the result of a pop\n");
		exit(1);
	}
	demi_sgafree(&result->qr_value.sga);
	must(demi_pop(&qt[i], s->qd), "pop");
}

/* Cycles per result. */
static double wait_any(int count)
{
	demi_qresult_t result;
	uint64_t sum = 0, begun;
	int offset;

	for (int i = 0; i < count; i++) {
		begun = rte_rdtsc_precise();
		must(demi_wait_any(&result, &offset, qts, pending, NULL), "wait_any");
		sum += rte_rdtsc_precise() - begun;
		again(&result);
	}
	return (double)sum / count;
}

static double wait_next_n(int count)
{
	demi_qresult_t results[BATCH_MAX];
	uint64_t sum = 0, begun;
	int n;

	for (int taken = 0; taken < count; taken += n) {
		begun = rte_rdtsc_precise();
		must(demi_wait_next_n(results, count - taken, &n, NULL), "wait_next_n");
		sum += rte_rdtsc_precise() - begun;
		for (int i = 0; i < n; i++)
			again(&results[i]);
	}
	return (double)sum / count;
}

static void measure(int number)
{
	int batch = cases[number].batch;

	open_socks(cases[number].pending);
	for (enum way way = BY_WAIT_ANY; way <= BY_WAIT_NEXT_N; way++) {
		for (int i = 0; i < BATCH_COUNT; i++) {
			arrive(batch);
			samples[number][way][sample_count[number][way]++] =
				way == BY_WAIT_ANY ? wait_any(batch) : wait_next_n(batch);
		}
	}
	close_socks();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The mean without both ends. */
static double mean_of(double *values, int count)
{
	int from = count / 20, to = count - count / 20;
	double sum = 0;

	qsort(values, (size_t)count, sizeof(double), compare);
	for (int i = from; i < to; i++)
		sum += values[i];
	return sum / (to - from);
}

/* Cycles that measuring itself takes. */
static double empty(void)
{
	static double values[ROUND_COUNT * BATCH_COUNT];

	for (int i = 0; i < ROUND_COUNT * BATCH_COUNT; i++) {
		uint64_t begun = rte_rdtsc_precise();

		values[i] = (double)(rte_rdtsc_precise() - begun);
	}
	return mean_of(values, ROUND_COUNT * BATCH_COUNT);
}

/* wait_next_n() may have taken several looks for a batch: then it is said to be dearer than it is.
 */
static double result_of(int number, enum way way, double looks)
{
	int looks_count = way == BY_WAIT_ANY ? cases[number].batch : 1;

	return mean_of(samples[number][way], sample_count[number][way]) -
	       looks * looks_count / cases[number].batch;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static int enter_namespace(void)
{
	char map[64];
	unsigned uid = getuid();

	if (uid == 0)
		return unshare(CLONE_NEWNET);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_file("/proc/self/uid_map", map) ? 0 : -1;
}

static void start(void)
{
	char path[] = "/tmp/bench_wait.XXXXXX";
	struct sockaddr_in local = address("10.99.0.1", 0);
	bool written = mkstemp(path) >= 0 &&
		       write_file(path, "[runtime]\nidle = \"poll\"\nname = \"bench\"\n"
					"[udp]\nsocket_max = 1024\n"
					"[[port]]\ndevice = \"net_tap0,iface=clowder0\"\n"
					"address = \"10.99.0.2/24\"\n"
					"kernel_address = \"10.99.0.1/24\"\n");

	if (!written || enter_namespace()) {
		perror("bench_wait: network namespace");
		exit(1);
	}
	setenv("CONFIG_PATH", path, 1);
	must(demi_init(NULL), "init");
	unlink(path);
	must(demi_pop(&spare_qt, open_udp(SPARE_PORT)), "pop");
	kernel_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (kernel_fd < 0 || bind(kernel_fd, (struct sockaddr *)&local, sizeof(local))) {
		perror("bench_wait: socket");
		exit(1);
	}
}

int main(void)
{
	double begun_ns, cycles_per_ns, looks;
	uint64_t begun;

	start();
	begun = rte_rdtsc_precise();
	begun_ns = now_ns();
	for (int round = 0; round < ROUND_COUNT; round++) {
		for (int i = 0; i < CASE_COUNT; i++)
			measure(i);
	}
	cycles_per_ns = (double)(rte_rdtsc_precise() - begun) / (now_ns() - begun_ns);
	looks = empty();
	printf("%-32s %12s %12s   (ns per result; %.1f of each sample were the counter's)\n", "",
	       "wait_any", "wait_next_n", looks / cycles_per_ns);
	for (int i = 0; i < CASE_COUNT; i++)
		printf("%-32s %12.1f %12.1f\n", cases[i].name,
		       result_of(i, BY_WAIT_ANY, looks) / cycles_per_ns,
		       result_of(i, BY_WAIT_NEXT_N, looks) / cycles_per_ns);
	qd_map_fini(&sock_of);
	return demi_fini() ? 1 : 0;
}
