/* The EAL in 4 KiB pages and without privileges, once a process; a group setup of cmocka. */
#ifndef TESTS_MEM_EAL_H
#define TESTS_MEM_EAL_H

#include <rte_eal.h>
#include <rte_log.h>

static inline int eal_setup(void **state)
{
	static char *args[] = {"test",
			       "--no-huge",
			       "-m",
			       "256",
			       "--no-pci",
			       "--no-shconf",
			       "-l",
			       "0",
			       "--no-telemetry",
			       "--log-level=lib.eal:error",
			       "--iova-mode=va"};

	(void)state;
	return rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0 ? -1 : 0;
}

static inline int eal_teardown(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

#endif
