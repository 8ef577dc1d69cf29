/*
 * CHECK states what must hold unless Clowder itself is wrong; it stays in release builds. What came
 * from the network or from the program is never checked so: that is parsed, refused or dropped.
 */
#ifndef MEM_CHECK_H
#define MEM_CHECK_H

#include <stdbool.h>

_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			check_failed(__FILE__, __LINE__, #cond);                                   \
	} while (0)

/* CHECK where it would cost too much on the hot path of a release build. */
#ifdef CLOWDER_DEBUG
#define DEBUG_CHECK(cond) CHECK(cond)
#else
#define DEBUG_CHECK(cond) ((void)sizeof(cond))
#endif

#endif
