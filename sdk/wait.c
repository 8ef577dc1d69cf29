#include <demi/wait.h>

#include "sdk/convert.h"
#include "sdk/world.h"
#include "shard/clock.h"

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
		convert_result(&result, qr_out);
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
		convert_result(&result, qr_out);
	return -rc;
}

/* Rounds share one deadline. Without a second round there is no need to know the time. */
static uint64_t deadline_of(uint64_t timeout_ns, int num_qrs)
{
	const uint64_t now =
		num_qrs > WAIT_ROUND_LEN && timeout_ns != SHARD_FOREVER ? clock_now_ns_mt() : 0;

	return timeout_ns < SHARD_FOREVER - now ? now + timeout_ns : SHARD_FOREVER;
}

static uint64_t left_until(uint64_t deadline)
{
	const uint64_t now = deadline != SHARD_FOREVER ? clock_now_ns_mt() : 0;

	if (deadline == SHARD_FOREVER)
		return SHARD_FOREVER;
	return deadline > now ? deadline - now : 0;
}

int demi_wait_next_n(demi_qresult_t *qr_out, int num_qrs, int *num_qrs_out,
		     const struct timespec *timeout)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct shard_result results[WAIT_ROUND_LEN];
	uint64_t timeout_ns, deadline;
	int count = 0, done, rc;

	if (shard == NULL)
		return ENOSYS;
	if (qr_out == NULL || num_qrs_out == NULL || num_qrs < 0 ||
	    convert_timeout(timeout, &timeout_ns) != 0)
		return EINVAL;
	deadline = deadline_of(timeout_ns, num_qrs);
	for (;;) {
		const int left = num_qrs - count;

		done = 0;
		rc = shard_wait_next_n(shard, left < WAIT_ROUND_LEN ? left : WAIT_ROUND_LEN,
				       timeout_ns, results, &done);
		for (int i = 0; i < done; i++)
			convert_result(&results[i], &qr_out[count++]);
		if (rc != 0 || count == num_qrs)
			break;
		timeout_ns = left_until(deadline);
	}
	*num_qrs_out = count;
	return -rc;
}
