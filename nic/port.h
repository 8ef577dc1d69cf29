/*
 * A port from the inside, shared by the files of nic/ that each do one part of it: port.c its life,
 * setup.c its configuration, probe.c the probe, burst.c bursts and interrupts.
 */
#ifndef NIC_PORT_H
#define NIC_PORT_H

#include "nic/device.h"

#include <rte_ethdev.h>
#include <stdatomic.h>

struct nic_port {
	uint16_t port_id; /* read by every burst; with what follows, on the first line */
	bool plugged;	  /* there is an ethdev */
	bool adopted;	  /* it was there before us (eal_args, another library) and stays */
	bool started;
	atomic_bool trusted;
	atomic_bool link_down;
	uint64_t owner_id;
	int numa_node;
	int rx_epfd[NIC_QUEUE_MAX]; /* holds the queue's interrupt; -1: none */
	struct device device;
	struct nic_port_config config;
	struct nic_port_info info;
};

/* setup.c: everything between a plugged device and a running one. 0 or -errno. */
int setup_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		char why[NIC_WHY_LEN]);

/* burst.c */
void queue_interrupts_open(struct nic_port *port);
void queue_interrupts_close(struct nic_port *port);
/* Frees what waits to be received. Nobody else may use the queues any more. */
void queue_drain(struct nic_port *port);

/* "<device>: <what>: <the driver's words, or the error's>" into why; returns rc. */
int port_fail(const struct nic_port *port, int rc, const char *what, const char *caught,
	      char why[NIC_WHY_LEN]);

#endif
