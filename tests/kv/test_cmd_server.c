/* Questions about the server; replies that Redis has, too, were asked of redis-server 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"

static uint64_t fake_now_ns, fake_step_ns;

static uint64_t fake_clock(void)
{
	return fake_now_ns += fake_step_ns;
}

static int open_timed(void **state)
{
	struct talk *talk;

	talk_setup(state);
	talk = *state;
	talk->engine.clock_ns = fake_clock;
	fake_now_ns = 0;
	fake_step_ns = 0;
	return 0;
}

static void has(struct talk *talk, const char *line, const char *part)
{
	if (strstr(talk_say(talk, line), part) == NULL)
		fail_msg("%s: no %s in %s", line, part, talk->reply);
}

static void has_not(struct talk *talk, const char *line, const char *part)
{
	if (strstr(talk_say(talk, line), part) != NULL)
		fail_msg("%s: %s in %s", line, part, talk->reply);
}

static void info_has_the_sections_that_are_asked_for(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "INFO nosuch", "$0\r\n\r\n");
	assert_says(talk, "INFO keyspace", "$12\r\n# Keyspace\r\n\r\n");
	assert_says(talk, "INFO cluster KEYSPACE",
		    "$44\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n\r\n");
	has(talk, "INFO", "# Server\r\nredis_version:7.0.15\r\n");
	has(talk, "INFO", "\r\n\r\n# Memory\r\nused_memory:");
	has(talk, "INFO", "\r\n\r\n# Replication\r\nrole:master\r\n");
	has_not(talk, "INFO", "# Commandstats");
	has_not(talk, "INFO default", "# Commandstats");
	has(talk, "INFO all", "# Commandstats\r\n");
	has(talk, "INFO everything", "# Commandstats\r\n");
	has_not(talk, "INFO server", "# Memory");
	talk->resp = 3;
	assert_says(talk, "INFO keyspace", "=16\r\ntxt:# Keyspace\r\n\r\n");
}

static void info_counts_keys_commands_and_time(void **state)
{
	struct talk *talk = *state;

	talk->engine.started_ms = talk->engine.now_ms;
	talk->engine.now_ms += 90061000;
	talk_say(talk, "SET a 1");
	talk_say(talk, "SET b 1 EX 10");
	talk->db = 3;
	talk_say(talk, "SET c 1");
	talk_say(talk, "GET");
	has(talk, "INFO", "db0:keys=2,expires=1,avg_ttl=0\r\ndb3:keys=1,expires=0,avg_ttl=0\r\n");
	has(talk, "INFO", "uptime_in_seconds:90061\r\nuptime_in_days:1\r\n");
	talk->engine.started_ms = talk->engine.now_ms + 1000;
	has(talk, "INFO", "uptime_in_seconds:0\r\nuptime_in_days:0\r\n");
	has(talk, "INFO commandstats",
	    "cmdstat_set:calls=3,usec=0,usec_per_call=0.00,"
	    "rejected_calls=0,failed_calls=0\r\n");
	has(talk, "INFO stats", "total_error_replies:1\r\n");
	has(talk, "INFO stats", "total_commands_processed:10\r\n");
	assert_says(talk, "CONFIG RESETSTAT", "+OK\r\n");
	has(talk, "INFO stats", "total_error_replies:0\r\n");
	has_not(talk, "INFO commandstats", "cmdstat_set");
}

static void what_the_store_counted_begins_anew_with_resetstat(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET a 1 PX 10");
	talk_say(talk, "GET a");
	talk_say(talk, "GET b");
	talk->engine.now_ms += 20;
	talk_say(talk, "GET a");
	has(talk, "INFO stats",
	    "expired_keys:1\r\nevicted_keys:0\r\nkeyspace_hits:1\r\n"
	    "keyspace_misses:2\r\n");
	talk_say(talk, "CONFIG RESETSTAT");
	has(talk, "INFO stats",
	    "expired_keys:0\r\nevicted_keys:0\r\nkeyspace_hits:0\r\n"
	    "keyspace_misses:0\r\n");
	talk_say(talk, "GET a");
	has(talk, "INFO stats", "keyspace_hits:0\r\nkeyspace_misses:1\r\n");
}

/* Who changes a value has not found one; who asks about it has. */
static void hits_and_misses_are_those_of_redis(void **state)
{
	static const struct {
		const char *line;
		int hits, misses;
	} cases[] = {
		{"GET s", 1, 0},	{"MGET s none", 1, 1},	     {"GETSET s x", 1, 0},
		{"INCR i", 0, 0},	{"INCR new", 0, 0},	     {"INCRBYFLOAT i 1", 0, 0},
		{"APPEND s x", 0, 0},	{"SETRANGE s 0 x", 0, 0},    {"SETBIT s 1 1", 0, 0},
		{"GETBIT s 1", 1, 0},	{"BITOP OR d s none", 1, 1}, {"LCS s i", 2, 0},
		{"LCS s none", 1, 1},	{"EXISTS s none", 1, 1},     {"TYPE none", 0, 1},
		{"TTL s", 1, 0},	{"OBJECT ENCODING s", 1, 0}, {"TOUCH s none", 1, 1},
		{"COPY s i", 1, 0},	{"COPY none i", 0, 1},	     {"EXPIRE s 9", 0, 0},
		{"PERSIST none", 0, 0}, {"MOVE s 1", 0, 0},	     {"RENAME i d", 0, 0},
		{"RENAMENX d i", 0, 0}, {"MEMORY USAGE d", 0, 0},
	};
	struct talk *talk = *state;
	char expected[64];

	talk_say(talk, "MSET s v i 5");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		talk_say(talk, "CONFIG RESETSTAT");
		talk_say(talk, cases[i].line);
		snprintf(expected, sizeof(expected), "keyspace_hits:%d\r\nkeyspace_misses:%d\r\n",
			 cases[i].hits, cases[i].misses);
		if (strstr(talk_say(talk, "INFO stats"), expected) == NULL)
			fail_msg("%s: not %s", cases[i].line, expected);
	}
}

