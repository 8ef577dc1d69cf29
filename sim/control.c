/* shard/control.h without threads: steps are walked at once, news wait for the end of a turn. */
#include "shard/control.h"

#include "sim/sim.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>

enum { NEWS_MAX = 256, NEWS_BURST = 64 };

static void undo(struct control *control, unsigned count)
{
	while (count--)
		if (control->steps[count].stop)
			control->steps[count].stop(control->runtime);
}

static int news_init(struct control *control)
{
	ssize_t size = rte_ring_get_memsize_elem(sizeof(struct net_neigh_event), NEWS_MAX);

	control->news = aligned_alloc(RTE_CACHE_LINE_SIZE,
				      RTE_ALIGN_CEIL((size_t)size, RTE_CACHE_LINE_SIZE));
	if (!control->news)
		return -ENOMEM;
	return rte_ring_init(control->news, "", NEWS_MAX, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int control_start(struct control *control, struct runtime *runtime,
		  const struct control_step *steps, unsigned step_count)
{
	unsigned done = 0;
	int rc;

	*control = (struct control){.runtime = runtime, .steps = steps, .step_count = step_count};
	rc = news_init(control);
	while (!rc && done < step_count)
		rc = steps[done++].start(runtime);
	if (rc) {
		undo(control, done);
		free(control->news);
	}
	return rc;
}

void control_stop(struct control *control)
{
	undo(control, control->step_count);
	free(control->news);
}

void control_news_mt(struct control *control, const struct net_neigh_event *event)
{
	struct net_neigh_event copy = *event;

	rte_ring_enqueue_elem(control->news, &copy, sizeof(copy));
	control->told = true;
}

void sim_control(struct runtime *runtime)
{
	struct control *control = &runtime->control;
	struct net_neigh_event events[NEWS_BURST];
	unsigned n;

	if (!control->told)
		return;
	control->told = false;
	while ((n = rte_ring_dequeue_burst_elem(control->news, events, sizeof(events[0]),
						NEWS_BURST, NULL)))
		net_neigh_apply_mt(runtime->tables, events, n);
	net_tables_reclaim(runtime->tables);
	for (uint16_t i = 0; i < runtime->shard_count; i++)
		idle_wake_mt(&runtime->shards[i].idle);
}
