#include <demi/wait.h>

#include "sdk/convert.h"
#include "sdk/world.h"

/* Results that one round of demi_wait_next_n() fetches. */
enum { WAIT_ROUND_LEN = 128 };

int demi_wait(demi_qresult_t *qr_out, demi_qtoken_t qt, const struct timespec *timeout)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct shard_result result;
	uint64_t timeout_ns;
	int rc;

	if (shard == NULL)
		return ENOSYS;
	if (qr_out == NULL || convert_timeout(timeout, &timeout_ns) != 0)
		return EINVAL;
	rc = shard_wait(shard, qt, timeout_ns, &result);
	if (rc == 0)
		*qr_out = convert_result(&result);
	return -rc;
}

int demi_wait_any(demi_qresult_t *qr_out, int *ready_offset, const demi_qtoken_t qts[], int num_qts,
		  const struct timespec *timeout)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct shard_result result;
	uint64_t timeout_ns;
	int rc;

	if (shard == NULL)
		return ENOSYS;
	if (qr_out == NULL || ready_offset == NULL || qts == NULL || num_qts < 0 ||
	    convert_timeout(timeout, &timeout_ns) != 0)
		return EINVAL;
	rc = shard_wait_any(shard, qts, num_qts, timeout_ns, &result, ready_offset);
	if (rc == 0)
		*qr_out = convert_result(&result);
	return -rc;
}

int demi_wait_next_n(demi_qresult_t *qr_out, int num_qrs, int *num_qrs_out,
		     const struct timespec *timeout)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct shard_result results[WAIT_ROUND_LEN];
	uint64_t timeout_ns;
	int done, rc;

	if (shard == NULL)
		return ENOSYS;
	if (qr_out == NULL || num_qrs_out == NULL || num_qrs < 0 ||
	    convert_timeout(timeout, &timeout_ns) != 0)
		return EINVAL;
	*num_qrs_out = 0;
	do {
		const int left = num_qrs - *num_qrs_out;
		const int want = left < WAIT_ROUND_LEN ? left : WAIT_ROUND_LEN;

		done = 0;
		rc = shard_wait_next_n(shard, want, timeout_ns, results, &done);
		for (int i = 0; i < done; i++)
			qr_out[(*num_qrs_out)++] = convert_result(&results[i]);
		timeout_ns = 0; /* what is ready by now comes along, nothing more is waited for */
	} while (rc == 0 && done == WAIT_ROUND_LEN && *num_qrs_out < num_qrs);
	return rc == -ETIMEDOUT && *num_qrs_out >= WAIT_ROUND_LEN ? 0 : -rc;
}
