#include "shard/place.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>

/* A logical cpu that we may use, and what decides its turn. */
struct candidate {
	unsigned rank; /* among the hyperthreads of its core */
	bool far;      /* from the NIC */
	unsigned order;
	unsigned core;
	int cpu, numa_node;
};

struct machine {
	hwloc_topology_t topology;
	struct candidate *candidates;
	unsigned count, core_count, near_core_count;
};

static int load(struct machine *machine, const char *synthetic)
{
	if (hwloc_topology_init(&machine->topology))
		return -ENOMEM;
	if (synthetic && hwloc_topology_set_synthetic(machine->topology, synthetic))
		return -EINVAL;
	return hwloc_topology_load(machine->topology) ? -EINVAL : 0;
}

/* What the process may run on: hwloc has left out what the cgroup forbids, here the affinity goes
 * off too. A synthetic machine has no processes. */
static hwloc_bitmap_t allowed_or_null(hwloc_topology_t topology)
{
	hwloc_bitmap_t set = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology));
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();

	if (set && bound && hwloc_topology_is_thissystem(topology) &&
	    !hwloc_get_cpubind(topology, bound, HWLOC_CPUBIND_THREAD))
		hwloc_bitmap_and(set, set, bound);
	hwloc_bitmap_free(bound);
	return set;
}

static int node_of(hwloc_topology_t topology, hwloc_obj_t pu)
{
	hwloc_obj_t node = NULL;

	while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)))
		if (hwloc_bitmap_isincluded(pu->cpuset, node->cpuset))
			return (int)node->os_index;
	return -1;
}

/* How many of the core's hyperthreads come before this one and are ours too. */
static unsigned rank_of(const struct machine *machine, unsigned core)
{
	unsigned rank = 0;

	for (unsigned i = 0; i < machine->count; i++)
		rank += machine->candidates[i].core == core;
	return rank;
}

static int compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->far != b->far)
		return a->far ? 1 : -1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void add(struct machine *machine, hwloc_obj_t pu, int nic_node)
{
	hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(machine->topology, HWLOC_OBJ_CORE, pu);
	struct candidate *c = &machine->candidates[machine->count];

	c->core = core ? core->logical_index : UINT32_MAX - pu->logical_index;
	c->rank = rank_of(machine, c->core);
	c->numa_node = node_of(machine->topology, pu);
	c->far = nic_node >= 0 && c->numa_node != nic_node;
	c->order = pu->logical_index;
	c->cpu = (int)pu->os_index;
	machine->count++;
	machine->core_count += c->rank == 0;
	machine->near_core_count += c->rank == 0 && !c->far;
}

static int survey(struct machine *machine, const struct place_request *request)
{
	hwloc_bitmap_t allowed;
	hwloc_obj_t pu = NULL;
	int total, rc = load(machine, request->synthetic);

	if (rc)
		return rc;
	total = hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_PU);
	machine->candidates = calloc((size_t)total, sizeof(*machine->candidates));
	allowed = allowed_or_null(machine->topology);
	if (!machine->candidates || !allowed) {
		hwloc_bitmap_free(allowed);
		return -ENOMEM;
	}
	while ((pu = hwloc_get_next_obj_by_type(machine->topology, HWLOC_OBJ_PU, pu)))
		if (hwloc_bitmap_isset(allowed, pu->os_index))
			add(machine, pu, request->numa_node);
	hwloc_bitmap_free(allowed);
	qsort(machine->candidates, machine->count, sizeof(*machine->candidates), compare);
	return machine->count ? 0 : -EINVAL;
}

static void describe(const struct machine *machine, char text[PLACE_MACHINE_LEN])
{
	snprintf(text, PLACE_MACHINE_LEN,
		 "%d package(s), %d NUMA node(s), %d core(s), %d cpu(s); "
		 "ours: %u core(s), %u cpu(s)",
		 hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_PACKAGE),
		 hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_NUMANODE),
		 hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_CORE),
		 hwloc_get_nbobjs_by_type(machine->topology, HWLOC_OBJ_PU), machine->core_count,
		 machine->count);
}

static const struct candidate *find_or_null(const struct machine *machine, int cpu)
{
	for (unsigned i = 0; i < machine->count; i++)
		if (machine->candidates[i].cpu == cpu)
			return &machine->candidates[i];
	return NULL;
}

static uint16_t count_shards(const struct machine *machine, const struct place_request *request)
{
	unsigned count = machine->near_core_count ? machine->near_core_count : machine->core_count;

	if (request->shard_count)
		return request->shard_count;
	if (request->cpu_count)
		count = request->cpu_count;
	return (uint16_t)(count < NET_SHARD_MAX ? count : NET_SHARD_MAX);
}

static bool taken(const struct place *place, unsigned count, int cpu)
{
	for (unsigned i = 0; i < count; i++)
		if (place->cpus[i] == cpu)
			return true;
	return false;
}

static int assign(const struct machine *machine, const struct place_request *request,
		  struct place *out, char why[PLACE_WHY_LEN])
{
	for (unsigned i = 0; i < out->shard_count; i++) {
		const struct candidate *c = &machine->candidates[i % machine->count];

		if (request->cpu_count) {
			int cpu = request->cpus[i % request->cpu_count];

			c = find_or_null(machine, cpu);
			if (!c) {
				snprintf(why, PLACE_WHY_LEN,
					 "cpu %d is not there, or this process may not use it",
					 cpu);
				return -EINVAL;
			}
		}
		out->shared |= taken(out, i, c->cpu);
		out->cpus[i] = c->cpu;
		out->numa_nodes[i] = c->numa_node;
	}
	return 0;
}

int place_choose(const struct place_request *request, struct place *out, char why[PLACE_WHY_LEN])
{
	struct machine machine = {0};
	int rc = survey(&machine, request);

	*out = (struct place){0};
	if (rc) {
		snprintf(why, PLACE_WHY_LEN, "hwloc could not describe the machine");
	} else if (request->shard_count > NET_SHARD_MAX) {
		snprintf(why, PLACE_WHY_LEN, "%u shards wanted, %d are the most",
			 request->shard_count, NET_SHARD_MAX);
		rc = -EINVAL;
	} else {
		describe(&machine, out->machine);
		out->shard_count = count_shards(&machine, request);
		rc = assign(&machine, request, out, why);
	}
	free(machine.candidates);
	if (machine.topology)
		hwloc_topology_destroy(machine.topology);
	return rc;
}
