#include "net/tcp_isn.h"
#include "net/tcp_seq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct net_flow flow = {
	.local.v4 = RTE_BE32(0x0a000001),
	.remote.v4 = RTE_BE32(0x0a000002),
	.local_port = RTE_BE16(80),
	.remote_port = RTE_BE16(40000),
};

static struct tcp_isn keyed(uint64_t a, uint64_t b)
{
	struct tcp_isn isn;

	tcp_isn_init(&isn, a, b);
	return isn;
}

/* MUST-8, RFC 6528 3: by one every 4 us, so that a flow used again does not meet its old segments.
 */
static void must_8_the_isn_of_a_flow_moves_with_a_4_us_clock(void **state)
{
	struct tcp_isn isn = keyed(1, 2);
	uint32_t first = tcp_isn_make(&isn, &flow, 1000000000);

	(void)state;
	assert_int_equal(tcp_isn_make(&isn, &flow, 1000003999), first);
	assert_int_equal(tcp_isn_make(&isn, &flow, 1000004000), first + 1);
	assert_int_equal(tcp_isn_make(&isn, &flow, 2000000000), first + 250000);
}

/* MUST-9, SHLD-1, RFC 6528 3: neither another flow's nor another key's numbers tell anything. */
static void must_9_the_isn_depends_on_every_part_of_the_flow_and_on_the_key(void **state)
{
	struct tcp_isn isn = keyed(1, 2), a = keyed(3, 2), b = keyed(1, 3);
	uint32_t first = tcp_isn_make(&isn, &flow, 0);
	struct net_flow other = flow;

	(void)state;
	other.local.v4 ^= RTE_BE32(1);
	assert_int_not_equal(tcp_isn_make(&isn, &other, 0), first);
	other = flow;
	other.remote.v4 ^= RTE_BE32(1);
	assert_int_not_equal(tcp_isn_make(&isn, &other, 0), first);
	other = flow;
	other.local_port ^= RTE_BE16(1);
	assert_int_not_equal(tcp_isn_make(&isn, &other, 0), first);
	other = flow;
	other.remote_port ^= RTE_BE16(1);
	assert_int_not_equal(tcp_isn_make(&isn, &other, 0), first);
	assert_int_not_equal(tcp_isn_make(&a, &flow, 0), first);
	assert_int_not_equal(tcp_isn_make(&b, &flow, 0), first);
}

static void the_timestamp_offset_is_the_flows_and_is_not_its_isn(void **state)
{
	struct tcp_isn isn = keyed(1, 2);
	struct net_flow other = flow;

	(void)state;
	other.remote_port ^= RTE_BE16(1);
	assert_int_equal(tcp_isn_ts_offset(&isn, &flow), tcp_isn_ts_offset(&isn, &flow));
	assert_int_not_equal(tcp_isn_ts_offset(&isn, &flow), tcp_isn_ts_offset(&isn, &other));
	assert_int_not_equal(tcp_isn_ts_offset(&isn, &flow), tcp_isn_make(&isn, &flow, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_8_the_isn_of_a_flow_moves_with_a_4_us_clock),
		cmocka_unit_test(must_9_the_isn_depends_on_every_part_of_the_flow_and_on_the_key),
		cmocka_unit_test(the_timestamp_offset_is_the_flows_and_is_not_its_isn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
