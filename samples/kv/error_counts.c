#include "kv/error_counts.h"

#include <stdio.h>
#include <string.h>

void error_counts_add(struct error_counts *counts, const char *code, uint64_t count)
{
	for (int i = 0; i < ERROR_COUNTS_MAX; i++) {
		struct error_count *kind = &counts->kinds[i];

		if (kind->code[0] == 0)
			snprintf(kind->code, sizeof(kind->code), "%s", code);
		if (strcmp(kind->code, code) == 0) {
			kind->count += count;
			return;
		}
	}
}
