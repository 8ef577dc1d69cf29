#include "nic/tap.h"

#include "nic/kif.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/*
 * A handler that does nothing, rather than SIG_IGN: ignoring a signal that the program has blocked
 * (for signalfd or sigwait) would throw away what is pending.
 */
static void hold(int signo)
{
	(void)signo;
}

void tap_signals_hold(struct tap_signals *signals)
{
	struct sigaction old, sa = {.sa_handler = hold, .sa_flags = SA_RESTART};

	sigemptyset(&sa.sa_mask);
	sigemptyset(&signals->held);
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++) {
		if (sigaction(signo, NULL, &old) || (old.sa_flags & SA_SIGINFO) ||
		    old.sa_handler != SIG_DFL)
			continue;
		if (sigaction(signo, &sa, NULL) == 0)
			sigaddset(&signals->held, signo);
	}
}

void tap_signals_release(const struct tap_signals *signals)
{
	struct sigaction old, sa = {.sa_handler = SIG_DFL};

	sigemptyset(&sa.sa_mask);
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++)
		if (sigismember(&signals->held, signo) == 1 && sigaction(signo, NULL, &old) == 0 &&
		    old.sa_handler == hold)
			sigaction(signo, &sa, NULL);
}

int tap_check(const struct device *device, char why[NIC_WHY_LEN])
{
	char ifname[IFNAMSIZ];

	if (!device_arg(device, "iface", ifname, sizeof(ifname)) || !kif_exists(ifname))
		return 0;
	snprintf(why, NIC_WHY_LEN,
		 "%s: the interface %s exists already; another process has it, or it was left over "
		 "(ip link del %s), or choose another name",
		 device->name, ifname, ifname);
	return -EEXIST;
}

int tap_kernel_side(const char *ifname, const struct nic_port_config *config, char why[NIC_WHY_LEN])
{
	int rc = kif_up(ifname);

	if (rc == 0)
		rc = kif_addr_add(ifname, config->kernel_addr, config->kernel_prefix_len);
	if (rc)
		snprintf(why, NIC_WHY_LEN,
			 "%s: the kernel's side did not come up with its address: %s", ifname,
			 strerror(-rc));
	return rc;
}
