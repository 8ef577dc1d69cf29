/* What the tests of simulated worlds share: addresses, waits that must succeed, an echo server. */
#ifndef TESTS_SIM_HARNESS_H
#define TESTS_SIM_HARNESS_H

#include "tests/mem/cmocka_all.h"

#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/sim.h>
#include <demi/wait.h>
#include <errno.h>
#include <string.h>

enum { ECHO_PORT = 7 };
#define MS  UINT64_C(1000000)
#define SEC UINT64_C(1000000000)

struct pair {
	struct demi_sim *world;
	int server, client, link;
};

/* Two hosts, 10.0.0.1 and 10.0.0.2, on one wire. */
struct pair pair_new(uint64_t seed);
struct sockaddr_in address_of(int host, uint16_t port);
/* A socket that listens on ECHO_PORT of the host that runs. */
int listen_here(int host);
/* Echoes every connection until each was closed by its peer, `arg` (int *) connections in all. */
int echo_server(void *arg);
/* Connects to the host, sends len bytes, expects them back, and closes: 0, or where it failed. */
int echo_client(int host, size_t len);
/* Waits for ever; the result's errno, 0 if it did not fail. */
int wait_for(demi_qtoken_t qt, demi_qresult_t *qr);

#endif