static void errors_are_counted_by_their_kind(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "GET");
	talk_say(talk, "NOSUCH");
	talk->refusal = "MISCONF disk full";
	talk_say(talk, "SET a 1");
	assert_says(talk, "INFO errorstats",
		    "$64\r\n# Errorstats\r\nerrorstat_ERR:count=2\r\n"
		    "errorstat_MISCONF:count=1\r\n\r\n");
	talk_say(talk, "CONFIG RESETSTAT");
	assert_says(talk, "INFO errorstats", "$14\r\n# Errorstats\r\n\r\n");
}

static void rates_are_of_the_last_looks(void **state)
{
	struct rates rates = {0};
	struct rates_look now = {1000, 0, 0, 0};

	(void)state;
	assert_int_equal(rates_tell(&rates, &now).commands, 0);
	for (; now.when_ms < 10000; now.when_ms += 10) {
		rates_note(&rates, &now);
		now.commands += now.when_ms < 5000 ? 1 : 20;
		now.sent_bytes += 3;
	}
	assert_int_equal(rates_tell(&rates, &now).commands, 2000);
	assert_int_equal(rates_tell(&rates, &now).sent_bytes, 300);
	assert_int_equal(rates_tell(&rates, &now).received_bytes, 0);
	now.when_ms = 5000; /* the clock goes back, and on */
	rates_note(&rates, &now);
	now.when_ms += 1000;
	now.commands += 5000;
	rates_note(&rates, &now);
	assert_int_equal(rates_tell(&rates, &now).commands, 5000);
	now.commands = 0;
	assert_int_equal(rates_tell(&rates, &now).commands, 0);
}

