#include "capture.h"

#include "cmocka_all.h"
#include "echo_process.h"
#include "netns.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	START_SECONDS = 20,
	END_SECONDS = 60,
	JUDGE_SECONDS = 200,
	/* dumpcap sees packets when the kernel's block of them is full, or a second after the
	 * first; those of a block that it did not see yet are lost at its end. */
	RETIRE_US = 1200000,
};

#define BUFFER_MIB "64"

void capture_start(struct capture *capture, int ns, const char *iface)
{
	static unsigned number;
	const char *const argv[] = {"/usr/bin/dumpcap", "-i", iface, "-q",	    "-s", "0", "-B",
				    BUFFER_MIB,		"-P", "-w",  capture->file, NULL};

	snprintf(capture->file, sizeof(capture->file), "%s/%u.pcap", work_dir(), number++);
	program_start(&capture->dumpcap, ns, argv);
	program_expect(&capture->dumpcap, "File: ", START_SECONDS);
}

bool capture_stop(struct capture *capture)
{
	unsigned long received, dropped;
	const char *line, *counts;

	usleep(RETIRE_US);
	program_signal(&capture->dumpcap, SIGINT);
	line = program_expect(&capture->dumpcap, "Packets received/dropped", END_SECONDS);
	counts = strstr(line, "': ");
	assert_non_null(counts);
	assert_int_equal(sscanf(counts, "': %lu/%lu", &received, &dropped), 2);
	if (dropped) {
		fprintf(stderr, "capture: not judged: %s\n", line);
		return false;
	}
	assert_int_equal(program_wait(&capture->dumpcap, END_SECONDS), 0);
	return true;
}

void capture_judge(const struct capture *capture, const char *ours, bool no_loss)
{
	const char *const argv[] = {JUDGE_PROGRAM, capture->file, ours, no_loss ? "no-loss" : NULL,
				    NULL};
	int here = netns_current(), status;
	struct program judge;

	program_start(&judge, here, argv);
	close(here);
	status = program_wait(&judge, JUDGE_SECONDS);
	program_show(&judge);
	program_clear(&judge);
	if (status)
		fail_msg("the judge ended with %d", status);
}

unsigned long capture_count(const struct capture *capture, const char *filter)
{
	const char *const argv[] = {
		"/usr/bin/tshark", "-n", "-r",		 capture->file, "-Y", filter, "-T",
		"fields",	   "-e", "frame.number", NULL};
	int here = netns_current();
	struct program tshark;
	unsigned long count = 0;

	program_start(&tshark, here, argv);
	close(here);
	assert_int_equal(program_wait(&tshark, JUDGE_SECONDS), 0);
	for (size_t i = 0, begin = 0; i < tshark.len; i++) {
		if (tshark.text[i] != '\n')
			continue;
		/* tshark's warnings, as about running as root, begin with a letter */
		count += tshark.text[begin] >= '0' && tshark.text[begin] <= '9';
		begin = i + 1;
	}
	program_clear(&tshark);
	return count;
}

void capture_clear(struct capture *capture)
{
	program_clear(&capture->dumpcap);
}
