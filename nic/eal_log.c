#include "nic/eal_log.h"

#include "mem/log.h"

#include <errno.h>
#include <pthread.h>
#include <rte_log.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LINE_LEN = 240 };

/* What these lines report is expected where Clowder runs, and nothing follows from it. */
static const char *const harmless[] = {
	"hugepages reported",		     /* sizes that are not reserved; eal.c looked itself */
	"No available hugepages",	     /* likewise */
	"No DPDK runtime directory created", /* telemetry is off, and said so */
	"All rt-signals are in use",	     /* tap.c made it so */
	"No Rx trigger signal available",    /* likewise */
	"Kernel refused TC filter rule",     /* net_tap tries rte_flow; Clowder does not use it */
	"Could not create TC",		     /* likewise */
	"Disabling rte flow support",	     /* likewise */
	"Failed to create eBPF",	     /* likewise */
	"failed to create qdisc",	     /* likewise */
	"Requested device",		     /* cannot be used: a PCI device that is another's */
	"Cannot find a valid device",	     /* said again, with the reason, by port.c */
	"Rx Intr handle unset",		     /* the device has no interrupts; the port says so */
	"Rx Intr vector unset",		     /* likewise */
};

static struct {
	atomic_bool on;
	pthread_t thread;
	char line[LINE_LEN];
} catcher;

static bool is_harmless(const char *line)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strstr(line, harmless[i]))
			return true;
	return false;
}

static enum log_level level_of(int rte_level)
{
	if (rte_level <= (int)RTE_LOG_ERR)
		return LOG_LEVEL_ERROR;
	if (rte_level <= (int)RTE_LOG_WARNING)
		return LOG_LEVEL_WARNING;
	if (rte_level <= (int)RTE_LOG_INFO)
		return LOG_LEVEL_INFO;
	return LOG_LEVEL_DEBUG;
}

/* One write is one log call: the EAL flushes after each. */
static ssize_t take(void *cookie, const char *buf, size_t len)
{
	enum log_level level = level_of(rte_log_cur_msg_loglevel());
	char line[LINE_LEN];
	size_t n = len < sizeof(line) - 1 ? len : sizeof(line) - 1;

	(void)cookie;
	memcpy(line, buf, n);
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	line[n] = '\0';
	if (n == 0)
		return (ssize_t)len;
	if (is_harmless(line)) {
		level = LOG_LEVEL_DEBUG;
	} else if (atomic_load_explicit(&catcher.on, memory_order_acquire) &&
		   pthread_equal(catcher.thread, pthread_self()) && level <= LOG_LEVEL_WARNING) {
		if (level == LOG_LEVEL_ERROR)
			memcpy(catcher.line, line, n + 1);
		level = LOG_LEVEL_DEBUG;
	}
	log_write(level, "dpdk: %s", line);
	return (ssize_t)len;
}

int eal_log_open(void)
{
	static const cookie_io_functions_t io = {.write = take};
	FILE *f = fopencookie(NULL, "w", io);

	if (!f)
		return -ENOMEM;
	rte_openlog_stream(f);
	return 0;
}

void eal_log_catch_begin(void)
{
	catcher.thread = pthread_self();
	catcher.line[0] = '\0';
	/* release; pairs with the acquire in take() */
	atomic_store_explicit(&catcher.on, true, memory_order_release);
}

const char *eal_log_catch_end(void)
{
	atomic_store_explicit(&catcher.on, false, memory_order_release);
	return catcher.line;
}
