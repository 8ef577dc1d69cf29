#include "kv/reply.h"

#include "kv/heap.h"
#include "kv/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	COPY_AT_ONCE_MAX = 2048, /* a bulk string up to so long is written in one piece */
};

/* "$5\r\n" and its like. */
static void head(struct out *out, char kind, int64_t value)
{
	char text[1 + NUMBER_LEN_MAX + 2];
	size_t len = 1;

	text[0] = kind;
	len += number_print(text + len, value);
	text[len++] = '\r';
	text[len++] = '\n';
	out_add(out, (struct slice){text, len});
}

static char *end_line(char *to)
{
	to[0] = '\r';
	to[1] = '\n';
	return to + 2;
}

/* A line must not hold what ends it. */
static void line(struct out *out, char kind, struct slice text)
{
	char *to = out_reserve_or_null(out, 1 + text.len + 2);

	if (!to)
		return;
	*to++ = kind;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];

		*to++ = (char)(c == '\r' || c == '\n' ? ' ' : c);
	}
	end_line(to);
}

void reply_status(struct out *out, const char *text)
{
	line(out, '+', slice_of(text));
}

/* Its kind is its first word. */
static void note_error(struct out *out, const char *text)
{
	out->errors++;
	snprintf(out->error_code, sizeof(out->error_code), "%.*s", (int)strcspn(text, " "), text);
}

void reply_error(struct out *out, const char *text)
{
	note_error(out, text);
	line(out, '-', slice_of(text));
}

void reply_errorf(struct out *out, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	note_error(out, format);
	text = len < 0 ? NULL : heap_alloc_or_null((size_t)len + 1);
	if (!text) {
		out->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
		len--;
	line(out, '-', (struct slice){text, (size_t)len});
	heap_free(text);
}

void reply_integer(struct out *out, int64_t value)
{
	head(out, ':', value);
}

void reply_bulk(struct out *out, struct slice text)
{
	char number[NUMBER_LEN_MAX];
	size_t digits;
	char *to;

	if (text.len > COPY_AT_ONCE_MAX) {
		head(out, '$', (int64_t)text.len);
		out_add(out, text);
		out_add(out, SLICE("\r\n"));
		return;
	}
	digits = number_print_unsigned(number, text.len);
	to = out_reserve_or_null(out, 1 + digits + 2 + text.len + 2);
	if (!to)
		return;
	*to++ = '$';
	memcpy(to, number, digits);
	to = end_line(to + digits);
	if (text.len > 0)
		memcpy(to, text.data, text.len);
	end_line(to + text.len);
}

void reply_text(struct out *out, const char *text)
{
	reply_bulk(out, slice_of(text));
}

void reply_bulk_bytes(struct out *out, struct bytes *bytes)
{
	if (bytes->len < BYTES_LEN_MIN) {
		reply_bulk(out, (struct slice){bytes->data, bytes->len});
		return;
	}
	head(out, '$', (int64_t)bytes->len);
	out_add_bytes(out, bytes);
	out_add(out, SLICE("\r\n"));
}

void reply_bulk_integer(struct out *out, int64_t value)
{
	char text[NUMBER_LEN_MAX];

	reply_bulk(out, (struct slice){text, number_print(text, value)});
}

void reply_double(struct out *out, double value)
{
	char text[64];
	size_t len;

	if (isinf(value))
		len = (size_t)snprintf(text, sizeof(text), "%s", value > 0 ? "inf" : "-inf");
	else
		len = (size_t)snprintf(text, sizeof(text), "%.17g", value);
	if (out->resp < 3)
		reply_bulk(out, (struct slice){text, len});
	else
		line(out, ',', (struct slice){text, len});
}

void reply_boolean(struct out *out, bool value)
{
	if (out->resp < 3)
		reply_integer(out, value);
	else
		out_add(out, value ? SLICE("#t\r\n") : SLICE("#f\r\n"));
}

void reply_null(struct out *out)
{
	out_add(out, out->resp < 3 ? SLICE("$-1\r\n") : SLICE("_\r\n"));
}

void reply_null_array(struct out *out)
{
	out_add(out, out->resp < 3 ? SLICE("*-1\r\n") : SLICE("_\r\n"));
}

void reply_verbatim(struct out *out, struct slice text)
{
	if (out->resp < 3) {
		reply_bulk(out, text);
		return;
	}
	head(out, '=', (int64_t)text.len + 4);
	out_add(out, SLICE("txt:"));
	out_add(out, text);
	out_add(out, SLICE("\r\n"));
}

void reply_array(struct out *out, size_t count)
{
	head(out, '*', (int64_t)count);
}

void reply_map(struct out *out, size_t count)
{
	if (out->resp < 3)
		head(out, '*', (int64_t)count * 2);
	else
		head(out, '%', (int64_t)count);
}

void reply_set(struct out *out, size_t count)
{
	head(out, out->resp < 3 ? '*' : '~', (int64_t)count);
}

void reply_push(struct out *out, size_t count)
{
	head(out, out->resp < 3 ? '*' : '>', (int64_t)count);
}
