#include "telemetry.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { GIVE_UP_SECONDS = 20, ANSWER_LEN_MAX = 64 << 10 };

bool telemetry_dir(const char *name, pid_t pid, char path[128])
{
	const char *given = getenv("RUNTIME_DIRECTORY");
	struct stat st;

	snprintf(path, 128, "%.64s/dpdk/%s-%d", given ? given : "/var/run", name, (int)pid);
	return stat(path, &st) == 0;
}

static int dial(const char *name, pid_t pid)
{
	struct timeval give_up = {.tv_sec = GIVE_UP_SECONDS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char dir[128];

	assert_true(fd >= 0);
	if (!telemetry_dir(name, pid, dir))
		fail_msg("%s-%d has no runtime directory", name, (int)pid);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/dpdk_telemetry.v2", dir);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &give_up, sizeof(give_up));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail_msg("nobody answers at %s", address.sun_path);
	return fd;
}

/* One packet, which is one JSON object. */
static json_t *receive(int fd)
{
	char *text = malloc(ANSWER_LEN_MAX);
	json_error_t error;
	json_t *json;
	ssize_t n;

	assert_non_null(text);
	n = recv(fd, text, ANSWER_LEN_MAX, 0);
	assert_true(n > 0);
	json = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s in: %.*s", error.text, (int)n, text);
	free(text);
	return json;
}

json_t *telemetry_ask(const char *name, pid_t pid, const char *command)
{
	int fd = dial(name, pid);
	json_t *greeting = receive(fd), *json, *answer;
	char key[64];

	assert_int_equal(telemetry_number(greeting, "pid"), pid);
	json_decref(greeting);
	assert_int_equal(send(fd, command, strlen(command), 0), (ssize_t)strlen(command));
	json = receive(fd);
	close(fd);
	assert_int_equal(json_object_size(json), 1);
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(command, ","), command);
	answer = json_incref(json_object_get(json, key));
	assert_non_null(answer);
	json_decref(json);
	return answer;
}

unsigned long telemetry_sum(const char *name, pid_t pid, const char *command, const char *key)
{
	json_t *answer = telemetry_ask(name, pid, command), *shard;
	unsigned long total = 0;
	const char *number;

	json_object_foreach(answer, number, shard)
	{
		total += telemetry_number(shard, key);
	}
	json_decref(answer);
	return total;
}

unsigned long telemetry_number(const json_t *dict, const char *key)
{
	const json_t *value = json_object_get(dict, key);

	if (!json_is_integer(value))
		fail_msg("\"%s\" is not a number there", key);
	return (unsigned long)json_integer_value(value);
}

const char *telemetry_text(const json_t *dict, const char *key)
{
	const char *value = json_string_value(json_object_get(dict, key));

	if (!value)
		fail_msg("\"%s\" is not a text there", key);
	return value;
}
