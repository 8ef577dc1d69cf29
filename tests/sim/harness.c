#include "tests/sim/harness.h"

#include <arpa/inet.h>

struct pair pair_new(uint64_t seed)
{
	struct pair pair;

	assert_int_equal(demi_sim_create(&pair.world, seed), 0);
	assert_int_equal(demi_sim_host(pair.world, NULL, &pair.server), 0);
	assert_int_equal(demi_sim_host(pair.world, NULL, &pair.client), 0);
	assert_int_equal(demi_sim_link(pair.world, pair.server, 0, pair.client, 0, &pair.link), 0);
	return pair;
}

struct sockaddr_in address_of(int host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(0x0a000001u + (unsigned)host)};
}

int listen_here(int host)
{
	const struct sockaddr_in here = address_of(host, ECHO_PORT);
	int qd = -1;

	assert_int_equal(demi_socket(&qd, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(demi_bind(qd, (const struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(demi_listen(qd, 64), 0);
	return qd;
}

int wait_for(demi_qtoken_t qt, demi_qresult_t *qr)
{
	const int error = demi_wait(qr, qt, NULL);

	if (error != 0)
		return error;
	return qr->qr_opcode == DEMI_OPC_FAILED ? (int)qr->qr_ret : 0;
}

int echo_server(void *arg)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(ECHO_PORT)};
	int left = *(const int *)arg, listener = -1, count;
	demi_qresult_t qr;
	demi_qtoken_t qt;

	if (demi_socket(&listener, AF_INET, SOCK_STREAM, 0) != 0 ||
	    demi_bind(listener, (const struct sockaddr *)&here, sizeof(here)) != 0 ||
	    demi_listen(listener, 64) != 0 || demi_accept(&qt, listener) != 0)
		return 1;
	while (left > 0) {
		if (demi_wait_next_n(&qr, 1, &count, NULL) != 0)
			return 2;
		if (qr.qr_opcode == DEMI_OPC_ACCEPT) {
			if (demi_pop(&qt, qr.qr_value.ares.qd) != 0 ||
			    demi_accept(&qt, listener) != 0)
				return 3;
		} else if (qr.qr_opcode == DEMI_OPC_POP) {
			demi_sgarray_t *sga = &qr.qr_value.sga;
			const int ended = sga->sga_segs[0].sgaseg_len == 0;

			if (!ended &&
			    (demi_push(&qt, qr.qr_qd, sga) != 0 || demi_pop(&qt, qr.qr_qd) != 0))
				return 4;
			demi_sgafree(sga);
			if (ended && demi_close(qr.qr_qd) != 0)
				return 5;
			left -= ended;
		} else if (qr.qr_opcode == DEMI_OPC_FAILED) {
			return 6;
		}
	}
	return 0;
}

static int push_all(int qd, size_t len, size_t *sent)
{
	demi_qresult_t qr;
	demi_qtoken_t qt;

	while (*sent < len) {
		const size_t n = len - *sent < 4000 ? len - *sent : 4000;
		demi_sgarray_t sga = demi_sgaalloc(n);
		unsigned char *bytes = sga.sga_segs[0].sgaseg_buf;

		if (sga.sga_buf == NULL)
			return 12;
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)((*sent + i) * 7 + (*sent + i) / 251);
		if (demi_push(&qt, qd, &sga) != 0 || demi_sgafree(&sga) != 0 ||
		    wait_for(qt, &qr) != 0)
			return 13;
		*sent += n;
	}
	return 0;
}

int echo_client(int host, size_t len)
{
	const struct sockaddr_in there = address_of(host, ECHO_PORT);
	size_t sent = 0, got = 0;
	demi_qresult_t qr;
	demi_qtoken_t qt;
	int qd = -1, rc;

	if (demi_socket(&qd, AF_INET, SOCK_STREAM, 0) != 0 ||
	    demi_connect(&qt, qd, (const struct sockaddr *)&there, sizeof(there)) != 0 ||
	    wait_for(qt, &qr) != 0)
		return 11;
	rc = push_all(qd, len, &sent);
	if (rc != 0)
		return rc;
	while (got < len) {
		const unsigned char *bytes;
		size_t n;

		if (demi_pop(&qt, qd) != 0 || wait_for(qt, &qr) != 0)
			return 14;
		bytes = qr.qr_value.sga.sga_segs[0].sgaseg_buf;
		n = qr.qr_value.sga.sga_segs[0].sgaseg_len;
		if (n == 0)
			return 15;
		for (size_t i = 0; i < n; i++)
			if (bytes[i] != (unsigned char)((got + i) * 7 + (got + i) / 251))
				return 16;
		got += n;
		demi_sgafree(&qr.qr_value.sga);
	}
	return demi_close(qd);
}
