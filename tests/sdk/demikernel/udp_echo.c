/*
 * A datagram server as people write them for Demikernel. Echoes COUNT datagrams.
 *
 *     udp_echo ADDRESS PORT COUNT
 */
#include <arpa/inet.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void must(const char *what, int error)
{
	if (error == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

int main(int argc, char *const argv[])
{
	struct demi_args args = {argc, argv, NULL};
	struct sockaddr_in addr, from;
	demi_qtoken_t qt = 0;
	demi_qresult_t qr;
	int sockqd = -1, count;

	if (argc != 4)
		return EXIT_FAILURE;
	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_port = htons((unsigned short)atoi(argv[2]));
	if (inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1)
		return EXIT_FAILURE;

	must("init", demi_init(&args));
	must("socket", demi_socket(&sockqd, AF_INET, SOCK_DGRAM, 0));
	must("bind", demi_bind(sockqd, (const struct sockaddr *)&addr, sizeof(addr)));
	printf("listening\n");
	fflush(stdout);

	for (count = atoi(argv[3]); count > 0; count--) {
		must("pop", demi_pop(&qt, sockqd));
		must("wait", demi_wait(&qr, qt, NULL));
		if (qr.qr_opcode != DEMI_OPC_POP)
			return EXIT_FAILURE;
		from = qr.qr_value.sga.sga_addr;
		must("pushto", demi_pushto(&qt, sockqd, &qr.qr_value.sga,
					   (const struct sockaddr *)&from, sizeof(from)));
		must("sgafree", demi_sgafree(&qr.qr_value.sga));
		must("wait", demi_wait(&qr, qt, NULL));
		if (qr.qr_opcode != DEMI_OPC_PUSH)
			return EXIT_FAILURE;
	}
	must("close", demi_close(sockqd));
	return EXIT_SUCCESS;
}
