/*
 * A client on the kernel's sockets, bounded in time: every call that waits gives up after 20
 * seconds and fails the test. All begin by reading the echo sample's greeting.
 */
#ifndef TESTS_KERNEL_PEER_H
#define TESTS_KERNEL_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PEER_ADDRESS "10.99.0.2"

/* A connection to the echo server, greeted; *shard, if not NULL, says who serves it.
 * rcvbuf_len 0: the kernel's default. */
int peer_connect(int rcvbuf_len, int *shard);
/* 0, or the errno with which a connect to that port fails. */
int peer_connect_error(uint16_t port);
/* A UDP socket whose peer is the echo server. */
int peer_udp(void);

/* The byte at an offset of the stream that tests send. */
uint8_t pattern(uint64_t offset);
/* Sends and receives len bytes of the pattern at the same time, and compares. */
void peer_exchange(int fd, size_t len);
/* Sends bytes of the pattern, in pieces of odd length, until the kernel takes no more and the peer
 * does not make room for a while; returns how many. */
size_t peer_stuff(int fd, size_t max);
/* Receives len bytes and compares them with the pattern from offset 0. */
void peer_receive(int fd, size_t len);
/* The peer's FIN, and no byte and no reset before it. */
void peer_expect_fin(int fd);

#endif
