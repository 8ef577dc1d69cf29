/*
 * A UDP server on port 7000 of each shard that answers a datagram, however long, in few bytes: the
 * line "bytes LEN fnv1a SUM", SUM being the 64-bit FNV-1a of them. SIGINT ends it.
 */
#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PORT = 7000 };

static uint64_t fnv1a(const uint8_t *bytes, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static int answer(int qd, const demi_sgarray_t *got)
{
	const demi_sgaseg_t *seg = &got->sga_segs[0];
	struct sockaddr_in from = got->sga_addr;
	demi_sgarray_t sga;
	demi_qtoken_t qt;
	char line[80];
	int error, len = snprintf(line, sizeof(line), "bytes %u fnv1a %016" PRIx64 "\n",
				  seg->sgaseg_len, fnv1a(seg->sgaseg_buf, seg->sgaseg_len));

	sga = demi_sgaalloc((size_t)len);
	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, line, (size_t)len);
	error = demi_pushto(&qt, qd, &sga, (struct sockaddr *)&from, sizeof(from));
	demi_sgafree(&sga);
	return error;
}

static int shard_main(void *arg)
{
	static atomic_int ready_count;
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	demi_qresult_t result;
	demi_qtoken_t qt;
	int qd, n, error = demi_socket(&qd, AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	if (!error)
		error = demi_bind(qd, (struct sockaddr *)&local, sizeof(local));
	if (!error)
		error = demi_pop(&qt, qd);
	if (!error && atomic_fetch_add(&ready_count, 1) + 1 == demi_shard_count())
		printf("digest: ready\n");
	while (!error && !(error = demi_wait_next_n(&result, 1, &n, NULL))) {
		if (result.qr_opcode != DEMI_OPC_POP)
			continue;
		error = answer(qd, &result.qr_value.sga);
		demi_sgafree(&result.qr_value.sga);
		if (!error)
			error = demi_pop(&qt, qd);
	}
	if (error != ECANCELED) {
		printf("digest: %s\n", demi_strerror(error));
		demi_shard_stop();
	}
	return error == ECANCELED ? 0 : error;
}

static void on_signal(int number)
{
	(void)number;
	demi_shard_stop();
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGINT, &action, NULL);
	return demi_shard_run(NULL, shard_main, NULL) ? 1 : 0;
}
