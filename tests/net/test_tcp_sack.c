/* Selective acknowledgments, what this side tells: RFC 2018, and RFC 2883 for what came twice. */
#include "tcp_peer.h"

#include <stdlib.h>

static struct peer sacking(bool timestamps)
{
	static const uint8_t opts[] = {2, 4, MSS >> 8, MSS & 255, 1, 1, 4, 2};
	struct tcp_config config = host_config();
	struct peer p;

	config.sack = true;
	config.timestamps = timestamps;
	p = peer_begin(&config);
	p.ts = timestamps;
	peer_handshake(&p, opts, sizeof(opts));
	return p;
}

/* The next segment is an ACK with just these blocks, numbered as the peer counts. */
static void expect_blocks(struct peer *p, uint32_t ack, const struct tcp_range *blocks,
			  unsigned count)
{
	struct seg seg = peer_expect(p, ACK, 1, ack, 0);

	assert_int_equal(!!(seg.parsed.present & TCP_OPT_SACK), count > 0);
	assert_int_equal(seg.parsed.sack_count, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(seg.parsed.sack[i].start - p->iss, blocks[i].start);
		assert_int_equal(seg.parsed.sack[i].end - p->iss, blocks[i].end);
	}
}

#define expect(p, ack, ...)                                                                        \
	expect_blocks(p, ack, (const struct tcp_range[]){__VA_ARGS__},                             \
		      sizeof((const struct tcp_range[]){__VA_ARGS__}) / sizeof(struct tcp_range))

/* RFC 2018 2 */
static void sack_is_offered_and_used_only_if_both_sides_offer_it(void **state)
{
	const struct seg syn = {.flags = SYN, .wnd = PEER_WND};
	struct tcp_config config = host_config();
	struct peer p;
	struct seg seg;

	(void)state;
	config.sack = true;
	p = peer_begin(&config);
	peer_send_seg(&p, &syn);
	seg = peer_expect(&p, SYN | ACK, 0, 1, 0);
	assert_false(seg.parsed.present & TCP_OPT_SACK_PERMITTED);
	peer_send(&p, ACK, 1, 1, 0);
	peer_send(&p, ACK, 101, 1, 100);
	expect_blocks(&p, 1, NULL, 0);
	peer_end(&p);

	p = sacking(false);
	assert_true(p.conn->sack);
	peer_end(&p);
}

/* RFC 2018 4 */
static void blocks_tell_the_runs_the_one_that_grew_last_first(void **state)
{
	struct peer p = sacking(false);

	(void)state;
	peer_send(&p, ACK, 101, 1, 100);
	expect(&p, 1, {101, 201});
	peer_send(&p, ACK, 301, 1, 100);
	expect(&p, 1, {301, 401}, {101, 201});
	peer_send(&p, ACK, 501, 1, 100);
	expect(&p, 1, {501, 601}, {301, 401}, {101, 201});
	peer_send(&p, ACK, 201, 1, 50);
	expect(&p, 1, {101, 251}, {501, 601}, {301, 401});
	peer_send(&p, ACK, 1, 1, 100);
	expect(&p, 251, {501, 601}, {301, 401});
	peer_send(&p, ACK, 251, 1, 50);
	expect(&p, 401, {501, 601});
	peer_send(&p, ACK, 401, 1, 100);
	expect_blocks(&p, 601, NULL, 0);
	peer_end(&p);
}

/* RFC 2018 3 */
static void four_blocks_fit_and_three_beside_timestamps(void **state)
{
	(void)state;
	for (unsigned ts = 0; ts < 2; ts++) {
		struct peer p = sacking(ts);
		struct seg seg;

		for (uint32_t i = 0; i < 6; i++) {
			peer_send(&p, ACK, 101 + 200 * i, 1, 100);
			seg = peer_expect(&p, ACK, 1, 1, 0);
		}
		assert_int_equal(seg.parsed.sack_count, 4 - ts);
		assert_int_equal(seg.parsed.sack[0].start - p.iss, 1101);
		peer_end(&p);
	}
}

/* RFC 2883 4.1 */
static void a_whole_duplicate_is_told_once_in_the_first_block(void **state)
{
	struct peer p = sacking(true);

	(void)state;
	peer_send(&p, ACK, 1, 1, 100);
	expect_blocks(&p, 101, NULL, 0);
	peer_send(&p, ACK, 1, 1, 100);
	expect(&p, 101, {1, 101});
	peer_send(&p, ACK, 201, 1, 100);
	expect(&p, 101, {201, 301});
	peer_send(&p, ACK, 1, 1, 100);
	expect(&p, 101, {1, 101}, {201, 301});
	peer_end(&p);
}

/* RFC 2883 4.1.2 */
static void a_duplicate_beyond_a_gap_is_told_before_the_run_that_has_it(void **state)
{
	struct peer p = sacking(false);

	(void)state;
	peer_send(&p, ACK, 101, 1, 100);
	expect(&p, 1, {101, 201});
	peer_send(&p, ACK, 301, 1, 300);
	expect(&p, 1, {301, 601}, {101, 201});
	peer_send(&p, ACK, 121, 1, 50);
	expect(&p, 1, {121, 171}, {101, 201}, {301, 601});
	peer_end(&p);
}

/* RFC 2883 4.2 */
static void of_what_is_partly_a_duplicate_the_old_part_is_told(void **state)
{
	struct peer p = sacking(false);

	(void)state;
	peer_send(&p, ACK, 1, 1, 200);
	expect_blocks(&p, 201, NULL, 0);
	peer_send(&p, ACK, 101, 1, 200);
	expect(&p, 301, {101, 201});
	peer_end(&p);
}

static void a_retransmission_after_our_fin_arrived_is_told_too(void **state)
{
	struct peer p = sacking(false);

	(void)state;
	peer_send(&p, ACK | FIN, 1, 1, 100);
	expect_blocks(&p, 102, NULL, 0);
	peer_send(&p, ACK | FIN, 1, 1, 100);
	expect(&p, 102, {1, 101});
	peer_end(&p);
}

static void data_that_leaves_no_room_goes_without_blocks(void **state)
{
	struct peer p = sacking(false);
	struct seg seg;

	(void)state;
	peer_send(&p, ACK, 101, 1, 100);
	expect(&p, 1, {101, 201});
	peer_push(&p, MSS);
	seg = peer_expect(&p, ACK | PSH, 1, 1, MSS);
	assert_false(seg.parsed.present & TCP_OPT_SACK);
	peer_push(&p, MSS - 12);
	seg = peer_expect(&p, ACK | PSH, 1 + MSS, 1, MSS - 12);
	assert_int_equal(seg.parsed.sack_count, 1);
	peer_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(sack_is_offered_and_used_only_if_both_sides_offer_it),
		host_test(blocks_tell_the_runs_the_one_that_grew_last_first),
		host_test(four_blocks_fit_and_three_beside_timestamps),
		host_test(a_whole_duplicate_is_told_once_in_the_first_block),
		host_test(a_duplicate_beyond_a_gap_is_told_before_the_run_that_has_it),
		host_test(of_what_is_partly_a_duplicate_the_old_part_is_told),
		host_test(a_retransmission_after_our_fin_arrived_is_told_too),
		host_test(data_that_leaves_no_room_goes_without_blocks),
	};

	return cmocka_run_group_tests(tests, host_group_setup, host_group_teardown);
}
