/*
 * A runtime on fakes with one shard, which is the test's own thread.
 */
#ifndef TESTS_SHARD_SOLO_H
#define TESTS_SHARD_SOLO_H

#include "shard/state.h"
#include "tests/shard/fake_net.h"

extern struct shard *solo;

/* For cmocka: setup and teardown, which asserts that no buffer is missing. */
int solo_begin(void **state);
int solo_begin_with(const struct runtime_config *config);
int solo_end(void **state);

/* One turn. */
void solo_turn(void);
struct rte_mbuf *solo_sga(const char *text);
void solo_free(struct rte_mbuf *handle);
struct net_endpoint solo_endpoint(uint32_t addr, uint16_t port); /* host order */

/* A connected TCP queue. */
int32_t solo_connected(struct tcp_conn **conn);
int32_t solo_listening(uint16_t port);
uint64_t solo_push(int32_t qd, const char *text); /* frees its handle at once */
uint64_t solo_pop(int32_t qd);

/* The result that is there now; fails the test if there is none. */
struct shard_result solo_result(uint64_t token);
/* Asserts that the token is pending. */
void solo_assert_pending(uint64_t token);
/* Asserts a FAILED result with this errno. */
void solo_assert_failed(uint64_t token, int error);
/* Asserts a popped text, and frees it. */
void solo_assert_popped(uint64_t token, const char *text);

#endif
