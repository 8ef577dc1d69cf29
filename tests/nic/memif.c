/* net_memif: two processes, each with an EAL of its own; the child sends back what it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/nic/frames.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUEUE_COUNT = 2, FRAME_COUNT = 200 };

static char server[NIC_DEVICE_LEN], client[NIC_DEVICE_LEN];
/* The parent writes to it when it listens, and closes it when it has seen all. */
static int parent_fd[2];
static pid_t peer;

static bool stopped(void)
{
	struct pollfd pfd = {.fd = parent_fd[0], .events = POLLIN};

	return poll(&pfd, 1, 0) != 0;
}

static void echo_until_stopped(void)
{
	struct rte_mbuf *pkts[32];
	struct nic_port *port;
	char byte;

	assert_int_equal(read(parent_fd[0], &byte, 1), 1);
	port = frames_open(client, QUEUE_COUNT);
	while (!stopped()) {
		for (uint16_t q = 0; q < QUEUE_COUNT; q++) {
			uint16_t n = nic_rx_burst(port, q, pkts, 32), taken = 0;

			while (taken < n && !stopped())
				taken += nic_tx_burst(port, q, pkts + taken, (uint16_t)(n - taken));
			rte_pktmbuf_free_bulk(pkts + taken, (unsigned)(n - taken));
		}
	}
	nic_port_close(port);
	frames_expect_all_home();
}

static void the_peer(void **state)
{
	(void)state;
	echo_until_stopped();
}

static bool link_up(struct nic_port *port)
{
	nic_port_link_look(port);
	return nic_port_link_up_mt(port);
}

static void frames_come_back_from_another_process(void **state)
{
	struct nic_port *port = frames_open(server, QUEUE_COUNT);
	int status;

	(void)state;
	assert_false(nic_port_link_up_mt(port)); /* from the start */
	assert_int_equal(write(parent_fd[1], "", 1), 1);
	assert_int_equal(nic_port_info(port)->queue_count, QUEUE_COUNT);
	assert_int_equal(nic_port_info(port)->mtu, 1500);
	for (uint16_t q = 0; q < QUEUE_COUNT; q++)
		frames_send(port, q, q * (FRAME_COUNT / QUEUE_COUNT), FRAME_COUNT / QUEUE_COUNT);
	frames_receive(port, FRAME_COUNT);
	assert_true(link_up(port));
	/* This side leaves first: the driver may not survive its peer's leaving (DEVICES.md). */
	nic_port_close(port);
	frames_expect_all_home();
	close(parent_fd[1]);
	assert_int_equal(waitpid(peer, &status, 0), peer);
	assert_int_equal(status, 0);
}

static int run_peer(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_peer)};

	close(parent_fd[1]);
	return cmocka_run_group_tests_name("peer", tests, frames_setup, frames_teardown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_back_from_another_process),
	};

	/* An abstract socket, its name the network namespace's own. */
	snprintf(server, sizeof(server), "net_memif0,role=server,id=0");
	snprintf(client, sizeof(client), "net_memif0,role=client,id=0");
	frames_namespace();
	if (pipe(parent_fd))
		return 1;
	peer = fork();
	if (peer == 0)
		return run_peer();
	return cmocka_run_group_tests(tests, frames_setup, frames_teardown);
}
