/*
 * A wire that misbehaves by a seed: two taps, each in a namespace of its own; what is sent into one
 * comes out of the other, later, in another order, twice or never.
 *
 *      relay NS_A TAP_A NS_B TAP_B SEED DELAY_US REORDER DROP DUPLICATE FILE
 *
 * NS_*: file descriptors that name namespaces. The last three are per mille of the frames of each
 * direction; a reordered one is overtaken by those of REORDER_US. FILE becomes a capture of the
 * first tap: every frame that it sent and that it got, in that order, none missing. Ends at SIGINT
 * with lines of figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
	FRAME_LEN_MAX = 2048,
	FRAME_COUNT = 1 << 14, /* held in one direction: 32 MiB, far above any test's window */
	REORDER_US = 2000,
	BURST_COUNT = 64,
};

struct frame {
	uint64_t due_ns;
	uint64_t number; /* of equal dues, the first in goes first */
	uint32_t len;
	uint8_t bytes[FRAME_LEN_MAX];
};

/* A binary heap of frames on their way, the one due next first. */
struct way {
	struct frame **frames, *room;
	uint32_t count;
	bool captured_in; /* the first tap's: captured as it comes in; the other's as it goes out */
	unsigned long taken, dropped, duplicated, reordered, overflowed;
};

static struct {
	uint64_t seed, delay_ns, number;
	unsigned reorder, drop, duplicate;
} wire;

static FILE *capture;
static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = wire.seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static bool happens(unsigned per_mille)
{
	return draw() % 1000 < per_mille;
}

/* pcap with nanoseconds, Ethernet, in this machine's byte order. */
static bool capture_open(const char *path)
{
	static const uint32_t header[] = {0xa1b23c4d, 4 << 16 | 2, 0, 0, FRAME_LEN_MAX, 1};

	capture = fopen(path, "w");
	return capture && fwrite(header, sizeof(header), 1, capture) == 1;
}

static void capture_add(const uint8_t *bytes, uint32_t len, uint64_t now)
{
	uint32_t header[] = {(uint32_t)(now / 1000000000), (uint32_t)(now % 1000000000), len, len};

	fwrite(header, sizeof(header), 1, capture);
	fwrite(bytes, len, 1, capture);
}

static int open_tap(int ns, const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd;

	if (setns(ns, CLONE_NEWNET))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.15s", name);
	return fd < 0 || ioctl(fd, TUNSETIFF, &ifr) ? -1 : fd;
}

static bool way_init(struct way *way)
{
	*way = (struct way){.frames = malloc(FRAME_COUNT * sizeof(struct frame *)),
			    .room = malloc(FRAME_COUNT * sizeof(struct frame))};
	if (!way->frames || !way->room)
		return false;
	for (int i = 0; i < FRAME_COUNT; i++)
		way->frames[i] = &way->room[i];
	return true;
}

static void way_fini(struct way *way)
{
	free(way->frames);
	free(way->room);
}

