/*
 * An echo server on one shard, for one connection after another, whose patience with a silent peer
 * comes from the command line. It says why each connection ended and how long after the peer's last
 * byte, and then, when all that it had taken is back, how many buffers it holds.
 *
 *      patience [keepalive IDLE_S INTERVAL_S COUNT] [user-timeout MS]
 *
 * A connection begins with the line "shard 0 of 1"; SIGINT ends the program.
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PORT = 7000, BACKLOG = 8 };

static struct {
	int idle_s, interval_s, count; /* idle_s 0: no keepalive */
	int user_timeout_ms;	       /* 0: as configured */
} options;

static uint32_t mbufs_idle;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct demi_shard_figures figures(void)
{
	struct demi_shard_figures f = {.size = sizeof(f)};

	demi_shard_figures(0, &f);
	return f;
}

static int set(int qd, int level, int name, int value)
{
	return demi_setsockopt(qd, level, name, &value, sizeof(value));
}

static int set_patience(int qd)
{
	int error = 0;

	if (options.idle_s)
		error = set(qd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (!error && options.idle_s)
		error = set(qd, IPPROTO_TCP, TCP_KEEPIDLE, options.idle_s);
	if (!error && options.idle_s)
		error = set(qd, IPPROTO_TCP, TCP_KEEPINTVL, options.interval_s);
	if (!error && options.idle_s)
		error = set(qd, IPPROTO_TCP, TCP_KEEPCNT, options.count);
	if (!error && options.user_timeout_ms)
		error = set(qd, IPPROTO_TCP, TCP_USER_TIMEOUT, options.user_timeout_ms);
	return error;
}

static int greet(int qd)
{
	static const char line[] = "shard 0 of 1\n";
	demi_sgarray_t sga = demi_sgaalloc(strlen(line));
	demi_qtoken_t qt;
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, line, strlen(line));
	error = demi_push(&qt, qd, &sga);
	demi_sgafree(&sga);
	return error;
}

/* Echoes until the connection ends; how it did, *end_error 0 for the peer's FIN, and how long after
 * its last byte. An error of this program's, or of being told to end, is the result. */
static int serve(int qd, int *end_error, uint64_t *silence_ns)
{
	uint64_t heard_ns = now_ns();
	demi_qresult_t result;
	demi_qtoken_t qt;
	int error, n;

	error = demi_pop(&qt, qd);
	while (!error && !(error = demi_wait_next_n(&result, 1, &n, NULL))) {
		demi_sgarray_t *sga = &result.qr_value.sga;
		bool ended = false;

		*silence_ns = now_ns() - heard_ns;
		*end_error = 0;
		if (result.qr_opcode == DEMI_OPC_POP) {
			heard_ns = now_ns();
			ended = sga->sga_segs[0].sgaseg_len == 0;
			if (!ended)
				error = demi_push(&qt, qd, sga);
			demi_sgafree(sga); /* the push has a reference of its own */
			if (!ended && !error)
				error = demi_pop(&qt, qd);
		} else if (result.qr_opcode == DEMI_OPC_FAILED) {
			*end_error = (int)result.qr_ret;
			ended = true;
		}
		if (ended)
			return 0;
	}
	return error;
}

/* Takes what is left of the connection's results, which do not matter any more. */
static int expect_all_back(void)
{
	static const struct timespec a_while = {.tv_nsec = 20000000};
	struct demi_shard_figures f;
	demi_qresult_t result;
	int error, n;

	do {
		error = demi_wait_next_n(&result, 1, &n, &a_while);
		f = figures();
	} while (!error || (error == ETIMEDOUT && (f.connections > 0 || f.tokens_pending > 0 ||
						   f.mbufs_used > mbufs_idle)));
	printf("patience: all back connections %u tokens %u mbufs %u idle %u\n", f.connections,
	       f.tokens_pending, f.mbufs_used, mbufs_idle);
	return error == ETIMEDOUT ? 0 : error;
}

static int serve_next(int listener)
{
	int qd, end_error = 0, error, n;
	uint64_t silence_ns = 0;
	demi_qresult_t result;
	demi_qtoken_t qt;

	error = demi_accept(&qt, listener);
	if (!error)
		error = demi_wait_next_n(&result, 1, &n, NULL);
	if (error || result.qr_opcode != DEMI_OPC_ACCEPT)
		return error ? error : (int)result.qr_ret;
	qd = result.qr_value.ares.qd;
	error = set_patience(qd);
	if (!error)
		error = greet(qd);
	if (!error)
		error = serve(qd, &end_error, &silence_ns);
	if (error)
		return error;
	printf("patience: ended errno %d (%s) silence_ms %llu\n", end_error,
	       end_error ? demi_strerror(end_error) : "FIN",
	       (unsigned long long)silence_ns / 1000000);
	error = demi_close(qd);
	return error ? error : expect_all_back();
}

static int shard_main(void *arg)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int listener, error = demi_socket(&listener, AF_INET, SOCK_STREAM, 0);

	(void)arg;
	if (!error)
		error = demi_bind(listener, (struct sockaddr *)&local, sizeof(local));
	if (!error)
		error = demi_listen(listener, BACKLOG);
	mbufs_idle = figures().mbufs_used;
	if (!error)
		printf("patience: ready\n");
	while (!error)
		error = serve_next(listener);
	if (error != ECANCELED)
		printf("patience: %s\n", demi_strerror(error));
	return error == ECANCELED ? 0 : error;
}

static void on_signal(int number)
{
	(void)number;
	demi_shard_stop();
}

static bool parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "keepalive") == 0 && i + 3 < argc) {
			options.idle_s = atoi(argv[++i]);
			options.interval_s = atoi(argv[++i]);
			options.count = atoi(argv[++i]);
		} else if (strcmp(argv[i], "user-timeout") == 0 && i + 1 < argc) {
			options.user_timeout_ms = atoi(argv[++i]);
		} else {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (!parse(argc, argv))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGINT, &action, NULL);
	return demi_shard_run(NULL, shard_main, NULL) ? 1 : 0;
}
