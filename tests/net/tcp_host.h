/*
 * A host for the tests of TCP: one shard's stack on bare mbufs, the clock in the caller's hand. Its
 * neighbours are known. Host i is 10.0.0.(i + 1).
 */
#ifndef TESTS_NET_TCP_HOST_H
#define TESTS_NET_TCP_HOST_H

#include "mem/rcu.h"
#include "net/stack.h"
#include "net/tcp.h"
#include "net/tcp_conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS (1000ull * 1000)
#define S  (1000 * MS)

enum { HOST_FRAME_LEN_MAX = 1600 };

struct host_frame {
	unsigned len;
	uint8_t bytes[HOST_FRAME_LEN_MAX];
};

struct host {
	TAILQ_ENTRY(host) link;
	uint16_t index;
	uint64_t now_ns, random;
	uint16_t port_next;
	struct ip_addr addr;
	struct rte_ether_addr mac;
	struct host *beside; /* another shard of the machine, to hand over to */
	bool away;	     /* its flows belong to another shard by hash */
	struct net_tables *tables;
	bool tables_shared;
	struct mem mem;
	struct mem_use idle_use;
	struct counters counters;
	struct net *net;
};

/* What most tests run with: 1460 bytes of MSS, timestamps and window scale off. */
struct tcp_config host_config(void);

/* Group setup and teardown: the EAL without devices, and this thread a reader of RCU. */
int host_group_setup(void **state);
int host_group_teardown(void **state);

struct host *host_begin(uint16_t index, const struct tcp_config *config, uint64_t now_ns);
/* As much packet memory as asked for, of each of the data and small pools. */
struct host *host_begin_small(uint16_t index, const struct tcp_config *config, uint64_t now_ns,
			      uint32_t buffer_count);
/* Shard `index` of the machine whose shard 0 is first, which has to end after it. They hand over to
 * each other; first->away makes all flows this one's. */
struct host *host_begin_beside(struct host *first, uint16_t index, const struct tcp_config *config);
/* Checks that no buffer is missing. */
void host_end(struct host *h);

/* A test that failed leaves its hosts behind; this keeps them from failing the next one too. */
int host_sweep(void **state);
#define host_test(f) cmocka_unit_test_teardown(f, host_sweep)

struct ip_addr host_addr(uint16_t index);
void host_input(struct host *h, const struct host_frame *f);
/* The next frame that leaves; false: none. */
bool host_output(struct host *h, struct host_frame *f);
/* Time passes in small steps, timers fire. */
void host_after(struct host *h, uint64_t ns);

/* --- what a program does --- */
struct tcp_listener *host_listen(struct host *h, uint16_t port, uint32_t backlog);
/* Pushes len bytes, byte i of the stream is pattern(start + i); 0 or -errno. The buffer is freed
 * right away: the push has its own reference. */
int host_push(struct host *h, struct tcp_conn *conn, uint64_t start, uint32_t len, uint64_t cookie);
/* Pops what is there and checks it against the pattern; returns how many bytes; *end: what ended it
 * (0: FIN, -EAGAIN, or -errno). */
uint64_t host_pop_all(struct host *h, struct tcp_conn *conn, uint64_t start, int *end);
static inline uint8_t host_pattern(uint64_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16 ^ at * 31 >> 5);
}
/* The next ended push; false: none. */
bool host_done(struct host *h, uint64_t *cookie, int *error);

#endif
