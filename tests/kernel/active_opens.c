/*
 * Both shards open connections to a server of the kernel and keep one small request in flight on
 * each; at the end each says how many packets came to it and how many had to be handed over.
 *
 *      active_opens ADDRESS PORT CONNECTIONS REQUESTS      counts are per shard
 */
#include "qd_map.h"

#include <arpa/inet.h>
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

enum { SHARD_MAX = 64 };

static struct {
	struct sockaddr_in server;
	uint64_t conn_count, request_count;
} options;

static uint64_t answers[SHARD_MAX];

/* The request is its own number. */
static int ask(int qd, uint64_t number)
{
	demi_sgarray_t sga = demi_sgaalloc(sizeof(number));
	demi_qtoken_t qt;
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, &number, sizeof(number));
	error = demi_push(&qt, qd, &sga);
	demi_sgafree(&sga);
	return error ? error : demi_pop(&qt, qd);
}

static int answered(struct qd_map *numbers, int qd, demi_sgarray_t *sga, uint64_t *open)
{
	uint64_t *number = qd_map_get_or_null(numbers, qd);
	bool right = number && sga->sga_segs[0].sgaseg_len == sizeof(*number) &&
		     memcmp(sga->sga_segs[0].sgaseg_buf, number, sizeof(*number)) == 0;

	demi_sgafree(sga);
	if (!right)
		return EPROTO;
	answers[demi_shard_self()]++;
	if (++*number < options.request_count)
		return ask(qd, *number);
	--*open;
	return demi_close(qd);
}

static int shard_main(void *arg)
{
	uint64_t *numbers = calloc(options.conn_count, sizeof(*numbers));
	uint64_t open = options.conn_count;
	static const struct timespec limit = {.tv_sec = 20};
	struct qd_map map = {0};
	int error = numbers ? 0 : ENOMEM;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd, n;

	(void)arg;
	for (uint64_t i = 0; i < options.conn_count && !error; i++) {
		error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);
		if (!error)
			error = demi_connect(&qt, qd, (struct sockaddr *)&options.server,
					     sizeof(options.server));
		if (!error)
			error = qd_map_put(&map, qd, &numbers[i]);
	}
	while (open && !error) {
		error = demi_wait_next_n(&qr, 1, &n, &limit);
		if (error)
			break;
		if (qr.qr_opcode == DEMI_OPC_CONNECT)
			error = ask(qr.qr_qd, 0);
		else if (qr.qr_opcode == DEMI_OPC_POP)
			error = answered(&map, qr.qr_qd, &qr.qr_value.sga, &open);
		else if (qr.qr_opcode == DEMI_OPC_FAILED)
			error = (int)qr.qr_ret;
	}
	qd_map_fini(&map);
	free(numbers);
	return error;
}

int main(int argc, char **argv)
{
	struct demi_shard_figures f = {.size = sizeof(f)};
	int error;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &options.server.sin_addr) != 1)
		return 2;
	options.server.sin_family = AF_INET;
	options.server.sin_port = htons((uint16_t)atoi(argv[2]));
	options.conn_count = strtoul(argv[3], NULL, 10);
	options.request_count = strtoul(argv[4], NULL, 10);
	error = demi_shard_run(NULL, shard_main, NULL);
	for (int i = 0; i < SHARD_MAX && demi_shard_figures(i, &f) == 0; i++)
		printf("shard %d answers %llu connected %llu rx_packets %llu handed_in %llu "
		       "handed_out %llu\n",
		       i, (unsigned long long)answers[i], (unsigned long long)f.connected,
		       (unsigned long long)f.rx_packets, (unsigned long long)f.handed_in,
		       (unsigned long long)f.handed_out);
	if (error)
		fprintf(stderr, "active_opens: %s\n", demi_strerror(error));
	return error ? 1 : 0;
}
