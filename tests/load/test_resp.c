/* Whether a wrong value is seen: the workload without a network, and a server made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load/generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_LEN = 1000, ROOM = 2000 };

static struct plan plan;
static struct run run;
static struct results results;
static struct generator g;
static struct conn conn;

struct value {
	uint32_t len;
	uint8_t bytes[SIZE_MAX_LEN];
};

static void begin(uint32_t size)
{
	plan = (struct plan){.key_count = 2,
			     .get_share = 1,
			     .preload = true,
			     .size = size,
			     .seed = 5,
			     .conn_count = 2};
	plan.workload = &workload_resp;
	run.shard_count = 2;
	memset(&results, 0, sizeof(results));
	memset(&conn, 0, sizeof(conn));
	g = (struct generator){.plan = &plan, .run = &run, .results = &results, .shard = 0};
	dice_init(&g.dice, 1);
	assert_int_equal(workload_resp.begin(&g), 0);
}

static void end(void)
{
	workload_resp.end(&g);
}

/* The bytes of the request, written in pieces. */
static uint32_t write_all(const struct request *request, uint8_t *out, uint32_t piece)
{
	uint32_t len = 0, left;

	while (len < request->len) {
		left = request->len - len;
		len += workload_resp.write(&g, &conn, request, len, out + len,
					   left < piece ? left : piece);
	}
	return len;
}

/* What a SET has stored. */
static struct value value_of(const struct request *request)
{
	static uint8_t bytes[ROOM];
	struct value value = {.len = plan.size};

	write_all(request, bytes, ROOM);
	memcpy(value.bytes, bytes + request->len - 2 - plan.size, plan.size);
	return value;
}

/* Feeds an answer in pieces; NULL, or what is said to be wrong with it. */
static const char *answer(struct request *request, const void *data, uint32_t len, uint32_t piece)
{
	const uint8_t *at = data;
	bool done = false;

	while (len > 0) {
		enum fault fault;
		const char *text = NULL;
		const uint32_t n = workload_resp.read(
			&g, &conn, request, at, len < piece ? len : piece, &done, &fault, &text);

		if (n == 0) {
			conn.reply = (struct reply){0};
			return text ? text : fault_key(fault);
		}
		at += n;
		len -= n;
	}
	assert_true(done);
	return NULL;
}

static const char *answer_text(struct request *request, const char *text)
{
	return answer(request, text, (uint32_t)strlen(text), ROOM);
}

static const char *answer_value(struct request *request, const struct value *value, uint32_t piece)
{
	uint8_t bytes[ROOM];
	uint32_t len = (uint32_t)snprintf((char *)bytes, sizeof(bytes), "$%u\r\n", value->len);

	memcpy(bytes + len, value->bytes, value->len);
	memcpy(bytes + len + value->len, "\r\n", 2);
	return answer(request, bytes, len + value->len + 2, piece);
}

static struct request set(uint64_t key)
{
	struct request request = {0};

	plan.get_share = 0;
	plan.keys = KEYS_UNIFORM;
	do {
		request = (struct request){0};
		workload_resp.draw(&g, &conn, &request);
		if (request.key != key)
			assert_null(answer_text(&request, "+OK\r\n"));
	} while (request.key != key);
	return request;
}

static struct request get(uint64_t key)
{
	struct request request = {0};

	plan.get_share = 1;
	do {
		request = (struct request){0};
		workload_resp.draw(&g, &conn, &request);
	} while (request.key != key);
	return request;
}

/* How many keys this shard sets on its connections. */
static unsigned prepare_all(unsigned shard)
{
	struct request request;
	unsigned count = 0;

	g.shard = shard;
	assert_int_equal(workload_resp.begin(&g), 0);
	while (workload_resp.prepare(&g, &conn, &request))
		count++;
	assert_true(workload_resp.prepared(&g));
	workload_resp.end(&g);
	return count;
}

static void shards_without_a_connection_leave_their_keys_to_the_others(void **state)
{
	(void)state;
	begin(64);
	end();
	plan.key_count = 100;
	run.shard_count = 3;
	for (plan.conn_count = 1; plan.conn_count < 5; plan.conn_count++) {
		unsigned count = 0;

		for (unsigned shard = 0; shard < 3; shard++) {
			if (shard < plan.conn_count) {
				count += prepare_all(shard);
				continue;
			}
			g.shard = shard;
			assert_int_equal(workload_resp.begin(&g), 0);
			assert_true(workload_resp.prepared(&g));
			workload_resp.end(&g);
		}
		assert_int_equal(count, 100);
	}
}