static void info_prints_sizes_for_people(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "CONFIG SET maxmemory 3000");
	has(talk, "INFO memory", "maxmemory:3000\r\nmaxmemory_human:2.93K\r\n");
	talk_say(talk, "CONFIG SET maxmemory 10gb maxmemory-policy volatile-ttl");
	has(talk, "INFO memory", "maxmemory_human:10.00G\r\nmaxmemory_policy:volatile-ttl\r\n");
	talk_say(talk, "CONFIG SET maxmemory 0");
	has(talk, "INFO memory", "maxmemory_human:0B\r\n");
	talk->settings.mode = KV_CLUSTER;
	has(talk, "INFO server", "redis_mode:cluster\r\n");
	has(talk, "INFO cluster", "cluster_enabled:1\r\n");
}

static void settings_are_got_by_name_and_pattern(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
	assert_says(talk, "CONFIG GET TimeOut", "*2\r\n$7\r\nTimeOut\r\n$1\r\n0\r\n");
	assert_says(talk, "CONFIG GET timeo* timeout nosuch", "*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
	assert_says(talk, "CONFIG GET nosuch", "*0\r\n");
	has(talk, "CONFIG GET save appendonly", "$4\r\nsave\r\n$0\r\n\r\n");
	talk->resp = 3;
	assert_says(talk, "CONFIG GET port", "%1\r\n$4\r\nport\r\n$4\r\n6379\r\n");
}

static void settings_are_set_all_or_none(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "CONFIG SET timeout 5 maxmemory 1mb", "+OK\r\n");
	assert_int_equal(talk->settings.timeout_s, 5);
	assert_int_equal(talk->settings.store.maxmemory, 1 << 20);
	assert_says(talk, "CONFIG SET timeout 6 maxmemory x",
		    "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument "
		    "must be a memory value\r\n");
	assert_int_equal(talk->settings.timeout_s, 5);
	assert_says(talk, "CONFIG SET timeout 6 databases 4",
		    "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set "
		    "immutable config\r\n");
	assert_says(talk, "CONFIG SET timeout 6 TIMEOUT 7",
		    "-ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate "
		    "parameter\r\n");
	assert_says(talk, "CONFIG SET foo bar",
		    "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'\r\n");
	assert_says(talk, "CONFIG SET timeout 6 foo", "-ERR syntax error\r\n");
	assert_int_equal(talk->settings.timeout_s, 5);
	assert_says(talk, "CONFIG REWRITE", "-ERR The server is running without a config file\r\n");
}

static void a_lower_maxmemory_is_in_force_at_once(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "SET a 1");
	talk_say(talk, "CONFIG SET maxmemory 1");
	assert_says(talk, "SET b 1",
		    "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	talk_say(talk, "CONFIG SET maxmemory-policy allkeys-lru maxmemory 100mb");
	assert_says(talk, "SET b 1", "+OK\r\n");
}

static void commands_are_described(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "COMMAND INFO ttl nosuch",
		    "*2\r\n*10\r\n$3\r\nttl\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
		    "*3\r\n+@keyspace\r\n+@read\r\n+@fast\r\n"
		    "*1\r\n$23\r\nnondeterministic_output\r\n"
		    "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n"
		    "*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n"
		    "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
		    "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
		    "*0\r\n$-1\r\n");
	assert_says(talk, "COMMAND DOCS ttl nosuch",
		    "*2\r\n$3\r\nttl\r\n*8\r\n$7\r\nsummary\r\n"
		    "$39\r\nTells in how many seconds a key expires\r\n$5\r\nsince\r\n"
		    "$5\r\n1.0.0\r\n$5\r\ngroup\r\n$7\r\ngeneric\r\n$10\r\ncomplexity\r\n"
		    "$4\r\nO(1)\r\n");
	has(talk, "COMMAND INFO object", "$15\r\nobject|encoding\r\n:3\r\n");
	assert_says(talk, "COMMAND LIST FILTERBY PATTERN t?l", "*1\r\n$3\r\nttl\r\n");
	assert_says(talk, "COMMAND LIST FILTERBY MODULE x", "*0\r\n");
	has(talk, "COMMAND LIST FILTERBY ACLCAT dangerous", "config|set");
	assert_says(talk, "COMMAND LIST FOO", "-ERR syntax error\r\n");
	assert_says(talk, "COMMAND GETKEYS SET k v", "*1\r\n$1\r\nk\r\n");
	assert_says(talk, "COMMAND GETKEYS DEL a b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
	assert_says(talk, "COMMAND GETKEYS SET k",
		    "-ERR Invalid number of arguments specified for command\r\n");
	assert_says(talk, "COMMAND GETKEYS NOSUCH k", "-ERR Invalid command specified\r\n");
	assert_says(talk, "COMMAND GETKEYS DBSIZE x", "-ERR The command has no key arguments\r\n");
	assert_says(talk, "COMMAND GETKEYS SPUBLISH c x",
		    "-ERR The command has no key arguments\r\n");
}

