/* The smallest server: waits for whatever ends next, and answers every peer with what it said. */
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

static void on_signal(int number)
{
	(void)number;
	demi_shard_stop(); /* every wait returns ECANCELED from now on */
}

int main(void)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(7)};
	demi_qresult_t result;
	demi_qtoken_t qt;
	int listener, n, error = demi_init(NULL);

	if (error || (error = demi_socket(&listener, AF_INET, SOCK_STREAM, 0)) ||
	    (error = demi_bind(listener, (struct sockaddr *)&local, sizeof(local))) ||
	    (error = demi_listen(listener, 16)) || (error = demi_accept(&qt, listener))) {
		fprintf(stderr, "hello: %s\n", demi_strerror(error));
		return 1;
	}
	signal(SIGINT, on_signal);
	while (!demi_wait_next_n(&result, 1, &n, NULL)) {
		demi_sgarray_t *sga = &result.qr_value.sga;
		int qd = result.qr_qd;

		if (result.qr_opcode == DEMI_OPC_ACCEPT) {
			demi_pop(&qt, result.qr_value.ares.qd);
			demi_accept(&qt, listener);
		} else if (result.qr_opcode == DEMI_OPC_POP) {
			if (sga->sga_segs[0].sgaseg_len == 0 || /* the peer's FIN */
			    demi_push(&qt, qd, sga) || demi_pop(&qt, qd))
				demi_close(qd);
			demi_sgafree(sga);
		} else if (result.qr_opcode == DEMI_OPC_FAILED && result.qr_ret != ECANCELED) {
			demi_close(qd);
		}
	}
	return demi_fini();
}
