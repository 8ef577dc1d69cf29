#include "openings.h"

#include "cmocka_all.h"
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 1024, PORT = 7000 };

static const char question[] = "are you there?";

enum step { CONNECTING, ASKED, ENDED };

struct opening {
	enum step step;
	uint64_t begun_ns, took_ns; /* took_ns 0: not echoed */
};

/* Those begun, and at the same index what poll() is to watch of them. */
struct row {
	struct opening openings[COUNT_MAX];
	struct pollfd fds[COUNT_MAX];
	unsigned begun, ended, opened;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void begin(struct row *row)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	inet_pton(AF_INET, PEER_ADDRESS, &server.sin_addr);
	row->openings[row->begun] = (struct opening){.begun_ns = now_ns()};
	row->fds[row->begun] = (struct pollfd){.fd = fd, .events = POLLOUT};
	row->begun++;
	assert_true(connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0 ||
		    errno == EINPROGRESS);
}

static void end(struct row *row, unsigned i, bool echoed)
{
	struct opening *opening = &row->openings[i];

	if (echoed)
		opening->took_ns = now_ns() - opening->begun_ns;
	opening->step = ENDED;
	close(row->fds[i].fd);
	row->fds[i].fd = -1; /* poll() passes over it */
	row->ended++;
}

static void go_on(struct row *row, unsigned i)
{
	struct opening *opening = &row->openings[i];
	char answer[sizeof(question)];
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(row->fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		end(row, i, false);
	} else if (opening->step == CONNECTING) {
		row->opened++;
		opening->step = ASKED;
		row->fds[i].events = POLLIN;
		if (send(row->fds[i].fd, question, sizeof(question), MSG_NOSIGNAL) < 0)
			end(row, i, false);
	} else {
		end(row, i,
		    recv(row->fds[i].fd, answer, sizeof(answer), 0) == sizeof(answer) &&
			    memcmp(answer, question, sizeof(answer)) == 0);
	}
}

static void wait_some(struct row *row, uint64_t until_ns, unsigned give_up_ms)
{
	uint64_t now = now_ns();

	if (poll(row->fds, row->begun, until_ns > now ? (int)((until_ns - now) / 1000000) + 1 : 0) >
	    0) {
		for (unsigned i = 0; i < row->begun; i++) {
			if (row->fds[i].fd >= 0 && row->fds[i].revents)
				go_on(row, i);
		}
	}
	now = now_ns();
	for (unsigned i = 0; i < row->begun; i++) {
		if (row->fds[i].fd >= 0 &&
		    now - row->openings[i].begun_ns > give_up_ms * UINT64_C(1000000))
			end(row, i, false);
	}
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void count_up(struct openings *openings, const struct row *row)
{
	double took_ms[COUNT_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < row->begun; i++) {
		if (row->openings[i].took_ns)
			took_ms[n++] = (double)row->openings[i].took_ns / 1e6;
	}
	*openings = (struct openings){.begun = row->begun, .opened = row->opened, .echoed = n};
	if (n == 0)
		return;
	qsort(took_ms, n, sizeof(took_ms[0]), compare);
	openings->p50_ms = took_ms[n / 2];
	openings->p99_ms = took_ms[(n * 99 - 1) / 100];
	openings->max_ms = took_ms[n - 1];
}

void openings_run(struct openings *openings, unsigned count, unsigned pace_ms, unsigned give_up_ms)
{
	static struct row row;
	uint64_t next_ns = now_ns();

	assert_true(count <= COUNT_MAX);
	row = (struct row){0};
	while (row.ended < count) {
		if (row.begun < count && now_ns() >= next_ns) {
			begin(&row);
			next_ns += pace_ms * UINT64_C(1000000);
		}
		wait_some(&row, row.begun < count ? next_ns : now_ns() + 100000000, give_up_ms);
	}
	count_up(openings, &row);
}
