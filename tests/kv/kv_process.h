/*
 * kv under test, on a tap in a namespace of its own, and clients of it on the kernel's TCP. Every
 * wait is bounded; what takes longer fails the test and shows what kv said.
 */
#ifndef TESTS_KV_KV_PROCESS_H
#define TESTS_KV_KV_PROCESS_H

#include <stddef.h>

#define KV_ADDRESS "10.99.0.2"
enum { KV_PORT = 6379 };

/* Once, first thing: into a namespace of the test's own, where kv runs, too. */
void kv_home(void);
/* Starts it with so many shards and more options, which end with NULL; returns when it is ready. */
void kv_start(unsigned shard_count, const char *const *options);
/* SIGTERM; it must end with status 0 and every packet buffer back. */
void kv_stop(void);
/* Likewise, while its output leads nowhere; its exit status. */
int kv_stop_unheard(void);
/* SIGKILL. */
void kv_kill(void);
/* The part after the signal. */
void kv_ended(void);
/* Runs it to its own end; its exit status. What it said must contain text. */
int kv_fails(const char *const *options, const char *text);
void kv_signal(int number);
/* Its resident memory, in bytes. */
size_t kv_resident(void);

/* --- clients --- */

int client_open(void);
int client_open_port(unsigned port);
/* With so small a receive buffer. */
int client_open_small(int rcvbuf_len);
/* All of it. */
void client_send(int fd, const void *data, size_t len);
void client_say(int fd, const char *text); /* a string */
/* Sends text, and what comes must be reply; '\n' in both stands for "\r\n". */
void client_ask(int fd, const char *text, const char *reply);
/* What comes next must be just this. */
void client_expect(int fd, const char *reply);
void client_expect_bytes(int fd, const void *data, size_t len);
/* Whatever comes up to the end of a line, without it. */
void client_line(int fd, char *line, size_t size);
/* A bulk string, with a zero behind it; returns its length. */
size_t client_text(int fd, char *text, size_t size);
/* Nothing more comes, and the connection is ended in order. */
void client_expect_end(int fd);
/* It ends, in whatever way, within some seconds; what still comes is thrown away. */
void client_expect_gone(int fd);
/* Nothing comes for a moment. */
void client_expect_silence(int fd);
/* An RST. */
void client_reset(int fd);
/* Sends copies of data until nothing has been taken for a while, or max bytes: how many were. */
size_t client_stuff(int fd, const void *data, size_t len, size_t max);

#endif
