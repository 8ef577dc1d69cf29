#include "nic/port.h"

#include "mem/check.h"
#include "mem/log.h"
#include "nic/eal_log.h"
#include "nic/tap.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int port_fail(const struct nic_port *port, int rc, const char *what, const char *caught,
	      char why[NIC_WHY_LEN])
{
	if (rc >= 0 || rc == -1) /* many drivers know no more than -1 */
		rc = -EIO;
	snprintf(why, NIC_WHY_LEN, "%s: %s: %s", port->device.name, what,
		 caught && *caught ? caught : strerror(-rc));
	return rc;
}

static int own(struct nic_port *port, char why[NIC_WHY_LEN])
{
	struct rte_eth_dev_owner owner = {.name = "clowder"};
	int rc = rte_eth_dev_owner_new(&owner.id);

	eal_log_catch_begin();
	if (rc == 0)
		rc = rte_eth_dev_owner_set(port->port_id, &owner);
	eal_log_catch_end();
	if (rc)
		return port_fail(port, rc == -EPERM ? -EEXIST : rc,
				 "is another port's device already", "", why);
	port->owner_id = owner.id;
	port->numa_node = rte_eth_dev_socket_id(port->port_id);
	port->plugged = true;
	return 0;
}

static int hotplug(struct nic_port *port, char why[NIC_WHY_LEN])
{
	const struct device *device = &port->device;
	const char *caught;
	int rc;

	device_unlink_stale_socket(device);
	eal_log_catch_begin();
	rc = rte_eal_hotplug_add(device->pci ? "pci" : "vdev", device->name, device->args);
	caught = eal_log_catch_end();
	if (rc == -EFAULT) /* the EAL's word for a device that its bus does not find */
		rc = -ENODEV;
	if (rc)
		return port_fail(port, rc, "cannot be opened", caught, why);
	if (rte_eth_dev_get_port_by_name(device->name, &port->port_id)) {
		rte_eal_hotplug_remove(device->pci ? "pci" : "vdev", device->name);
		return port_fail(port, -ENODEV, "its driver made no port", caught, why);
	}
	return 0;
}

static int plug(struct nic_port *port, char why[NIC_WHY_LEN])
{
	bool tap = device_is(&port->device, "net_tap");
	struct tap_signals signals;
	int rc;

	if (rte_eth_dev_get_port_by_name(port->device.name, &port->port_id) == 0) {
		port->adopted = true;
		return own(port, why);
	}
	if (!tap) {
		rc = hotplug(port, why);
		return rc ? rc : own(port, why);
	}
	rc = tap_check(&port->device, why);
	if (rc)
		return rc;
	tap_signals_hold(&signals);
	rc = hotplug(port, why);
	tap_signals_release(&signals);
	return rc ? rc : own(port, why);
}

int nic_port_probe(const struct nic_port_config *config, struct nic_port **out,
		   char why[NIC_WHY_LEN])
{
	struct nic_port *port = calloc(1, sizeof(*port));
	int rc;

	*out = NULL;
	if (!port) {
		snprintf(why, NIC_WHY_LEN, "out of memory");
		return -ENOMEM;
	}
	port->config = *config;
	port->config.device[NIC_DEVICE_LEN - 1] = '\0';
	port->numa_node = SOCKET_ID_ANY;
	for (int q = 0; q < NIC_QUEUE_MAX; q++)
		port->rx_epfd[q] = -1;
	rc = device_parse(&port->device, port->config.device, why);
	if (rc == 0 && device_lacks_queue_count(&port->device)) {
		/* The driver must be told how many queues, which nic_port_start() may have to say.
		 */
		if (config->queue_count)
			device_set_queue_count(&port->device, config->queue_count);
	}
	if (rc == 0 && !device_lacks_queue_count(&port->device))
		rc = plug(port, why);
	if (rc) {
		nic_port_close(port);
		return rc;
	}
	*out = port;
	return 0;
}

