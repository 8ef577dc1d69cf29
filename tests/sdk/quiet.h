/*
 * For tests of the SDK on the real stack: a configuration of two shards and a device that receives
 * nothing, and short forms of calls.
 */
#ifndef TESTS_SDK_QUIET_H
#define TESTS_SDK_QUIET_H

#include <netinet/in.h>
#include <stdint.h>

/* Writes the configuration and points CONFIG_PATH to it; 0, or -1. */
int quiet_config(void);
void quiet_config_remove(void);

struct sockaddr_in address(const char *text, uint16_t port);
int socket_of(int type);
int bind_to(int qd, const char *text, uint16_t port);
int connect_to(uint64_t *qt, int qd, const char *text, uint16_t port);

#endif
