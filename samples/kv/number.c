#include "kv/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool number_parse(struct slice text, int64_t *out)
{
	const bool negative = text.len > 0 && text.data[0] == '-';
	const char *at = text.data + negative, *end = text.data + text.len;
	const uint64_t max = (uint64_t)INT64_MAX + negative;
	uint64_t value = 0;

	if (at == end || end - at > 19)
		return false;
	if (*at == '0') {
		*out = 0;
		return end - at == 1 && !negative;
	}
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		/* 19 digits stay below 2^64. */
		value = value * 10 + (uint64_t)(*at - '0');
	}
	if (value > max)
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

static size_t print(char *to, uint64_t value)
{
	char digits[NUMBER_LEN_MAX];
	char *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	memcpy(to, at, (size_t)(digits + sizeof(digits) - at));
	return (size_t)(digits + sizeof(digits) - at);
}

size_t number_print_unsigned(char to[NUMBER_LEN_MAX], uint64_t value)
{
	return print(to, value);
}

size_t number_print(char to[NUMBER_LEN_MAX], int64_t value)
{
	if (value >= 0)
		return print(to, (uint64_t)value);
	*to = '-';
	return 1 + print(to + 1, 0 - (uint64_t)value);
}

bool number_parse_long_double(struct slice text, long double *out)
{
	char copy[NUMBER_LONG_DOUBLE_LEN_MAX];
	char *end;

	if (text.len == 0 || text.len >= sizeof(copy) || isspace((unsigned char)text.data[0]))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	errno = 0;
	*out = strtold(copy, &end);
	if (end != copy + text.len || isnan(*out))
		return false;
	return errno != ERANGE || !(isinf(*out) || fpclassify(*out) == FP_ZERO);
}

size_t number_print_long_double(char to[NUMBER_LONG_DOUBLE_LEN_MAX], long double value)
{
	size_t len = (size_t)snprintf(to, NUMBER_LONG_DOUBLE_LEN_MAX, "%.17Lf", value);

	if (!memchr(to, '.', len))
		return len;
	while (to[len - 1] == '0')
		len--;
	if (to[len - 1] == '.')
		len--;
	if (len == 2 && to[0] == '-' && to[1] == '0') {
		to[0] = '0';
		return 1;
	}
	return len;
}
