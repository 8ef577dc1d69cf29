/*
 * The bytes of a large value, outside of its entry. They are counted by reference, so that a reply
 * under way keeps what it sends while the value is replaced, and a value that came in pieces is
 * stored without a copy. Whoever holds the only reference may change them. The count is atomic:
 * references go to other shards and come back.
 */
#ifndef KV_BYTES_H
#define KV_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BYTES_LEN_MIN = 4096 }; /* shorter ones are copied: that costs less than the counting */

struct bytes {
	uint32_t refs; /* atomic */
	uint32_t reserved;
	size_t len, cap;
	char data[];
};

/* One reference, the caller's; cap >= len, both as asked. */
struct bytes *bytes_create_or_null(size_t len, size_t cap);
/* Room for cap bytes. The caller holds the only reference; *bytes may move. 0 or -ENOMEM. */
int bytes_reserve(struct bytes **bytes, size_t cap);
struct bytes *bytes_get(struct bytes *bytes);
void bytes_put(struct bytes *bytes); /* NULL: nothing */
bool bytes_shared(const struct bytes *bytes);

#endif
