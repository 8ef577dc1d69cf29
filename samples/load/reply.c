#include "load/reply.h"

#include <stdbool.h>
#include <string.h>

enum { BULK_LEN_MAX = 512 * 1024 * 1024, BULK_DIGITS_MAX = 9 };

static bool is_type(char c)
{
	return c == '$' || c == '+' || c == '-' || c == ':' || c == '_';
}

/* The line behind '$': a length, or -1. */
static bool read_bulk_len(struct reply *reply, uint32_t len)
{
	const char *line = reply->line;

	if (len == 2 && line[0] == '-' && line[1] == '1') {
		reply->bulk_len = -1;
		return true;
	}
	reply->bulk_len = 0;
	for (uint32_t i = 0; i < len; i++) {
		if (i == BULK_DIGITS_MAX || line[i] < '0' || line[i] > '9')
			return false;
		reply->bulk_len = 10 * reply->bulk_len + (line[i] - '0');
	}
	return len > 0 && reply->bulk_len <= BULK_LEN_MAX;
}

/* A whole line is there. */
static enum reply_event line_done(struct reply *reply)
{
	const uint32_t kept = reply->line_len < REPLY_LINE_MAX ? reply->line_len : REPLY_LINE_MAX;

	/* The carriage return, if it was kept. */
	if (reply->line_len <= REPLY_LINE_MAX && (kept == 0 || reply->line[kept - 1] != '\r'))
		return REPLY_BAD;
	reply->line[reply->line_len <= REPLY_LINE_MAX ? kept - 1 : kept] = 0;
	if (reply->type != '$')
		return REPLY_DONE;
	if (!read_bulk_len(reply, kept - 1))
		return REPLY_BAD;
	if (reply->bulk_len < 0)
		return REPLY_DONE;
	reply->state = reply->bulk_len > 0 ? REPLY_TEXT : REPLY_END;
	return REPLY_MORE;
}

static enum reply_event feed_line(struct reply *reply, const uint8_t *data, uint32_t len,
				  uint32_t *used)
{
	uint32_t at = 0, line_len = reply->line_len;

	if (!reply->type) {
		reply->type = (char)data[at++];
		if (!is_type(reply->type))
			return REPLY_BAD;
	}
	for (; at < len && data[at] != '\n'; at++, line_len++) {
		if (line_len < REPLY_LINE_MAX)
			reply->line[line_len] = (char)data[at];
	}
	reply->line_len = line_len;
	*used = at + (at < len);
	return at < len ? line_done(reply) : REPLY_MORE;
}

static enum reply_event feed_end(struct reply *reply, const uint8_t *data, uint32_t len,
				 uint32_t *used)
{
	static const uint8_t end[] = {'\r', '\n'};

	while (*used < len && reply->end_len < sizeof(end)) {
		if (data[(*used)++] != end[reply->end_len++])
			return REPLY_BAD;
	}
	return reply->end_len == 2 ? REPLY_DONE : REPLY_MORE;
}

static void begin(struct reply *reply)
{
	reply->state = REPLY_LINE;
	reply->type = 0;
	reply->line_len = reply->end_len = 0;
	reply->bulk_len = 0;
	reply->bulk_got = 0;
}

enum reply_event reply_feed(struct reply *reply, const uint8_t *data, uint32_t len, uint32_t *used)
{
	enum reply_event event = REPLY_MORE;
	uint64_t left;

	*used = 0;
	if (reply->state == REPLY_END && reply->end_len == 2)
		begin(reply);
	if (reply->state == REPLY_LINE)
		event = feed_line(reply, data, len, used);
	if (event == REPLY_MORE && reply->state == REPLY_TEXT && *used < len) {
		if (*used > 0) /* the caller looks at text from its beginning */
			return REPLY_MORE;
		left = (uint64_t)reply->bulk_len - reply->bulk_got;
		*used = len < left ? len : (uint32_t)left;
		reply->bulk_got += *used;
		if (reply->bulk_got == (uint64_t)reply->bulk_len)
			reply->state = REPLY_END;
		return REPLY_BULK;
	}
	if (event == REPLY_MORE && reply->state == REPLY_END)
		event = feed_end(reply, data, len, used);
	if (event == REPLY_DONE) {
		reply->state = REPLY_END;
		reply->end_len = 2;
	}
	return event;
}
