#include "netns.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void netns_leave_home(void)
{
	unsigned uid = getuid(), gid = getgid();
	char map[64];

	if (uid == 0) {
		assert_int_equal(unshare(CLONE_NEWNET), 0);
	} else {
		assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
		write_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_file("/proc/self/gid_map", map);
	}
	run("ip link set lo up");
}

int netns_current(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY);

	assert_true(fd >= 0);
	return fd;
}

void netns_enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

int netns_create(void)
{
	int before = netns_current(), ns;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	run("ip link set lo up");
	ns = netns_current();
	netns_enter(before);
	close(before);
	return ns;
}

static int run_va(const char *fmt, va_list args)
{
	char command[1024], bounded[1200];
	int status;

	vsnprintf(command, sizeof(command), fmt, args);
	snprintf(bounded, sizeof(bounded), "timeout 20 sh -c '%s'", command);
	status = system(bounded);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int try(const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = run_va(fmt, args);
	va_end(args);
	return status;
}

void run(const char *fmt, ...)
{
	va_list args;
	int status;

	va_start(args, fmt);
	status = run_va(fmt, args);
	va_end(args);
	if (status)
		fail_msg("exit status %d of: %s", status, fmt);
}

/* The value below name, of a line of names and a line of values; NULL: no such name. */
static const char *value_or_null(char *names, char *values, const char *name)
{
	char *name_at, *value_at;
	const char *n = strtok_r(names, " \n", &name_at), *v = strtok_r(values, " \n", &value_at);

	while (n && v && strcmp(n, name) != 0) {
		n = strtok_r(NULL, " \n", &name_at);
		v = strtok_r(NULL, " \n", &value_at);
	}
	return n ? v : NULL;
}

unsigned long netns_tcp_figure(const char *name)
{
	char names[1024], values[1024];
	FILE *file = fopen("/proc/self/net/snmp", "r");
	const char *value = NULL;

	assert_non_null(file);
	while (!value && fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		if (strncmp(names, "Tcp:", 4) == 0)
			value = value_or_null(names, values, name);
	}
	fclose(file);
	if (!value) {
		fail_msg("no figure \"%s\" of TCP", name);
		return 0;
	}
	return strtoul(value, NULL, 10);
}
