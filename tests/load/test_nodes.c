#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/nodes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct nodes nodes;

/* As Redis 7 answers: two nodes, the second with a replica, names and metadata. */
static const char two[] =
	"*2\r\n"
	"*3\r\n:0\r\n:9999\r\n"
	"*4\r\n$9\r\n127.0.0.1\r\n:7000\r\n$2\r\nid\r\n*2\r\n$1\r\nh\r\n$0\r\n\r\n"
	"*4\r\n:10000\r\n:16383\r\n"
	"*4\r\n$0\r\n\r\n:7001\r\n$2\r\nid\r\n*0\r\n"
	"*4\r\n$9\r\n127.0.0.3\r\n:7003\r\n$2\r\nid\r\n*0\r\n";

static int parse(const char *text, size_t len)
{
	return nodes_parse(&nodes, text, len, (struct in_addr){htonl(0x0a000001)});
}

static void each_slot_has_the_node_that_the_answer_names(void **state)
{
	(void)state;
	assert_int_equal(parse(two, sizeof(two) - 1), 0);
	assert_int_equal(nodes.count, 2);
	assert_int_equal(ntohl(nodes.addresses[0].sin_addr.s_addr), 0x7f000001);
	assert_int_equal(ntohs(nodes.addresses[0].sin_port), 7000);
	assert_int_equal(ntohs(nodes.addresses[1].sin_port), 7001);
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		assert_int_equal(nodes.of_slot[i], i >= 10000);
}

static void an_address_that_is_left_out_is_that_of_the_node_that_answered(void **state)
{
	(void)state;
	assert_int_equal(parse(two, sizeof(two) - 1), 0);
	assert_int_equal(ntohl(nodes.addresses[1].sin_addr.s_addr), 0x0a000001);
}

static void an_answer_that_is_not_whole_is_waited_for(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(two) - 1; len++)
		assert_int_equal(parse(two, len), EAGAIN);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const texts[] = {
		"-ERR This instance has cluster support disabled\r\n",
		"*0\r\n",
		"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$0\r\n\r\n:7000\r\n",
		"*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$0\r\n\r\n:7000\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$0\r\n\r\n:70000\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$3\r\nabc\r\n:7000\r\n",
		"*1\r\n*3\r\n:x\r\n:1\r\n*2\r\n$0\r\n\r\n:7000\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*3\r\n$0\r\n\r\n:7000\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*"
		"1\r\n*1\r\n"
		"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], strlen(texts[i])), EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_has_the_node_that_the_answer_names),
		cmocka_unit_test(an_address_that_is_left_out_is_that_of_the_node_that_answered),
		cmocka_unit_test(an_answer_that_is_not_whole_is_waited_for),
		cmocka_unit_test(what_is_no_answer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