static void requests_are_redis_own_however_they_are_cut(void **state)
{
	static uint8_t whole[ROOM], pieces[ROOM];
	struct request request;

	(void)state;
	begin(10);
	request = get(1);
	write_all(&request, whole, ROOM);
	assert_memory_equal(whole, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000001\r\n", request.len);
	request = set(1);
	write_all(&request, whole, ROOM);
	assert_memory_equal(whole, "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$10\r\n", 41);
	assert_memory_equal(whole + 51, "\r\n", 2);
	assert_int_equal(request.len, 53);
	for (uint32_t piece = 1; piece < request.len; piece++) {
		write_all(&request, pieces, piece);
		assert_memory_equal(pieces, whole, request.len);
	}
	end();
}

static void a_key_has_twelve_digits(void **state)
{
	static const struct {
		uint64_t key;
		const char *text;
	} keys[] = {{0, "key:000000000000"},	     {9, "key:000000000009"},
		    {90807060, "key:000090807060"},  {123456789012, "key:123456789012"},
		    {999999999, "key:000999999999"}, {100000000, "key:000100000000"}};
	static uint8_t bytes[ROOM];

	(void)state;
	begin(10);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct request request = {.key = keys[i].key, .len = 36};

		assert_int_equal(write_all(&request, bytes, 7), 36);
		assert_memory_equal(bytes + 18, keys[i].text, 16);
	}
	end();
}

static void the_value_that_was_set_is_right_in_any_pieces(void **state)
{
	static const uint32_t sizes[] = {1, 7, 8, 9, 64, SIZE_MAX_LEN};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct request request;
		struct value value;

		begin(sizes[i]);
		request = set(0);
		value = value_of(&request);
		assert_null(answer_text(&request, "+OK\r\n"));
		for (uint32_t piece = 1; piece < 30; piece++) {
			request = get(0);
			assert_null(answer_value(&request, &value, piece));
		}
		end();
	}
}

