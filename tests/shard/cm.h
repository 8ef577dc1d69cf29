/* cmocka, with what it wants to see before it. */
#ifndef TESTS_SHARD_CM_H
#define TESTS_SHARD_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
