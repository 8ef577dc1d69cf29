/*
 * The EAL's start. It works once in a process, also after its cleanup, so what was started is kept
 * here, in the one place of nic/ that has process-wide state besides the log stream.
 */
#include "mem/log.h"
#include "nic/eal_args.h"
#include "nic/eal_log.h"
#include "nic/nic.h"
#include "nic/runtime_dir.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

static struct {
	bool started;
	bool failed; /* a failed rte_eal_init() cannot be repeated either */
	bool pci;
	struct eal_args args;
	char file_prefix[64];
	struct runtime_dir runtime_dir;
	pid_t pid;
} eal;

/* Mapping them is the only sure sign: it reserves, so it fails where counts in /sys would lie. */
static bool can_map(size_t len, unsigned page_shift)
{
	size_t page = (size_t)1 << page_shift;
	size_t rounded = (len + page - 1) / page * page;
	void *p = mmap(NULL, rounded, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
			       (int)(page_shift << MAP_HUGE_SHIFT),
		       -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, rounded);
	return true;
}

static bool choose_runtime_dir(bool telemetry)
{
	const struct runtime_dir_world world = {.given = getenv("RUNTIME_DIRECTORY"),
						.xdg = getenv("XDG_RUNTIME_DIR"),
						.run = "/var/run",
						.tmp = "/tmp",
						.uid = getuid()};
	struct runtime_dir *dir = &eal.runtime_dir;
	bool replaced;

	if (!runtime_dir_choose(&world, eal.file_prefix, dir)) {
		dir->path[0] = '\0';
		if (telemetry)
			log_warning("no telemetry: its socket can be put neither under %s nor "
				    "under /tmp; RUNTIME_DIRECTORY=DIR names another place",
				    dir->usual);
		return false;
	}
	replaced = strcmp(dir->base, dir->usual) != 0;
	if (replaced && setenv("RUNTIME_DIRECTORY", dir->base, 1))
		return false;
	if (replaced && telemetry)
		log_info("%s/dpdk is not ours to write; dpdk-telemetry.py needs "
			 "RUNTIME_DIRECTORY=%s",
			 dir->usual, dir->base);
	return true;
}

/* Registered before the EAL's own handlers and so run after them: their socket is gone by then. */
static void remove_runtime_dir(void)
{
	if (eal.runtime_dir.path[0] && eal.pid == getpid())
		rmdir(eal.runtime_dir.path);
}

/* "clowder-1234", or the program's name: dpdk-telemetry.py -f finds the process by it. */
static void name_prefix(const char *program)
{
	const char *base = program ? strrchr(program, '/') : NULL;

	snprintf(eal.file_prefix, sizeof(eal.file_prefix), "%.32s-%d",
		 base		       ? base + 1
		 : program && *program ? program
				       : "clowder",
		 (int)getpid());
	for (char *c = eal.file_prefix; *c; c++)
		if (*c == '/' || *c == '%' || *c == ' ')
			*c = '_';
}

static int start_again(const struct nic_eal_config *config, const char **why)
{
	size_t mb = eal_args_memory_len(config->memory_len) >> 20;

	*why = eal.args.why;
	if (eal.args.memory_mb && mb > eal.args.memory_mb) {
		*why = "the EAL runs already, with less memory than is wanted now; it cannot be "
		       "started twice in a process";
		return -ENOMEM;
	}
	if (config->hugepages == NIC_HUGEPAGES_ALWAYS && !eal.args.hugepages) {
		*why = "the EAL runs already, without hugepages; it cannot be started twice in a "
		       "process";
		return -EINVAL;
	}
	if (config->pci && !eal.pci) {
		*why = "the EAL runs already, without PCI; it cannot be started twice in a process";
		return -EINVAL;
	}
	return 0;
}

static int init(void)
{
	char *argv[EAL_ARG_MAX + 1];
	const char *caught;
	int rc;

	rc = eal_log_open();
	if (rc)
		return rc;
	memcpy(argv, eal.args.argv, sizeof(argv)); /* the EAL reorders its copy */
	eal_log_catch_begin();
	rc = rte_eal_init(eal.args.argc, argv);
	caught = eal_log_catch_end();
	if (rc >= 0)
		return 0;
	rc = rte_errno ? -rte_errno : -EIO;
	eal.failed = true;
	snprintf(eal.args.why, sizeof(eal.args.why), "the EAL did not start: %s",
		 *caught ? caught : strerror(-rc));
	return rc;
}

int nic_eal_start(const struct nic_eal_config *config, const char **why)
{
	struct eal_facts facts = {.file_prefix = eal.file_prefix};
	size_t len = eal_args_memory_len(config->memory_len);
	int rc;

	if (eal.started)
		return start_again(config, why);
	*why = eal.args.why;
	if (eal.failed)
		return -EIO;
	eal.pid = getpid();
	name_prefix(config->program);
	facts.hugepages_enough =
		config->hugepages != NIC_HUGEPAGES_NEVER && (can_map(len, 21) || can_map(len, 30));
	facts.runtime_dir = choose_runtime_dir(config->telemetry);
	CPU_ZERO(&facts.cpus);
	sched_getaffinity(0, sizeof(facts.cpus), &facts.cpus);
	rc = eal_args_choose(&eal.args, config, &facts);
	if (rc)
		return rc;
	if (facts.runtime_dir) /* the EAL makes it, with telemetry or without */
		atexit(remove_runtime_dir);
	rc = init();
	if (rc)
		return rc;
	eal.started = true;
	eal.pci = config->pci;
	log_debug("EAL %s: %s", rte_version(), eal.args.why);
	return 0;
}

bool nic_eal_hugepages(void)
{
	return eal.started && rte_eal_has_hugepages();
}

int nic_thread_register(void)
{
	if (rte_lcore_id() != LCORE_ID_ANY)
		return 0; /* the main lcore, or registered already */
	return rte_thread_register() ? -rte_errno : 0;
}

void nic_thread_unregister(void)
{
	/* The main lcore was not registered and must stay what it is. */
	if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore())
		rte_thread_unregister();
}