static void one_wrong_bit_is_seen(void **state)
{
	struct request request;
	struct value value;

	(void)state;
	begin(64);
	request = set(0);
	value = value_of(&request);
	assert_null(answer_text(&request, "+OK\r\n"));
	for (unsigned bit = 0; bit < 64 * 8; bit++) {
		value.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		request = get(0);
		assert_non_null(answer_value(&request, &value, ROOM));
		value.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	end();
}

static void another_keys_value_is_seen(void **state)
{
	struct request request;
	struct value value;

	(void)state;
	begin(64);
	request = set(0);
	value = value_of(&request);
	assert_null(answer_text(&request, "+OK\r\n"));
	request = get(1);
	assert_string_equal(answer_value(&request, &value, ROOM),
			    "a value that was never written to this key");
	end();
}

static void half_of_one_version_and_half_of_the_next_are_seen(void **state)
{
	struct request request;
	struct value one, two;

	(void)state;
	begin(64);
	request = set(0);
	one = value_of(&request);
	assert_null(answer_text(&request, "+OK\r\n"));
	request = set(0);
	two = value_of(&request);
	assert_null(answer_text(&request, "+OK\r\n"));
	memcpy(two.bytes + 32, one.bytes + 32, 32);
	request = get(0);
	assert_string_equal(answer_value(&request, &two, ROOM),
			    "a value that is not as it was written");
	end();
}

static void a_write_that_was_acknowledged_must_not_be_lost(void **state)
{
	struct request first, second, request;
	struct value old, young;

	(void)state;
	begin(64);
	first = set(0);
	old = value_of(&first);
	assert_null(answer_text(&first, "+OK\r\n"));
	second = set(0);
	young = value_of(&second);
	request = get(0); /* asked before the second one was acknowledged: both are right */
	assert_null(answer_value(&request, &old, ROOM));
	request = get(0);
	assert_null(answer_value(&request, &young, ROOM));
	assert_null(answer_text(&second, "+OK\r\n"));
	request = get(0);
	assert_null(answer_value(&request, &young, ROOM));
	request = get(0);
	assert_string_equal(answer_value(&request, &old, ROOM),
			    "an old value: a write that was acknowledged is lost");
	end();
}

/* Whichever of two that overlap was applied last. */
static void writes_that_overlap_may_end_in_either_order(void **state)
{
	struct request first, second, request;
	struct value one, two;

	(void)state;
	begin(64);
	first = set(0);
	one = value_of(&first);
	second = set(0);
	two = value_of(&second);
	assert_null(answer_text(&second, "+OK\r\n"));
	assert_null(answer_text(&first, "+OK\r\n"));
	request = get(0);
	assert_null(answer_value(&request, &one, ROOM));
	request = get(0);
	assert_null(answer_value(&request, &two, ROOM));
	end();
}

static void a_key_that_was_set_must_be_there_unless_the_server_evicts(void **state)
{
	struct request request;

	(void)state;
	begin(64);
	request = get(0);
	assert_string_equal(answer_text(&request, "$-1\r\n"), "a key that was set is not there");
	assert_string_equal(answer_text(&request, "_\r\n"), "a key that was set is not there");
	plan.missing_allowed = true;
	assert_null(answer_text(&request, "$-1\r\n"));
	end();
}

static void a_value_of_an_earlier_run_is_right_only_where_nothing_was_set(void **state)
{
	struct request request;
	struct value value;

	(void)state;
	begin(64);
	request = set(0);
	value = value_of(&request);
	end();
	begin(64);
	plan.seed = 6;
	workload_resp.end(&g);
	assert_int_equal(workload_resp.begin(&g), 0);
	request = get(0);
	assert_non_null(answer_value(&request, &value, ROOM));
	plan.preload = false;
	request = get(0);
	assert_null(answer_value(&request, &value, ROOM));
	request = set(0);
	assert_null(answer_text(&request, "+OK\r\n"));
	request = get(0);
	assert_non_null(answer_value(&request, &value, ROOM));
	end();
}

static void answers_of_the_wrong_kind_are_seen(void **state)
{
	static const char *const to_get[] = {"+OK\r\n", ":1\r\n", "$3\r\nabc\r\n"};
	static const char *const to_set[] = {"+QUEUED\r\n", ":1\r\n", "$3\r\nabc\r\n", "$-1\r\n"};
	struct request request;

	(void)state;
	begin(64);
	for (unsigned i = 0; i < 3; i++) {
		request = get(0);
		assert_non_null(answer_text(&request, to_get[i]));
	}
	for (unsigned i = 0; i < 4; i++) {
		request = set(0);
		assert_non_null(answer_text(&request, to_set[i]));
	}
	request = get(0);
	assert_string_equal(answer_text(&request, "hello\r\n"), "protocol");
	end();
}

static void an_error_is_counted_and_its_text_is_kept(void **state)
{
	struct request request;

	(void)state;
	begin(64);
	request = set(0);
	assert_null(answer_text(&request, "-OOM command not allowed\r\n"));
	assert_int_equal(results.faults[FAULT_ANSWER], 1);
	assert_string_equal(results.fault_text, "OOM command not allowed");
	end();
}

/* What is said of it goes into JSON, which is UTF-8, and onto terminals, which obey. */
static void an_error_is_told_in_printable_characters(void **state)
{
	struct request request;

	(void)state;
	begin(64);
	request = set(0);
	assert_null(answer_text(&request, "-ERR \xff\x1b[2J \xc3\xa4.\r\n"));
	assert_string_equal(results.fault_text, "ERR ??[2J ??.");
	end();
}

/* A value of another run, cut off by the end of the connection, excuses nothing on the next one. */
static void an_empty_value_is_wrong_whatever_came_before(void **state)
{
	static const char begun[] = "$64\r\n0123456789";
	struct request request;
	enum fault fault;
	const char *text;
	bool done = false;

	(void)state;
	begin(64);
	plan.preload = false;
	request = get(0);
	for (uint32_t at = 0; at < sizeof(begun) - 1;)
		at += workload_resp.read(&g, &conn, &request, (const uint8_t *)begun + at,
					 (uint32_t)sizeof(begun) - 1 - at, &done, &fault, &text);
	conn.reply = (struct reply){0};
	assert_string_equal(answer_text(&request, "$0\r\n\r\n"), "a value of another length");
	end();
}

/* Two SETs, of which one was sent, and two answers: whoever sends them makes them up. */
static void an_answer_to_what_was_not_sent_is_refused(void **state)
{
	static char answers[] = "+OK\r\n+OK\r\n";
	demi_qresult_t result = {.qr_opcode = DEMI_OPC_POP};
	struct conn *asking = &conn;

	(void)state;
	begin(64);
	plan.get_share = 0;
	for (uint32_t sent_len = 0; sent_len < 20; sent_len += 10) {
		memset(&results, 0, sizeof(results));
		assert_int_equal(conn_init(asking, 0, 4), 0);
		asking->state = CONN_OPEN;
		asking->token_count = 2;
		for (int i = 0; i < 2; i++) {
			workload_resp.draw(&g, asking, conn_next_request(&g, asking));
			asking->asked++;
		}
		g.in_flight = 2;
		asking->sent = 1;
		asking->sent_len = sent_len;
		result.qr_value.sga.sga_segs[0].sgaseg_buf = answers;
		result.qr_value.sga.sga_segs[0].sgaseg_len = sizeof(answers) - 1;
		conn_result(&g, asking, &result);
		assert_int_equal(results.answered, 1);
		assert_int_equal(results.faults[FAULT_PROTOCOL], 1);
		conn_fini(asking);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shards_without_a_connection_leave_their_keys_to_the_others),
		cmocka_unit_test(requests_are_redis_own_however_they_are_cut),
		cmocka_unit_test(a_key_has_twelve_digits),
		cmocka_unit_test(the_value_that_was_set_is_right_in_any_pieces),
		cmocka_unit_test(one_wrong_bit_is_seen),
		cmocka_unit_test(another_keys_value_is_seen),
		cmocka_unit_test(half_of_one_version_and_half_of_the_next_are_seen),
		cmocka_unit_test(a_write_that_was_acknowledged_must_not_be_lost),
		cmocka_unit_test(writes_that_overlap_may_end_in_either_order),
		cmocka_unit_test(a_key_that_was_set_must_be_there_unless_the_server_evicts),
		cmocka_unit_test(a_value_of_an_earlier_run_is_right_only_where_nothing_was_set),
		cmocka_unit_test(answers_of_the_wrong_kind_are_seen),
		cmocka_unit_test(an_error_is_counted_and_its_text_is_kept),
		cmocka_unit_test(an_error_is_told_in_printable_characters),
		cmocka_unit_test(an_empty_value_is_wrong_whatever_came_before),
		cmocka_unit_test(an_answer_to_what_was_not_sent_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