int nic_port_start(struct nic_port *port, uint16_t shard_count, struct rte_mempool *const pools[],
		   char why[NIC_WHY_LEN])
{
	bool tap = device_is(&port->device, "net_tap");
	struct tap_signals signals;
	int rc;

	CHECK(shard_count > 0 && shard_count <= NIC_QUEUE_MAX && !port->started);
	if (!port->plugged) {
		device_set_queue_count(&port->device, shard_count);
		rc = plug(port, why);
		if (rc)
			return rc;
	}
	/* Each queue of a tap opens a file descriptor of its own. */
	if (tap)
		tap_signals_hold(&signals);
	rc = setup_start(port, shard_count, pools, why);
	if (tap)
		tap_signals_release(&signals);
	if (rc)
		return rc;
	nic_port_link_look(port);
	queue_interrupts_open(port);
	snprintf(why, NIC_WHY_LEN, "%s", port->info.why);
	if (port->device.driver && port->device.driver->hint)
		log_info("%s: %s", port->device.name, port->device.driver->hint);
	return 0;
}

static void unplug(struct nic_port *port)
{
	struct rte_eth_dev_info dev = {0};
	int rc;

	rte_eth_dev_owner_unset(port->port_id, port->owner_id);
	if (port->adopted)
		return;
	rte_eth_dev_info_get(port->port_id, &dev);
	rc = rte_eth_dev_close(port->port_id);
	if (rc == 0 && dev.device)
		rc = rte_dev_remove(dev.device);
	if (rc)
		log_warning("%s: could not be removed: %s", port->device.name, strerror(-rc));
}

void nic_port_close(struct nic_port *port)
{
	int rc;

	if (!port)
		return;
	if (port->started) {
		queue_interrupts_close(port);
		queue_drain(port);
		rc = rte_eth_dev_stop(port->port_id);
		if (rc)
			log_warning("%s: did not stop: %s", port->device.name, strerror(-rc));
	}
	if (port->plugged)
		unplug(port);
	free(port);
}

const struct nic_port_info *nic_port_info(const struct nic_port *port)
{
	return &port->info;
}

int nic_port_numa_node(const struct nic_port *port)
{
	return port->numa_node;
}

void nic_port_distrust_mt(struct nic_port *port)
{
	if (atomic_exchange_explicit(&port->trusted, false, memory_order_relaxed))
		log_warning("%s: a packet's hash or queue was not what the key and RETA say; from "
			    "here on steering is software",
			    port->device.name);
}

bool nic_port_trusted_mt(const struct nic_port *port)
{
	return atomic_load_explicit(&port->trusted, memory_order_relaxed);
}

void nic_port_link_look(struct nic_port *port)
{
	struct rte_eth_link link;
	/* One that cannot tell has a link. */
	bool down = rte_eth_link_get_nowait(port->port_id, &link) == 0 &&
		    link.link_status == RTE_ETH_LINK_DOWN;

	atomic_store_explicit(&port->link_down, down, memory_order_relaxed);
}

bool nic_port_link_up_mt(const struct nic_port *port)
{
	return !atomic_load_explicit(&port->link_down, memory_order_relaxed);
}

void nic_port_xstats_mt(const struct nic_port *port,
			void (*fn)(const char *name, uint64_t value, void *arg), void *arg)
{
	int n = rte_eth_xstats_get_names(port->port_id, NULL, 0);
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;

	if (n <= 0)
		return;
	names = calloc((size_t)n, sizeof(*names));
	values = calloc((size_t)n, sizeof(*values));
	if (names && values && rte_eth_xstats_get_names(port->port_id, names, (unsigned)n) == n &&
	    rte_eth_xstats_get(port->port_id, values, (unsigned)n) == n)
		for (int i = 0; i < n; i++)
			if (values[i].id < (uint64_t)n)
				fn(names[values[i].id].name, values[i].value, arg);
	free(names);
	free(values);
}
