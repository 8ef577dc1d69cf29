/*
 * Which arguments the EAL is started with: a pure decision from the configuration and from facts
 * about the machine, so that every case can be tested without being on such a machine.
 */
#ifndef NIC_EAL_ARGS_H
#define NIC_EAL_ARGS_H

#include "nic/nic.h"

#include <sched.h>

enum { EAL_ARG_MAX = 64, EAL_ARGS_LEN = 2048 };

struct eal_facts {
	bool hugepages_enough;	 /* huge_len bytes of hugepages can be had */
	bool runtime_dir;	 /* telemetry can put its socket somewhere */
	cpu_set_t cpus;		 /* that the process may run on */
	const char *file_prefix; /* unlike any other process's */
};

struct eal_args {
	char *argv[EAL_ARG_MAX + 1];
	int argc;
	bool hugepages;
	uint32_t memory_mb; /* of -m; 0: as much as the hugepages have */
	char text[EAL_ARGS_LEN];
	size_t text_len;
	char why[NIC_WHY_LEN]; /* one line for the user, also when refused */
};

/* Bytes to ask for when pools take memory_len: the pools, and what EAL and drivers want themselves.
 */
size_t eal_args_memory_len(size_t memory_len);

/* 0, or -ENOMEM (hugepages demanded but not there), -EINVAL (too long); why says it. */
int eal_args_choose(struct eal_args *args, const struct nic_eal_config *config,
		    const struct eal_facts *facts);

#endif
