/*
 * What the device tests share: an EAL, the pools of two shards, a network namespace of the test's
 * own, and numbered frames of the experimental EtherType that are sent, received and counted.
 */
#ifndef TESTS_NIC_FRAMES_H
#define TESTS_NIC_FRAMES_H

#include "mem/mem.h"
#include "nic/nic.h"

enum { FRAMES_SHARD_MAX = 2, FRAMES_LEN = 200, FRAMES_COUNT_MAX = 256 };

/* A user (if not root) and network namespace without IPv6 noise; before the EAL starts. */
void frames_namespace(void);
/* Root of the machine, not of a user namespace. */
bool frames_is_root(void);
/* Runs a command and fails the test if it fails. */
void frames_command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* cmocka group fixtures: the EAL and the pools. */
int frames_setup(void **state);
int frames_teardown(void **state);

struct rte_mempool *frames_pool(uint16_t shard);
/* Fails the test unless every buffer is back in its pool. */
void frames_expect_all_home(void);

/* Opens and starts a port with one queue pair per shard; fails the test with the reason. */
struct nic_port *frames_open(const char *device, uint16_t shard_count);
struct nic_port *frames_open_config(const struct nic_port_config *config, uint16_t shard_count);
struct nic_port_config frames_config(const char *device);
/* Opening or starting must fail so, and why must contain the word. */
void frames_expect_refused(const struct nic_port_config *config, uint16_t shard_count, int error,
			   const char *word);

/* The frame of that number, FRAMES_LEN bytes. */
void frames_write(uint8_t *frame, uint32_t number);
/* Sends count frames numbered from first on a queue; offers again what was refused. */
void frames_send(struct nic_port *port, uint16_t queue, uint32_t first, uint32_t count);
/* Receives on all queues until each of the numbers 0 .. count-1 came exactly once. */
void frames_receive(struct nic_port *port, uint32_t count);

/* A raw socket of the kernel on an interface, for the same frames. */
int frames_socket(const char *ifname);
void frames_socket_send(int fd, uint32_t first, uint32_t count);
void frames_socket_receive(int fd, uint32_t count);

#endif
