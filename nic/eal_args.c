#include "nic/eal_args.h"

#include <errno.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

/*
 * Besides pools: device data, interrupt and service tables of the EAL (measured 6 MiB), rings of
 * drivers and mailboxes (under 1 MiB per queue pair at 1024 descriptors), and what malloc's
 * alignment of pool chunks wastes (2 MiB a chunk at most). Pages that are not touched cost nothing,
 * so the sum is generous.
 */
#define MEMORY_FIXED_LEN (64 * MIB)
#define MEMORY_SHARE	 8 /* and an eighth of the pools */

size_t eal_args_memory_len(size_t memory_len)
{
	size_t len = memory_len + memory_len / MEMORY_SHARE + MEMORY_FIXED_LEN;

	return (len + 2 * MIB - 1) / (2 * MIB) * (2 * MIB);
}

__attribute__((format(printf, 2, 3))) static int add(struct eal_args *args, const char *fmt, ...)
{
	char *at = args->text + args->text_len;
	size_t room = sizeof(args->text) - args->text_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room || args->argc >= EAL_ARG_MAX) {
		snprintf(args->why, sizeof(args->why), "too many or too long EAL arguments");
		return -EINVAL;
	}
	args->argv[args->argc++] = at;
	args->argv[args->argc] = NULL;
	args->text_len += (size_t)n + 1;
	return 0;
}

/* The user's own, at the end. Help is refused: the EAL prints it and calls exit(). */
static int add_split(struct eal_args *args, const char *text)
{
	int rc = 0;

	while (text && rc == 0) {
		text += strspn(text, " \t");
		size_t n = strcspn(text, " \t");

		if (n == 0)
			break;
		if (strncmp(text, "--he", 4) == 0 || strncmp(text, "-h", 2) == 0) {
			snprintf(args->why, sizeof(args->why),
				 "EAL argument \"%.*s\" would end the program", (int)n, text);
			return -EINVAL;
		}
		rc = add(args, "%.*s", (int)n, text);
		text += n;
	}
	return rc;
}

/* One lcore that floats over every allowed cpu: "0@(0,1)". Shards pin themselves. */
static int add_lcores(struct eal_args *args, const cpu_set_t *cpus)
{
	char list[1024];
	size_t len = 0;

	for (int first = 0; first < CPU_SETSIZE; first++) {
		int last = first;

		if (!CPU_ISSET(first, cpus))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
			last++;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%d-%d", len ? "," : "",
					first, last);
		if (len >= sizeof(list) - 24)
			break; /* enough cpus to float over */
		first = last;
	}
	return add(args, "--lcores=0@(%s)", len ? list : "0");
}

static int add_memory(struct eal_args *args, const struct nic_eal_config *config,
		      const struct eal_facts *facts)
{
	size_t len = eal_args_memory_len(config->memory_len);
	size_t mb = len / MIB;

	args->hugepages = facts->hugepages_enough && config->hugepages != NIC_HUGEPAGES_NEVER;
	if (args->hugepages) {
		snprintf(args->why, sizeof(args->why), "hugepages");
		return add(args, "--in-memory");
	}
	if (config->hugepages == NIC_HUGEPAGES_ALWAYS) {
		snprintf(args->why, sizeof(args->why),
			 "%zu MiB of hugepages wanted, not that many free; reserve them "
			 "(sysctl vm.nr_hugepages=%zu) or allow 4 KiB pages",
			 mb, mb / 2);
		return -ENOMEM;
	}
	snprintf(args->why, sizeof(args->why), "%zu MiB of 4 KiB pages (%s)", mb,
		 config->hugepages == NIC_HUGEPAGES_NEVER ? "configured so"
							  : "too few hugepages free");
	args->memory_mb = (uint32_t)mb;
	/* Without shared files: they are for secondary processes, of which there are none. */
	if (add(args, "--no-huge") || add(args, "--no-shconf") || add(args, "-m%zu", mb))
		return -EINVAL;
	return 0;
}

static int add_log_level(struct eal_args *args, int level)
{
	if (level == 0)
		return add(args, "--log-level=%d", (int)RTE_LOG_WARNING);
	if (add(args, "--log-level=%d", level))
		return -EINVAL;
	/* Each component has a level of its own, mostly notice, which the global one only narrows.
	 */
	return level > (int)RTE_LOG_NOTICE ? add(args, "--log-level=*:%d", level) : 0;
}

/* The reason first, then the arguments themselves. */
static void explain(struct eal_args *args)
{
	size_t len = strlen(args->why);

	for (int i = 1; i < args->argc && len < sizeof(args->why); i++)
		len += (size_t)snprintf(args->why + len, sizeof(args->why) - len, "%s%s",
					i == 1 ? ": " : " ", args->argv[i]);
}

int eal_args_choose(struct eal_args *args, const struct nic_eal_config *config,
		    const struct eal_facts *facts)
{
	bool telemetry = config->telemetry && facts->runtime_dir;
	int rc;

	memset(args, 0, sizeof(*args));
	if (add(args, "%s", config->program ? config->program : "clowder"))
		return -EINVAL;
	rc = add_memory(args, config, facts);
	if (rc)
		return rc;
	if (add_lcores(args, &facts->cpus) || add(args, "--iova-mode=va") ||
	    add(args, "--file-prefix=%s", facts->file_prefix) ||
	    add_log_level(args, config->log_level) || (!config->pci && add(args, "--no-pci")) ||
	    (!telemetry && add(args, "--no-telemetry")) ||
	    (config->single_file_segments && args->hugepages &&
	     add(args, "--single-file-segments")) ||
	    add_split(args, config->extra_args))
		return -EINVAL;
	explain(args);
	return 0;
}