static bool sooner(const struct frame *a, const struct frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void swap(struct way *way, uint32_t i, uint32_t j)
{
	struct frame *frame = way->frames[i];

	way->frames[i] = way->frames[j];
	way->frames[j] = frame;
}

/* The frame behind the last of the heap, filled in but for when and where, joins it. */
static void enter(struct way *way, uint64_t due_ns)
{
	uint32_t i = way->count++;

	way->frames[i]->due_ns = due_ns;
	way->frames[i]->number = wire.number++;
	for (; i > 0 && sooner(way->frames[i], way->frames[(i - 1) / 2]); i = (i - 1) / 2)
		swap(way, i, (i - 1) / 2);
}

static void leave(struct way *way)
{
	uint32_t i = 0, least;

	swap(way, 0, --way->count);
	for (;;) {
		least = i;
		for (uint32_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
			if (child < way->count && sooner(way->frames[child], way->frames[least]))
				least = child;
		}
		if (least == i)
			return;
		swap(way, i, least);
		i = least;
	}
}

static void take(struct way *way, uint64_t now)
{
	struct frame *frame = way->frames[way->count], *copy;
	uint64_t due_ns = now + wire.delay_ns;

	way->taken++;
	if (happens(wire.drop)) {
		way->dropped++;
		return;
	}
	if (happens(wire.reorder)) {
		way->reordered++;
		due_ns += REORDER_US * 1000u;
	}
	enter(way, due_ns);
	if (happens(wire.duplicate) && way->count < FRAME_COUNT) {
		way->duplicated++;
		copy = way->frames[way->count];
		memcpy(copy->bytes, frame->bytes, frame->len);
		copy->len = frame->len;
		enter(way, due_ns + 1000);
	}
}

static void take_in(struct way *way, int from, uint64_t now)
{
	static uint8_t nowhere[FRAME_LEN_MAX];

	for (int i = 0; i < BURST_COUNT; i++) {
		bool full = way->count == FRAME_COUNT;
		uint8_t *bytes = full ? nowhere : way->frames[way->count]->bytes;
		ssize_t n = read(from, bytes, FRAME_LEN_MAX);

		if (n <= 0)
			return;
		if (way->captured_in)
			capture_add(bytes, (uint32_t)n, now);
		way->overflowed += full;
		if (!full) {
			way->frames[way->count]->len = (uint32_t)n;
			take(way, now);
		}
	}
}

static void put_out(struct way *way, int to, uint64_t now)
{
	while (way->count && way->frames[0]->due_ns <= now) {
		const struct frame *frame = way->frames[0];

		if (write(to, frame->bytes, frame->len) < 0 && errno == EAGAIN)
			return;
		if (!way->captured_in)
			capture_add(frame->bytes, frame->len, now);
		leave(way);
	}
}

static int sleep_ms(const struct way ways[2], uint64_t now)
{
	uint64_t wait_ns = 100000000;

	for (int i = 0; i < 2; i++) {
		uint64_t due_ns = ways[i].count ? ways[i].frames[0]->due_ns : UINT64_MAX;

		if (due_ns <= now)
			return 0;
		if (due_ns - now < wait_ns)
			wait_ns = due_ns - now;
	}
	return (int)((wait_ns + 999999) / 1000000);
}

static void serve(struct way ways[2], const int fds[2])
{
	while (!ended) {
		struct pollfd pfds[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
		uint64_t now = now_ns();

		poll(pfds, 2, sleep_ms(ways, now));
		now = now_ns();
		for (int i = 0; i < 2; i++) {
			take_in(&ways[i], fds[i], now);
			put_out(&ways[i], fds[1 - i], now);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct way ways[2];
	int fds[2];

	if (argc != 11)
		return 2;
	wire.seed = strtoull(argv[5], NULL, 10);
	wire.delay_ns = strtoull(argv[6], NULL, 10) * 1000;
	wire.reorder = (unsigned)atoi(argv[7]);
	wire.drop = (unsigned)atoi(argv[8]);
	wire.duplicate = (unsigned)atoi(argv[9]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGINT, &action, NULL);
	for (int i = 0; i < 2; i++) {
		fds[i] = open_tap(atoi(argv[1 + 2 * i]), argv[2 + 2 * i]);
		if (fds[i] < 0 || !way_init(&ways[i])) {
			perror("relay");
			return 1;
		}
	}
	ways[0].captured_in = true;
	if (!capture_open(argv[10])) {
		perror("relay");
		return 1;
	}
	printf("relay: ready\n");
	serve(ways, fds);
	if (fclose(capture)) {
		perror("relay");
		return 1;
	}
	for (int i = 0; i < 2; i++)
		printf("relay: from %s taken %lu dropped %lu duplicated %lu reordered %lu "
		       "overflowed %lu left %u\n",
		       argv[2 + 2 * i], ways[i].taken, ways[i].dropped, ways[i].duplicated,
		       ways[i].reordered, ways[i].overflowed, ways[i].count);
	for (int i = 0; i < 2; i++)
		way_fini(&ways[i]);
	return 0;
}
