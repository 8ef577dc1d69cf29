/*
 * A disk for tests, in front of the real one: it ends operations when it is told to, fails them,
 * writes less than it should, and dies at a given one: from then on nothing reaches the files. It
 * knows what was made durable, so that it can leave what the loss of power might. A test program
 * that links it has it in place of disk_create_or_null()'s whenever it is armed.
 */
#ifndef TESTS_KV_FRAIL_DISK_H
#define TESTS_KV_FRAIL_DISK_H

#include "kv/disk.h"

#include <stdbool.h>
#include <stdint.h>

enum { FRAIL_FILE_COUNT_MAX = 256 };

struct frail_file {
	char name[DISK_NAME_LEN];
	uint64_t written, synced;
	bool known; /* its name is durable */
};

struct frail {
	struct disk disk;
	bool armed;
	struct disk_op_list ops;
	uint64_t random;
	unsigned done, dies_at; /* operations; the one that is the dies_at-th is not carried out */
	bool dead;
	bool tears;	  /* a write that it dies at is carried out in part */
	bool lazy;	  /* ends operations only by chance; otherwise all when it is asked */
	bool swallows;	  /* says that it writes, and does not */
	bool holds_syncs; /* does not end those */
	int holds_fd;	  /* not 0: only of this file */
	int fail_write, fail_sync, fail_open; /* -errno, as long as it is set */
	unsigned syncs, syncs_max;	      /* ever; at a time, of one file */
	struct frail_file files[FRAIL_FILE_COUNT_MAX];
	unsigned file_count;
};

/* There is one. */
extern struct frail frail;

void frail_arm(uint64_t seed);
void frail_disarm(void);
/* What is not durable goes, wholly or in part, or becomes zeros. */
void frail_lose_power(int dir_fd);
uint64_t frail_random(void);

#endif
