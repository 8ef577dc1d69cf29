/*
 * DPDK's telemetry socket of a process under test, asked as dpdk-telemetry.py does.
 */
#ifndef TESTS_KERNEL_TELEMETRY_H
#define TESTS_KERNEL_TELEMETRY_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* The runtime directory of a process named so in its configuration, under RUNTIME_DIRECTORY or
 * /var/run; false if it has none. */
bool telemetry_dir(const char *name, pid_t pid, char path[128]);
/* What it answers to a command such as "/clowder/shards"; the caller's to json_decref(). Fails the
 * test unless that is JSON with the command as its only key. */
json_t *telemetry_ask(const char *name, pid_t pid, const char *command);

/* A figure's sum over the shards that "/clowder/shards" or "/clowder/drops" shows. */
unsigned long telemetry_sum(const char *name, pid_t pid, const char *command, const char *key);

/* A number or a text by its key, anything else fails the test. */
unsigned long telemetry_number(const json_t *dict, const char *key);
const char *telemetry_text(const json_t *dict, const char *key);

#endif
