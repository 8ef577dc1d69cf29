/*
 * The kernel's side of a port: the interface that a tap makes, or that af_packet and af_xdp sit on.
 * Control thread only.
 */
#ifndef NIC_KIF_H
#define NIC_KIF_H

#include <rte_byteorder.h>
#include <stdbool.h>
#include <stdint.h>

bool kif_exists(const char *ifname);
/* Its MTU, or -errno. */
int kif_mtu(const char *ifname);
/* Gives it the address (network order), with a prefix of 1 .. 32, and nothing else. 0 or -errno. */
int kif_addr_add(const char *ifname, rte_be32_t addr, uint8_t prefix_len);
int kif_up(const char *ifname);

#endif
