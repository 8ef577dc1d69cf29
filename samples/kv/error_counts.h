/* How many errors of each kind were answered, by the word that an error begins with: "WRONGTYPE".
 */
#ifndef KV_ERROR_COUNTS_H
#define KV_ERROR_COUNTS_H

#include "kv/out.h"

#include <stdint.h>

enum { ERROR_COUNTS_MAX = 16 }; /* kinds; those met later are not counted */

struct error_count {
	char code[OUT_ERROR_CODE_LEN]; /* "": there are no more */
	uint64_t count;
};

/* Zeros: none. */
struct error_counts {
	struct error_count kinds[ERROR_COUNTS_MAX];
};

void error_counts_add(struct error_counts *counts, const char *code, uint64_t count);

#endif
