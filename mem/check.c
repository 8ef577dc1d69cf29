#include "mem/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "clowder: %s:%d: this must hold and does not: %s\n", file, line, what);
	abort();
}
