/*
 * Packet memory that AddressSanitizer can see into. A mempool is one mapping, so that a read behind
 * a packet, or of one that was freed, hits a neighbour and goes unnoticed. What links fuzz_poison
 * has, of every pool, free buffers poisoned from their mbuf's private area to their end, and of
 * every packet that a simulated device receives, what lies behind its bytes. There is nothing to
 * call: the linker puts it around mem_create(), mem_destroy() and nic_rx_burst(). Without
 * AddressSanitizer it does nothing.
 */
#ifndef TESTS_FUZZ_POISON_H
#define TESTS_FUZZ_POISON_H

#include "mem/mem.h"
#include "nic/nic.h"

/* ld --wrap=f: calls of f become __wrap_f(), f itself __real_f(). */
int __wrap_mem_create(struct mem *mem, const struct mem_config *config);
int __real_mem_create(struct mem *mem, const struct mem_config *config);
void __wrap_mem_destroy(struct mem *mem);
void __real_mem_destroy(struct mem *mem);
uint16_t __wrap_nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts,
			     uint16_t n);
uint16_t __real_nic_rx_burst(struct nic_port *port, uint16_t queue, struct rte_mbuf **pkts,
			     uint16_t n);

#endif
