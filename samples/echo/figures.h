/* What a shard did, counted by the server itself, printed as one line together with the SDK's own.
 */
#ifndef ECHO_FIGURES_H
#define ECHO_FIGURES_H

#include <stdint.h>

struct figures {
	int shard;
	uint64_t message_count, lost_count; /* echoed; connections that failed, datagrams lost */
	uint32_t mbufs_idle;		    /* held when it had just begun to listen */
	uint64_t printed_count, printed_ns; /* message_count when the last line was printed */
};

void figures_init(struct figures *figures, int shard);
/* The shard listens, and nothing has come yet. */
void figures_idle(struct figures *figures);
/* Also after demi_shard_run() has returned: what the shard ended with. */
void figures_print(const struct figures *figures);
/* With the rate since the last line, when that is period_ns ago. */
void figures_print_every(struct figures *figures, uint64_t period_ns);

#endif
