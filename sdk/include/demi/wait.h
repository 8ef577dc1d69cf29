/*
 * Waiting. The thread that waits is the one that drives the shard's network: nothing is sent or
 * received outside these calls.
 *
 * timeout: NULL waits for ever, {0, 0} turns the loop once; an invalid one gives EINVAL. Expiry
 * gives ETIMEDOUT; ECANCELED means that demi_shard_stop() was called. An operation that failed is a
 * result like any other: the wait returns 0, qr_opcode is DEMI_OPC_FAILED, qr_ret says why. The
 * call that returns a result consumes its token; a result that nobody asked for is kept.
 */
#ifndef DEMI_WAIT_H
#define DEMI_WAIT_H

#include <demi/cc.h>
#include <demi/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec;

/* Waits for one token. EINVAL: unknown, consumed, or another shard's. */
DEMI_API int demi_wait(demi_qresult_t *qr_out, demi_qtoken_t qt, const struct timespec *timeout)
	ATTR_NONNULL(1);

/*
 * Waits for any of num_qts tokens; *ready_offset says which one it was. The cost does not grow with
 * the number of tokens if the array keeps its place and order between calls. EINVAL: a negative
 * count, or a token among them that is unknown or consumed and was met.
 */
DEMI_API int demi_wait_any(demi_qresult_t *qr_out, int *ready_offset, const demi_qtoken_t qts[],
			   int num_qts, const struct timespec *timeout) ATTR_NONNULL(1, 2, 3);

/*
 * Takes the next num_qrs results of anything outstanding on this shard, without a list of tokens,
 * and waits for as many: a server asks for 1, and then with a timeout of {0, 0} for what else is
 * ready. *num_qrs_out says how many came, with ETIMEDOUT and ECANCELED too: those are valid and
 * consumed. EINVAL: a negative count.
 */
DEMI_API int demi_wait_next_n(demi_qresult_t *qr_out, int num_qrs, int *num_qrs_out,
			      const struct timespec *timeout) ATTR_NONNULL(1, 3);

#ifdef __cplusplus
}
#endif

#endif
