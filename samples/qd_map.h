/*
 * From a queue descriptor to what the program keeps about it. Descriptors are plain numbers with no
 * promise of being small, so this is a hash map (open addressing, linear probing); it grows as
 * needed. One thread.
 */
#ifndef SAMPLES_QD_MAP_H
#define SAMPLES_QD_MAP_H

#include <stdint.h>

struct qd_map_slot {
	void *value; /* NULL: free */
	int qd;
};

/* All zero: empty. */
struct qd_map {
	struct qd_map_slot *slots;
	uint32_t slot_count, used; /* slot_count: 0 or a power of two */
};

/* qd must not be there yet; value must not be NULL. 0, or ENOMEM. */
int qd_map_put(struct qd_map *map, int qd, void *value);
void *qd_map_get_or_null(const struct qd_map *map, int qd);
/* Returns what was there, NULL if nothing. */
void *qd_map_take_or_null(struct qd_map *map, int qd);
/* Forgets everything; the values are the caller's. */
void qd_map_fini(struct qd_map *map);

#endif
