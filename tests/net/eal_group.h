/* EAL for a test program, once per process: cmocka's group setup. */
#ifndef TESTS_NET_EAL_GROUP_H
#define TESTS_NET_EAL_GROUP_H

#include <rte_eal.h>

static inline int eal_group_setup(void **state)
{
	static char *args[] = {
		"test",		  "--no-huge",	   "-m",	  "256", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=4", "--lcores=0@0"};

	(void)state;
	return rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0 ? -1 : 0;
}

static inline int eal_group_teardown(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

#endif
