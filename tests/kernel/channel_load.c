/*
 * Two shards send each other numbered messages of mixed sizes and check every byte and the order.
 *
 *      channel_load pingpong COUNT      one message in flight, sent back as it came
 *      channel_load stream COUNT        both at once send as much as the channel takes
 *
 * Exits with 0 if all arrived and every buffer came home.
 */
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUSH_COUNT_MAX = 500 }; /* outstanding: several times what a mailbox of the test holds */

static uint64_t count;

struct side {
	int qd, from;	    /* from: the shard whose messages arrive here */
	uint64_t sent, got; /* messages */
	uint64_t pushing, pushing_max;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 29);
}

/* Most fit one packet; one in 64 does not. */
static size_t message_len(int from, uint64_t number)
{
	uint64_t x = mix(number * 2 + (uint64_t)from);

	return x % 64 ? 1 + (x >> 8) % 1400 : 1 + (x >> 8) % 65535;
}

static uint8_t message_byte(int from, uint64_t number, size_t at)
{
	return (uint8_t)((number * 31 + (uint64_t)from * 101 + at * 7) >> 2);
}

static bool is_message(const demi_sgarray_t *sga, int from, uint64_t number)
{
	const uint8_t *bytes = sga->sga_segs[0].sgaseg_buf;
	size_t len = sga->sga_segs[0].sgaseg_len;

	if (len != message_len(from, number))
		return false;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != message_byte(from, number, i))
			return false;
	return true;
}

/* 0; ENOMEM: no buffer just now. */
static int push_message(int qd, int from, uint64_t number)
{
	size_t len = message_len(from, number);
	demi_sgarray_t sga = demi_sgaalloc(len);
	demi_qtoken_t qt;
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)sga.sga_segs[0].sgaseg_buf)[i] = message_byte(from, number, i);
	error = demi_push(&qt, qd, &sga);
	demi_sgafree(&sga);
	return error;
}

/* --- stream --- */

static int stream_result(struct side *side, demi_qresult_t *qr)
{
	demi_qtoken_t qt;
	bool right;

	if (qr->qr_opcode == DEMI_OPC_PUSH) {
		side->pushing--;
		return 0;
	}
	if (qr->qr_opcode != DEMI_OPC_POP)
		return (int)qr->qr_ret;
	right = is_message(&qr->qr_value.sga, side->from, side->got);
	demi_sgafree(&qr->qr_value.sga);
	if (!right)
		return EPROTO;
	return ++side->got < count ? demi_pop(&qt, side->qd) : 0;
}

static int stream(struct side *side, int self)
{
	static const struct timespec limit = {.tv_sec = 20};
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error = demi_pop(&qt, side->qd), n;

	while (!error && (side->got < count || side->sent < count || side->pushing)) {
		while (!error && side->sent < count && side->pushing < PUSH_COUNT_MAX) {
			error = push_message(side->qd, self, side->sent);
			side->sent += !error;
			side->pushing += !error;
		}
		if (error == EAGAIN || (error == ENOMEM && side->pushing))
			error = 0;
		if (side->pushing > side->pushing_max)
			side->pushing_max = side->pushing;
		if (!error)
			error = demi_wait_next_n(&qr, 1, &n, &limit);
		if (!error)
			error = stream_result(side, &qr);
	}
	return error;
}

/* --- pingpong --- */

static int wait_for(demi_qtoken_t qt, demi_qresult_t *qr)
{
	static const struct timespec limit = {.tv_sec = 20};
	int error = demi_wait(qr, qt, &limit);

	return error ? error : qr->qr_opcode == DEMI_OPC_FAILED ? (int)qr->qr_ret : 0;
}

/* Shard 0 sends what shard 1 sends back; the push of one turn is over when the answer is there. */
static int pingpong(struct side *side, int self)
{
	demi_qresult_t qr;
	demi_qtoken_t qt, push_qt;
	int error = 0;

	for (uint64_t i = 0; i < count && !error; i++) {
		if (self == 0)
			error = push_message(side->qd, 0, i);
		if (!error)
			error = demi_pop(&qt, side->qd);
		if (!error)
			error = wait_for(qt, &qr);
		if (error)
			return error;
		if (!is_message(&qr.qr_value.sga, 0, i))
			error = EPROTO;
		else if (self == 1)
			error = demi_push(&push_qt, side->qd, &qr.qr_value.sga);
		demi_sgafree(&qr.qr_value.sga);
		if (!error && self == 1)
			error = wait_for(push_qt, &qr);
		side->got++;
		side->sent++;
	}
	return error;
}

/* --- */

static int (*load)(struct side *side, int self);

/* Both ends stay open until both sides have all; so the end is the peer's close. */
static int see_off(struct side *side)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int error = demi_shard_self() == 0 ? demi_close(side->qd) : demi_pop(&qt, side->qd);

	if (error || demi_shard_self() == 0)
		return error;
	error = wait_for(qt, &qr);
	if (!error && qr.qr_value.sga.sga_segs[0].sgaseg_len != 0)
		error = EPROTO;
	return error ? error : demi_close(side->qd);
}

static int shard_main(void *arg)
{
	int self = demi_shard_self();
	struct side side = {.from = 1 - self};
	int error = demi_shard_channel(&side.qd, 1 - self);

	(void)arg;
	if (!error)
		error = load(&side, self);
	if (!error)
		error = see_off(&side);
	printf("shard %d sent %llu got %llu pushing_max %llu\n", self,
	       (unsigned long long)side.sent, (unsigned long long)side.got,
	       (unsigned long long)side.pushing_max);
	if (error)
		demi_shard_stop();
	return error;
}

int main(int argc, char **argv)
{
	int error;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	load = strcmp(argv[1], "stream") == 0 ? stream : pingpong;
	count = strtoull(argv[2], NULL, 10);
	error = demi_shard_run(NULL, shard_main, NULL);
	if (error)
		fprintf(stderr, "channel_load: %s\n", demi_strerror(error));
	return error ? 1 : 0;
}
