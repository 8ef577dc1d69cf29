#include "shard/control.h"

#include "mem/log.h"
#include "shard/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	NEWS_MAX = 1024, /* events that wait; a power of two */
	NEWS_BURST = 64,
	VERSIONS_MAX = 64, /* of a table, waiting to be freed */
	TICK_MS = 100,
};

_Static_assert(sizeof(struct net_neigh_event) % 4 == 0, "an rte_ring element");

/* --- news --- */
static int news_init(struct control *control)
{
	ssize_t size = rte_ring_get_memsize_elem(sizeof(struct net_neigh_event), NEWS_MAX);

	control->news = aligned_alloc(RTE_CACHE_LINE_SIZE,
				      RTE_ALIGN_CEIL((size_t)size, RTE_CACHE_LINE_SIZE));
	if (!control->news)
		return -ENOMEM;
	return rte_ring_init(control->news, "", NEWS_MAX, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
}

static void write_event(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n; /* full: it knows already */
}

void control_news_mt(struct control *control, const struct net_neigh_event *event)
{
	struct net_neigh_event copy = *event;

	if (rte_ring_enqueue_elem(control->news, &copy, sizeof(copy)))
		return;
	/* One system call for however many events come until the thread looks; pairs with hear().
	 */
	if (!__atomic_exchange_n(&control->told, true, __ATOMIC_SEQ_CST))
		write_event(control->event_fd);
}

static bool ending(const struct control *control)
{
	return __atomic_load_n(&control->ending, __ATOMIC_ACQUIRE); /* pairs with control_stop() */
}

/* Waits for something to do, at most TICK_MS. */
static void hear(struct control *control, int fd)
{
	struct pollfd wake = {.fd = fd, .events = POLLIN};
	uint64_t count;

	if (poll(&wake, 1, TICK_MS) > 0 && read(fd, &count, sizeof(count)) < 0)
		return;
	if (fd == control->event_fd)
		__atomic_store_n(&control->told, false, __ATOMIC_SEQ_CST);
}

/* Versions that nobody could free yet; past the limit news wait, and are lost when there are too
 * many. */
static bool may_publish(const struct control *control)
{
	return control->published - __atomic_load_n(&control->reclaimed, __ATOMIC_RELAXED) <
	       VERSIONS_MAX;
}

/* Here, as shards do not log. */
static void log_conflicts(const struct net_neigh_event *events, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct net_neigh *neigh = &events[i].neigh;
		char addr[INET_ADDRSTRLEN];

		if (events[i].news != NEIGH_CONFLICT)
			continue;
		inet_ntop(AF_INET, &neigh->addr.v4, addr, sizeof(addr));
		log_warning("port %u: " RTE_ETHER_ADDR_PRT_FMT " uses our address %s, too",
			    neigh->iface, RTE_ETHER_ADDR_BYTES(&neigh->mac), addr);
	}
}

static void apply_news(struct control *control)
{
	struct net_neigh_event events[NEWS_BURST];
	unsigned n;

	while (may_publish(control) &&
	       (n = rte_ring_dequeue_burst_elem(control->news, events, sizeof(events[0]),
						NEWS_BURST, NULL))) {
		log_conflicts(events, n);
		net_neigh_apply_mt(control->runtime->tables, events, n);
		__atomic_store_n(&control->published, control->published + 1, __ATOMIC_RELAXED);
	}
}

/* --- the threads --- */
static void *reclaim(void *arg)
{
	struct control *control = arg;

	while (!ending(control)) {
		uint32_t published = __atomic_load_n(&control->published, __ATOMIC_RELAXED);

		net_tables_reclaim(control->runtime->tables);
		__atomic_store_n(&control->reclaimed, published, __ATOMIC_RELAXED);
		hear(control, control->reclaimer_fd);
	}
	return NULL;
}

static void look_at_links(struct runtime *runtime)
{
	for (uint16_t i = 0; i < runtime->port_count; i++)
		nic_port_link_look(runtime->ports[i]);
}

static void serve(struct control *control)
{
	while (!ending(control)) {
		hear(control, control->event_fd);
		apply_news(control);
		look_at_links(control->runtime);
	}
	pthread_join(control->reclaimer, NULL);
}

static int start_reclaimer(struct control *control)
{
	return -pthread_create(&control->reclaimer, NULL, reclaim, control);
}

static void undo(struct control *control, unsigned count)
{
	while (count--)
		if (control->steps[count].stop)
			control->steps[count].stop(control->runtime);
}

static void *run(void *arg)
{
	struct control *control = arg;
	unsigned done = 0;

	while (done < control->step_count && !control->status)
		control->status = control->steps[done++].start(control->runtime);
	if (!control->status)
		control->status = start_reclaimer(control);
	if (control->status)
		undo(control, done);
	sem_post(&control->started);
	if (!control->status) {
		serve(control);
		undo(control, done);
	}
	return NULL;
}

/* Signals are the program's: this thread, and those that the EAL starts from it, take none. */
static int create_thread(struct control *control)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&control->thread, NULL, run, control);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

/* There is one runtime in a process, as there is one EAL. */
static bool exists;

static void release(struct control *control)
{
	close(control->event_fd);
	close(control->reclaimer_fd);
	sem_destroy(&control->started);
	free(control->news);
	__atomic_clear(&exists, __ATOMIC_RELEASE);
}

int control_start(struct control *control, struct runtime *runtime,
		  const struct control_step *steps, unsigned step_count)
{
	int rc;

	/* acquire; pairs with the release of whoever ended the last one */
	if (__atomic_test_and_set(&exists, __ATOMIC_ACQUIRE)) {
		snprintf(runtime->why, sizeof(runtime->why), "this process has a runtime already");
		return -EEXIST;
	}
	*control = (struct control){.runtime = runtime, .steps = steps, .step_count = step_count};
	sem_init(&control->started, 0, 0);
	control->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	control->reclaimer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = control->event_fd < 0 || control->reclaimer_fd < 0 ? -errno : news_init(control);
	if (!rc)
		rc = create_thread(control);
	if (!rc) {
		while (sem_wait(&control->started))
			;
		rc = control->status;
		if (rc)
			pthread_join(control->thread, NULL);
	}
	if (rc)
		release(control);
	return rc;
}

void control_stop(struct control *control)
{
	__atomic_store_n(&control->ending, true, __ATOMIC_RELEASE); /* pairs with ending() */
	write_event(control->event_fd);
	write_event(control->reclaimer_fd);
	pthread_join(control->thread, NULL);
	release(control);
}
