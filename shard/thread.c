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
	rcu_register_thread();
	return 0;
}

void thread_end(struct shard *shard)
{
	rcu_unregister_thread();
	prctl(PR_SET_TIMERSLACK, (unsigned long)shard->timer_slack_ns);
	unpin(shard);
	nic_thread_unregister();
}

unsigned thread_lcore_mt(void)
{
	return rte_lcore_id();
}
