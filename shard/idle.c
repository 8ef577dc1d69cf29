#include "shard/idle.h"

#include "mem/rcu.h"
#include "shard/state.h"

#include <errno.h>
#include <poll.h>
#include <rte_atomic.h>
#include <rte_pause.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { NS_PER_SECOND = 1000000000 };

int idle_init(struct idle *idle, const struct runtime_config *config, bool shared)
{
	*idle = (struct idle){.policy = config->idle,
			      .spin_ns = config->spin_ns,
			      .nap_ns = config->nap_ns,
			      .sleep_ns_max = config->sleep_ns_max};
	if (idle->policy == SHARD_IDLE_AUTO) {
		idle->policy = SHARD_IDLE_ADAPTIVE;
		idle->yields = shared;
	}
	idle->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return idle->event_fd < 0 ? -errno : 0;
}

void idle_fini(struct idle *idle)
{
	if (idle->event_fd >= 0)
		close(idle->event_fd);
	idle->event_fd = -1;
}

static void arm_interrupts(struct shard *shard, bool on)
{
	for (unsigned i = 0; i < shard->line_count; i++) {
		struct line *line = &shard->lines[i];

		if (line->queue >= 0 && line->interrupts)
			nic_rx_interrupt_arm(line->port, (uint16_t)line->queue, on);
	}
}

static void arm(struct shard *shard, bool on)
{
	struct idle *idle = &shard->idle;

	arm_interrupts(shard, on);
	__atomic_store_n(&idle->sleeping, on, __ATOMIC_RELAXED);
	/* Pairs with the fence in idle_wake_mt(): either the next turn sees the letter, or the
	 * poster sees the flag. */
	rte_smp_mb();
	idle->armed = on;
}

void idle_busy(struct shard *shard, uint64_t now_ns)
{
	shard->idle.busy_ns = now_ns;
	if (shard->idle.armed)
		arm(shard, false);
}

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Something waits that no interrupt will announce. */
static bool must_nap(const struct shard *shard)
{
	if (shard->channels_busy || !TAILQ_EMPTY(&shard->queues.retry))
		return true;
	for (unsigned i = 0; i < shard->line_count; i++) {
		const struct line *line = &shard->lines[i];

		if (line->count || (line->queue >= 0 && !line->interrupts))
			return true;
	}
	return false;
}

/* What was due in a turn that found nothing to do could not be done: for want of a buffer, which
 * another turn at once would not find either. */
static bool lacks_buffers(const struct shard *shard)
{
	return shard->timer_ns <= shard->turned_ns;
}

static uint64_t sleep_ns(const struct shard *shard, uint64_t now_ns, uint64_t deadline_ns)
{
	uint64_t until_ns = min_of(deadline_ns, shard->timer_ns);
	uint64_t length_ns = until_ns > now_ns ? until_ns - now_ns : 0;

	if (lacks_buffers(shard))
		return min_of(shard->idle.nap_ns, deadline_ns - now_ns);
	length_ns = min_of(length_ns, shard->idle.sleep_ns_max);
	return must_nap(shard) ? min_of(length_ns, shard->idle.nap_ns) : length_ns;
}

static void sleep_until_news(struct shard *shard, uint64_t length_ns)
{
	struct timespec length = {.tv_sec = (time_t)(length_ns / NS_PER_SECOND),
				  .tv_nsec = (long)(length_ns % NS_PER_SECOND)};
	struct pollfd fds[NIC_PORT_MAX + 1];
	nfds_t count = 0;

	fds[count++] = (struct pollfd){.fd = shard->idle.event_fd, .events = POLLIN};
	for (unsigned i = 0; i < shard->line_count; i++) {
		const struct line *line = &shard->lines[i];

		if (line->queue >= 0 && line->interrupts)
			fds[count++] = (struct pollfd){
				.fd = nic_rx_interrupt_fd(line->port, (uint16_t)line->queue),
				.events = POLLIN};
	}
	rcu_thread_offline();
	ppoll(fds, count, &length, NULL);
	rcu_thread_online();
	if (fds[0].revents) {
		uint64_t news;
		ssize_t n = read(shard->idle.event_fd, &news, sizeof(news));

		(void)n; /* nothing there is no news either */
	}
}

void idle_pass(struct shard *shard, uint64_t now_ns, uint64_t deadline_ns)
{
	struct idle *idle = &shard->idle;
	bool yields = idle->policy == SHARD_IDLE_YIELD || idle->yields;
	bool spins = now_ns - idle->busy_ns < idle->spin_ns || deadline_ns <= now_ns;
	uint64_t length_ns;

	if (idle->policy == SHARD_IDLE_POLL) {
		rte_pause();
	} else if (idle->policy == SHARD_IDLE_YIELD || spins) {
		if (yields)
			sched_yield();
		else
			rte_pause();
	} else if (!idle->armed) {
		arm(shard, true);
	} else {
		length_ns = sleep_ns(shard, now_ns, deadline_ns);
		if (length_ns) {
			counter_add(&shard->counters.sleeps, 1);
			sleep_until_news(shard, length_ns);
		}
		arm(shard, false);
	}
}

void idle_kick_mt(struct idle *idle)
{
	uint64_t one = 1;
	int saved = errno;
	ssize_t n = write(idle->event_fd, &one, sizeof(one));

	(void)n; /* full means that it is awake already */
	errno = saved;
}

void idle_wake_mt(struct idle *idle)
{
	rte_smp_mb(); /* pairs with the one in arm() */
	if (__atomic_load_n(&idle->sleeping, __ATOMIC_RELAXED))
		idle_kick_mt(idle);
}
