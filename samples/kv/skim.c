#include "kv/skim.h"

#include "kv/heap.h"
#include "kv/number.h"

char *skim_take_or_null(struct out *answer, struct slice *text)
{
	size_t len = out_ready(answer);
	char *block = heap_alloc_or_null(len + 1);

	if (block != NULL)
		*text = (struct slice){block, out_take(answer, block, len)};
	return block;
}

int64_t skim_head(struct slice *text)
{
	const char *end = text->len < 3 ? NULL : memchr(text->data, '\n', text->len);
	int64_t value;
	size_t len;

	if (end == NULL) {
		text->len = 0;
		return -1;
	}
	len = (size_t)(end - text->data) + 1;
	if (!number_parse((struct slice){text->data + 1, len - 3}, &value))
		value = -1;
	*text = (struct slice){text->data + len, text->len - len};
	return value;
}

struct slice skim_whole(struct slice *text)
{
	const char *begin = text->data;
	int64_t left = 1; /* replies to come until this one is whole */

	while (left > 0 && text->len > 0) {
		char kind = text->data[0];
		int64_t count = skim_head(text);
		size_t body = count < 0 ? 0 : (size_t)count + 2;

		left--;
		if (kind == '$' || kind == '=') {
			body = count < 0 ? 0 : body < text->len ? body : text->len;
			*text = (struct slice){text->data + body, text->len - body};
		} else if (count > 0 && (kind == '*' || kind == '~' || kind == '>')) {
			left += count;
		} else if (count > 0 && kind == '%') {
			left += 2 * count;
		}
	}
	return (struct slice){begin, (size_t)(text->data - begin)};
}
