/*
 * What no single value can say: the checks across keys, and what follows from several of them (the
 * port of a route, of a neighbour).
 */
#ifndef SDK_CONFIG_CHECK_H
#define SDK_CONFIG_CHECK_H

#include "shard/runtime.h"

/* Where a complaint belongs: a key, or a section if key is NULL; index as in struct toml_item. */
struct config_place {
	const char *section;
	int index;
	const char *key;
};

/* Returns true, or false with the place, what was found (as it was understood) and what is allowed.
 */
bool config_check(struct runtime_config *config, struct config_place *place,
		  char found[static RUNTIME_WHY_LEN], const char **allowed);

#endif
