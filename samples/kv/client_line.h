/* A client in one line, as CLIENT LIST and INFO print it. */
#ifndef KV_CLIENT_LINE_H
#define KV_CLIENT_LINE_H

#include <netinet/in.h>
#include <stddef.h>

struct session;

enum { CLIENT_LINE_LEN = 8192, CLIENT_ADDRESS_LEN = 24 };

/* "10.0.0.1:1234" */
void client_address(const struct sockaddr_in *address, char text[CLIENT_ADDRESS_LEN]);
/* With a newline, no zero at its end; returns its length. */
size_t client_line(const struct session *session, char text[CLIENT_LINE_LEN]);

#endif
