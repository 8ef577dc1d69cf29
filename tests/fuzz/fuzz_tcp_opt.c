/*
 * Any option bytes: parsed from a block of exactly their length; what comes out is legal, and comes
 * out again when it is written and parsed once more.
 */
#include "mem/check.h"
#include "net/tcp_opt.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

enum { ON_SYN = TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_PERMITTED | TCP_OPT_TIMESTAMPS };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void check_same(const struct tcp_opts *a, const struct tcp_opts *b, uint8_t which)
{
	CHECK((a->present & which) == b->present);
	if (b->present & TCP_OPT_MSS)
		CHECK(a->mss == b->mss);
	if (b->present & TCP_OPT_WSCALE)
		CHECK(a->wscale == b->wscale);
	if (b->present & TCP_OPT_TIMESTAMPS)
		CHECK(a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr);
}

/* Into a block of exactly the length that the option bytes may have. */
static void write_and_parse_again(const struct tcp_opts *opts)
{
	uint8_t *bytes = malloc(TCP_OPT_LEN_MAX);
	struct tcp_opts again;
	uint32_t len;

	CHECK(bytes);
	len = tcp_opt_write_syn(bytes, opts);
	CHECK(len <= TCP_OPT_LEN_MAX && len % 4 == 0);
	CHECK(tcp_opt_parse(&again, bytes, len));
	check_same(opts, &again, ON_SYN);
	free(bytes);
	if (!(opts->present & TCP_OPT_TIMESTAMPS))
		return;
	bytes = malloc(TCP_OPT_TIMESTAMPS_LEN);
	CHECK(bytes);
	len = tcp_opt_write_timestamps(bytes, opts->ts_val, opts->ts_ecr);
	CHECK(len == TCP_OPT_TIMESTAMPS_LEN && tcp_opt_parse(&again, bytes, len));
	check_same(opts, &again, TCP_OPT_TIMESTAMPS);
	free(bytes);
}

static void write_sack_and_parse_again(const struct tcp_opts *opts)
{
	const uint32_t len = tcp_opt_sack_len(opts->sack_count);
	uint8_t *bytes = malloc(len);
	struct tcp_opts again;

	CHECK(bytes && len <= TCP_OPT_LEN_MAX);
	CHECK(tcp_opt_write_sack(bytes, opts->sack, opts->sack_count) == len);
	CHECK(tcp_opt_parse(&again, bytes, len));
	CHECK(again.present == TCP_OPT_SACK && again.sack_count == opts->sack_count);
	CHECK(memcmp(again.sack, opts->sack, opts->sack_count * sizeof(opts->sack[0])) == 0);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	uint8_t *bytes;
	struct tcp_opts opts;

	if (len > TCP_OPT_LEN_MAX)
		return 0;
	bytes = malloc(len + !len);
	CHECK(bytes);
	if (len > 0)
		memcpy(bytes, input, len);
	if (tcp_opt_parse(&opts, bytes, (uint32_t)len)) {
		CHECK(!(opts.present & TCP_OPT_WSCALE) || opts.wscale <= TCP_OPT_WSCALE_MAX);
		CHECK(!(opts.present & TCP_OPT_SACK) || opts.sack_count <= TCP_OPT_SACK_MAX);
		write_and_parse_again(&opts);
		if (opts.present & TCP_OPT_SACK && opts.sack_count > 0)
			write_sack_and_parse_again(&opts);
	}
	free(bytes);
	return 0;
}
