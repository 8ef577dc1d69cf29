/* Bursts and sleeping: what a shard does with its queue pair. */
#include "nic/port.h"

#include <errno.h>
#include <rte_epoll.h>
#include <sys/epoll.h>
#include <unistd.h>

uint16_t nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rte_eth_rx_burst(port->port_id, queue, pkts, n);
}

/*
 * rte_eth_tx_prepare() is not needed: it computes pseudo header checksums, which net/ writes itself
 * when it asks for a checksum, and checks TSO, which is not used.
 */
uint16_t nic_tx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	return rte_eth_tx_burst(port->port_id, queue, pkts, n);
}

/* On net_ring this is what the other side sent and nobody took; a bound, since peers may go on. */
void queue_drain(struct nic_port *port)
{
	enum { BURST = 32, BURST_MAX = 128 };
	struct rte_mbuf *pkts[BURST];

	for (uint16_t q = 0; q < port->info.queue_count; q++) {
		for (int i = 0; i < BURST_MAX; i++) {
			uint16_t n = rte_eth_rx_burst(port->port_id, q, pkts, BURST);

			if (n == 0)
				break;
			rte_pktmbuf_free_bulk(pkts, n);
		}
	}
}

/*
 * A queue's interrupt sits in an epoll instance of its own, whose descriptor is handed out: drivers
 * differ in whether and how what woke us must be read away, and rte_epoll_wait() knows.
 */
static int open_interrupt(const struct nic_port *port, uint16_t queue)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 &&
	    rte_eth_dev_rx_intr_ctl_q(port->port_id, queue, fd, RTE_INTR_EVENT_ADD, NULL)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void queue_interrupts_open(struct nic_port *port)
{
	if (!port->info.rx_interrupts)
		return;
	for (uint16_t q = 0; q < port->info.queue_count; q++) {
		port->rx_epfd[q] = open_interrupt(port, q);
		if (port->rx_epfd[q] < 0) {
			queue_interrupts_close(port);
			port->info.rx_interrupts = false;
			return;
		}
	}
}

void queue_interrupts_close(struct nic_port *port)
{
	for (unsigned q = 0; q < NIC_QUEUE_MAX; q++) {
		if (port->rx_epfd[q] < 0)
			continue;
		rte_eth_dev_rx_intr_ctl_q(port->port_id, (uint16_t)q, port->rx_epfd[q],
					  RTE_INTR_EVENT_DEL, NULL);
		close(port->rx_epfd[q]);
		port->rx_epfd[q] = -1;
	}
}

int nic_rx_interrupt_fd(struct nic_port *port, uint16_t queue)
{
	return queue < NIC_QUEUE_MAX ? port->rx_epfd[queue] : -1;
}

int nic_rx_interrupt_arm(struct nic_port *port, uint16_t queue, bool on)
{
	struct rte_epoll_event event;
	int rc;

	if (nic_rx_interrupt_fd(port, queue) < 0)
		return -ENOTSUP;
	rc = on ? rte_eth_dev_rx_intr_enable(port->port_id, queue)
		: rte_eth_dev_rx_intr_disable(port->port_id, queue);
	if (!on)
		rte_epoll_wait(port->rx_epfd[queue], &event, 1, 0);
	/* A device without the switch (net_tap) has its interrupt always on. */
	return rc == -ENOTSUP ? 0 : rc;
}
