/*
 * What net_tap needs that other devices do not: it takes a free real-time signal and has the kernel
 * raise it for every packet, which costs half to two thirds of the rate (DEVICES.md). While the
 * driver opens its file descriptors, at the probe and at the set-up of each queue, no signal is
 * free, and it polls.
 */
#ifndef NIC_TAP_H
#define NIC_TAP_H

#include "nic/device.h"

#include <signal.h>

struct tap_signals {
	sigset_t held;
};

/* Between the two no real-time signal has its default disposition. Those that the program uses are
 * left alone. */
void tap_signals_hold(struct tap_signals *signals);
void tap_signals_release(const struct tap_signals *signals);

/* -EEXIST when the interface is there already: the driver would attach to another process's. */
int tap_check(const struct device *device, char why[NIC_WHY_LEN]);
/* Brings the kernel's side up with the configured address. */
int tap_kernel_side(const char *ifname, const struct nic_port_config *config,
		    char why[NIC_WHY_LEN]);

#endif
