#include "qd_map.h"

#include <errno.h>
#include <stdlib.h>

enum { SLOT_COUNT_MIN = 64 };

static uint32_t home(const struct qd_map *map, int qd)
{
	return (uint32_t)(((uint32_t)qd * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (map->slot_count - 1);
}

/* The slot of qd, or the free one where it would go. There always is a free one. */
static uint32_t find(const struct qd_map *map, int qd)
{
	uint32_t i = home(map, qd);

	while (map->slots[i].value && map->slots[i].qd != qd)
		i = (i + 1) & (map->slot_count - 1);
	return i;
}

static int grow(struct qd_map *map)
{
	struct qd_map old = *map;

	map->slot_count = old.slot_count ? 2 * old.slot_count : SLOT_COUNT_MIN;
	map->slots = calloc(map->slot_count, sizeof(*map->slots));
	if (!map->slots) {
		*map = old;
		return ENOMEM;
	}
	for (uint32_t i = 0; i < old.slot_count; i++) {
		if (old.slots[i].value)
			map->slots[find(map, old.slots[i].qd)] = old.slots[i];
	}
	free(old.slots);
	return 0;
}

int qd_map_put(struct qd_map *map, int qd, void *value)
{
	if (2 * (map->used + 1) > map->slot_count && grow(map))
		return ENOMEM;
	map->slots[find(map, qd)] = (struct qd_map_slot){.value = value, .qd = qd};
	map->used++;
	return 0;
}

void *qd_map_get_or_null(const struct qd_map *map, int qd)
{
	return map->used ? map->slots[find(map, qd)].value : NULL;
}

void *qd_map_take_or_null(struct qd_map *map, int qd)
{
	uint32_t mask = map->slot_count - 1, hole, i;
	void *value;

	if (!map->used)
		return NULL;
	hole = find(map, qd);
	value = map->slots[hole].value;
	if (!value)
		return NULL;
	/* Later slots of the same run move up, unless that would put them before their home. */
	for (i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
		if (((i - home(map, map->slots[i].qd)) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole].value = NULL;
	map->used--;
	return value;
}

void qd_map_fini(struct qd_map *map)
{
	free(map->slots);
	*map = (struct qd_map){0};
}
