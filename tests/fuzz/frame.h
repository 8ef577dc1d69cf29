/* Ethernet frames as bytes: their checksums, and whether a host may send them. */
#ifndef TESTS_FUZZ_FRAME_H
#define TESTS_FUZZ_FRAME_H

#include <rte_byteorder.h>
#include <stdint.h>

enum {
	FRAME_LEN_MAX = 2048,
	FRAME_MTU = 1500,
	FRAME_ETH_LEN = 14,
	FRAME_IP_LEN = 20, /* without options */
};

#define HOST_ADDR RTE_BE32(0x0a000001u)
#define PEER_ADDR RTE_BE32(0x0a000002u)

/* Fills in an IPv4 packet's checksums as far as its lengths allow it to be found. */
void frame_sum(uint8_t *frame, uint32_t len);

/* Ends the process if the frame is none that the host, HOST_ADDR, may send: lengths and checksums,
 * and fields that depend on each other, of all protocols that Clowder speaks. */
void frame_check(const uint8_t *frame, uint32_t len);

#endif
