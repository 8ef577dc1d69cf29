/*
 * dumpcap (which needs no root) on an interface and tshark as judge of what our side sent there
 * (judge.py). A capture that lost packets judges nothing: that is said, and the test is skipped
 * rather than passed or failed.
 */
#ifndef TESTS_PEERS_CAPTURE_H
#define TESTS_PEERS_CAPTURE_H

#include "program.h"

#include <stdbool.h>

struct capture {
	struct program dumpcap;
	char file[64];
};

/* Returns when the first packet would be seen. */
void capture_start(struct capture *capture, int ns, const char *iface);
/* Ends it; false, and a line on stderr, if the kernel dropped packets of it. */
bool capture_stop(struct capture *capture);
/* Fails the test on findings about the packets from our address; no_loss: packets sent twice are
 * one. */
void capture_judge(const struct capture *capture, const char *ours, bool no_loss);
/* Packets that match one of tshark's display filters. */
unsigned long capture_count(const struct capture *capture, const char *filter);
void capture_clear(struct capture *capture);

#endif