/* What COMMAND counts, lists and describes are the same commands. */
static void every_command_is_listed_once(void **state)
{
	struct talk *talk = *state;
	long count, all;

	assert_int_equal(talk_say(talk, "COMMAND COUNT")[0], ':');
	count = strtol(talk->reply + 1, NULL, 10);
	assert_int_equal(strtol(talk_say(talk, "COMMAND") + 1, NULL, 10), count);
	all = strtol(talk_say(talk, "COMMAND LIST") + 1, NULL, 10);
	assert_int_equal(all, command_count());
	assert_true(all > count);
}

static void small_questions_have_small_answers(void **state)
{
	struct talk *talk = *state;

	talk->engine.now_ms = 1234567;
	talk->engine.started_ms = 1000000;
	assert_says(talk, "TIME", "*2\r\n$4\r\n1234\r\n$6\r\n567000\r\n");
	assert_says(talk, "LASTSAVE", ":1000\r\n");
	assert_says(talk, "ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
	assert_says(talk, "WAIT 0 0", ":0\r\n");
	assert_says(talk, "WAIT 1 -1", "-ERR timeout is negative\r\n");
	assert_says(talk, "WAIT 1 x", "-ERR timeout is not an integer or out of range\r\n");
	assert_says(talk, "ACL WHOAMI", "$7\r\ndefault\r\n");
	assert_says(talk, "MODULE LIST", "*0\r\n");
	assert_says(talk, "BGSAVE foo", "-ERR syntax error\r\n");
	has(talk, "SAVE", "-ERR This server writes no RDB files");
	assert_says(talk, "FUNCTION FLUSH", "+OK\r\n");
	assert_says(talk, "FUNCTION FLUSH x",
		    "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n");
	assert_says(talk, "FUNCTION LIST", "*0\r\n");
	assert_says(talk, "FUNCTION KILL", "-NOTBUSY No scripts in execution right now.\r\n");
	assert_says(talk, "SCRIPT FLUSH SYNC", "+OK\r\n");
	assert_says(talk, "SCRIPT EXISTS a b", "*2\r\n:0\r\n:0\r\n");
	has(talk, "BGREWRITEAOF", "-ERR This server keeps no log");
}

static void memory_of_a_key_grows_with_its_value(void **state)
{
	struct talk *talk = *state;
	long little, more;

	assert_says(talk, "MEMORY USAGE k", "$-1\r\n");
	talk_say(talk, "SET k v");
	little = strtol(talk_say(talk, "MEMORY USAGE k") + 1, NULL, 10);
	talk_say(talk, "SETRANGE k 3000 x");
	more = strtol(talk_say(talk, "MEMORY USAGE k SAMPLES 5") + 1, NULL, 10);
	assert_in_range(little, 3, 128);
	assert_true(more >= little + 2900);
	assert_says(talk, "MEMORY USAGE k SAMPLES -1", "-ERR syntax error\r\n");
	assert_says(talk, "MEMORY USAGE k SAMPLES", "-ERR syntax error\r\n");
	has(talk, "MEMORY STATS", "$10\r\nkeys.count\r\n:1\r\n");
	has(talk, "MEMORY DOCTOR", "very little memory");
}

static void slow_commands_are_noted_and_cut(void **state)
{
	struct talk *talk = *state;
	char word[201];

	memset(word, 'x', 200);
	word[200] = 0;
	fake_step_ns = 9999000;
	talk_say(talk, "KEYS quick");
	fake_step_ns = 10000000;
	talk_args(talk, 2, (struct arg[]){{SLICE("KEYS"), NULL}, {slice_of(word), NULL}});
	fake_step_ns = 0;
	assert_says(talk, "SLOWLOG LEN", ":1\r\n");
	word[128] = 0;
	has(talk, "SLOWLOG GET", ":10000\r\n*2\r\n$4\r\nKEYS\r\n$147\r\nxxxx");
	has(talk, "SLOWLOG GET", "xxx... (72 more bytes)\r\n");
	assert_says(talk, "SLOWLOG GET x", "-ERR count should be greater than or equal to -1\r\n");
	assert_says(talk, "SLOWLOG GET 0", "*0\r\n");
	talk_say(talk, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2");
	for (int i = 0; i < 5; i++)
		talk_say(talk, "KEYS a");
	assert_says(talk, "SLOWLOG LEN", ":2\r\n");
	talk_say(talk, "CONFIG SET slowlog-log-slower-than -1");
	assert_says(talk, "SLOWLOG RESET", "+OK\r\n");
	talk_say(talk, "KEYS a");
	assert_says(talk, "SLOWLOG LEN", ":0\r\n");
}

static void a_password_is_not_noted(void **state)
{
	struct talk *talk = *state;

	talk_say(talk, "CONFIG SET slowlog-log-slower-than 0 requirePass secret timeout 5");
	has(talk, "SLOWLOG GET",
	    "$11\r\nrequirePass\r\n$10\r\n(redacted)\r\n$7\r\ntimeout\r\n$1\r\n5\r\n");
	has_not(talk, "SLOWLOG GET", "secret");
}

/* As if it had taken long: there is no connection that could be let in. */
static void note(struct talk *talk, int argc, const char *const *words)
{
	struct arg argv[8] = {0};
	struct call call = {.engine = &talk->engine, .argc = argc, .argv = argv};

	for (int i = 0; i < argc; i++)
		argv[i].text = slice_of(words[i]);
	call.command = command_find_or_null(argc, argv);
	slowlog_note(&talk->engine.slowlog, &call, 1000000);
}

static void who_let_himself_in_left_no_password(void **state)
{
	static const char *const auth[] = {"auth", "default", "secret"};
	static const char *const hello[] = {"HELLO", "3",	"SETNAME", "me",
					    "auth",  "default", "secret"};
	struct talk *talk = *state;

	note(talk, 2, (const char *const[]){"AUTH", "secret"});
	note(talk, 3, auth);
	note(talk, 7, hello);
	has(talk, "SLOWLOG GET", "*2\r\n$4\r\nAUTH\r\n$10\r\n(redacted)\r\n");
	has(talk, "SLOWLOG GET",
	    "$7\r\nSETNAME\r\n$2\r\nme\r\n$4\r\nauth\r\n$10\r\n(redacted)\r\n");
	has_not(talk, "SLOWLOG GET", "secret");
}

static void of_many_arguments_the_first_are_noted(void **state)
{
	struct talk *talk = *state;
	struct arg argv[40];

	argv[0] = (struct arg){SLICE("DEL"), NULL};
	for (int i = 1; i < 40; i++)
		argv[i] = (struct arg){SLICE("k"), NULL};
	talk_say(talk, "CONFIG SET slowlog-log-slower-than 0");
	talk_say(talk, "SLOWLOG RESET");
	talk_args(talk, 40, argv);
	has(talk, "SLOWLOG GET 2", "*32\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
	has(talk, "SLOWLOG GET 3", "$1\r\nk\r\n$22\r\n... (9 more arguments)\r\n");
}

static void latency_keeps_the_worst_of_a_second(void **state)
{
	struct talk *talk = *state;

	fake_step_ns = 30000000;
	talk_say(talk, "KEYS a");
	fake_step_ns = 0;
	assert_says(talk, "LATENCY LATEST", "*0\r\n");
	has(talk, "LATENCY DOCTOR", "is disabled");
	talk_say(talk, "CONFIG SET latency-monitor-threshold 20");
	has(talk, "LATENCY DOCTOR", "No latency spike");
	fake_step_ns = 30000000;
	talk_say(talk, "KEYS a");
	fake_step_ns = 40000000;
	talk_say(talk, "KEYS a");
	fake_step_ns = 25000000;
	talk->engine.now_ms += 1000;
	talk_say(talk, "KEYS a");
	fake_step_ns = 19000000;
	talk_say(talk, "KEYS a");
	fake_step_ns = 0;
	assert_says(talk, "LATENCY HISTORY command",
		    "*2\r\n*2\r\n:1000\r\n:40\r\n*2\r\n:1001\r\n:25\r\n");
	assert_says(talk, "LATENCY LATEST", "*1\r\n*4\r\n$7\r\ncommand\r\n:1001\r\n:25\r\n:40\r\n");
	assert_says(talk, "LATENCY RESET command", ":1\r\n");
	assert_says(talk, "LATENCY LATEST", "*0\r\n");
}

static void debug_does_no_harm(void **state)
{
	struct talk *talk = *state;

	assert_says(talk, "DEBUG SLEEP 0", "+OK\r\n");
	assert_says(talk, "DEBUG SLEEP x", "+OK\r\n");
	assert_says(talk, "DEBUG OBJECT k", "-ERR no such key\r\n");
	assert_says(
		talk, "DEBUG SEGFAULT",
		"-ERR unknown subcommand or wrong number of arguments for 'SEGFAULT'. Try DEBUG "
		"HELP.\r\n");
	has(talk, "DEBUG RELOAD", "-ERR");
	talk->resp = 3;
	assert_says(talk, "DEBUG PROTOCOL map", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
	assert_says(talk, "DEBUG PROTOCOL set", "~3\r\n:0\r\n:1\r\n:2\r\n");
	assert_says(talk, "DEBUG PROTOCOL double", ",3.141\r\n");
	assert_says(talk, "DEBUG PROTOCOL null", "_\r\n");
	assert_says(talk, "DEBUG PROTOCOL true", "#t\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_timed, talk_teardown)
		TEST(info_has_the_sections_that_are_asked_for),
		TEST(info_counts_keys_commands_and_time),
		TEST(hits_and_misses_are_those_of_redis),
		TEST(what_the_store_counted_begins_anew_with_resetstat),
		TEST(errors_are_counted_by_their_kind),
		TEST(rates_are_of_the_last_looks),
		TEST(info_prints_sizes_for_people),
		TEST(settings_are_got_by_name_and_pattern),
		TEST(settings_are_set_all_or_none),
		TEST(a_lower_maxmemory_is_in_force_at_once),
		TEST(commands_are_described),
		TEST(every_command_is_listed_once),
		TEST(small_questions_have_small_answers),
		TEST(memory_of_a_key_grows_with_its_value),
		TEST(slow_commands_are_noted_and_cut),
		TEST(a_password_is_not_noted),
		TEST(who_let_himself_in_left_no_password),
		TEST(of_many_arguments_the_first_are_noted),
		TEST(latency_keeps_the_worst_of_a_second),
		TEST(debug_does_no_harm),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
