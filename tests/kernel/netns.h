/*
 * Network namespaces of the test's own, so that nothing of the machine is touched. Works without
 * root, too: then inside a user namespace. Failing commands fail the test.
 */
#ifndef TESTS_KERNEL_NETNS_H
#define TESTS_KERNEL_NETNS_H

/* Once, first thing: leaves the machine's network namespace for an empty one. */
void netns_leave_home(void);
/* A new namespace with its loopback up; the caller stays where it was. Returns a file descriptor
 * that names it, inherited by children. */
int netns_create(void);
void netns_enter(int ns);
/* A file descriptor for the current one. */
int netns_current(void);

/* Runs a shell command for at most 20 seconds and returns its exit status. */
int try(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and it must succeed. */
void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A figure of the current namespace's TCP, as in /proc/net/snmp: "EstabResets", "OutRsts". */
unsigned long netns_tcp_figure(const char *name);

#endif
