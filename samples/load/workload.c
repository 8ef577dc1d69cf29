#include "load/workload.h"

#include <stddef.h>
#include <string.h>

const struct workload *workload_find_or_null(const char *name)
{
	static const struct workload *const all[] = {&workload_echo, &workload_connect,
						     &workload_resp};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
}
