#include "shard/thread.h"

#include "mem/rcu.h"
#include "shard/state.h"

#include <rte_lcore.h>
#include <sys/prctl.h>

static void pin(struct shard *shard, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		log_warning("shard %u could not be pinned to cpu %d", shard->index, cpu);
	else
		__atomic_store_n(&shard->cpu, cpu, __ATOMIC_RELAXED);
}

static void unpin(const struct shard *shard)
{
	pthread_setaffinity_np(pthread_self(), sizeof(shard->affinity), &shard->affinity);
}

/*
 * Cancelled inside of a turn, a shard would leave its peers waiting for ever. The type says nothing
 * then, but asynchronous is what glibc (2.36) makes of a deferred one, with an atomic instruction,
 * before each system call that might be cancelled, and unmakes after it: net_tap's two a packet.
 */
static void forbid_cancellation(struct shard *shard)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &shard->cancel_state);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &shard->cancel_type);
}

static void allow_cancellation(const struct shard *shard)
{
	int old;

	pthread_setcanceltype(shard->cancel_type, &old);
	pthread_setcancelstate(shard->cancel_state, &old);
}

int thread_begin(struct shard *shard, bool pinned)
{
	int rc;

	pthread_getaffinity_np(pthread_self(), sizeof(shard->affinity), &shard->affinity);
	if (pinned)
		pin(shard, shard->runtime->place.cpus[shard->index]);
	rc = nic_thread_register();
	if (rc) {
		__atomic_store_n(&shard->cpu, -1, __ATOMIC_RELAXED);
		unpin(shard);
		return rc;
	}
	shard->timer_slack_ns = prctl(PR_GET_TIMERSLACK);
	prctl(PR_SET_TIMERSLACK, 1UL);
	forbid_cancellation(shard);
	rcu_register_thread();
	return 0;
}

void thread_end(struct shard *shard)
{
	rcu_unregister_thread();
	allow_cancellation(shard);
	prctl(PR_SET_TIMERSLACK, (unsigned long)shard->timer_slack_ns);
	unpin(shard);
	nic_thread_unregister();
}

unsigned thread_lcore_mt(void)
{
	return rte_lcore_id();
}
