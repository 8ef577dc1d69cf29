#include "sdk/config_value.h"

#include "mem/check.h"
#include "sdk/config_keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Inside, time is nanoseconds and room is bytes. */
static uint64_t scale(const char *unit)
{
	static const struct {
		const char *unit;
		uint64_t scale;
	} units[] = {
		{"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"KiB", 1024}, {"MiB", 1048576},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].unit, unit) == 0)
			return units[i].scale;
	}
	return 1;
}

static void store(void *field, size_t size, uint64_t value)
{
	const uint32_t v32 = (uint32_t)value;
	const uint16_t v16 = (uint16_t)value;
	const uint8_t v8 = (uint8_t)value;

	CHECK(size == 8 || value >> (size * 8) == 0);
	switch (size) {
	case 1:
		memcpy(field, &v8, size);
		break;
	case 2:
		memcpy(field, &v16, size);
		break;
	case 4:
		memcpy(field, &v32, size);
		break;
	default:
		CHECK(size == 8);
		memcpy(field, &value, size);
	}
}

/* Digits only, so neither a sign nor blanks. */
static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *rest;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*out = strtoull(text, &rest, 10);
	return errno == 0 && *rest == '\0' && *out >= min && *out <= max;
}

static bool set_number(const struct config_key *key, const struct toml_item *item, void *base)
{
	uint64_t value;

	if (item->type != TOML_INTEGER || !parse_number(item->text, key->min, key->max, &value))
		return false;
	store((char *)base + key->offset, key->size, value * scale(key->unit));
	return true;
}

static bool set_shards(const struct config_key *key, const struct toml_item *item, void *base)
{
	if (item->type != TOML_STRING)
		return set_number(key, item, base);
	if (strcmp(item->text, "auto") != 0)
		return false;
	store((char *)base + key->offset, key->size, 0);
	return true;
}

static bool set_cpus(const struct config_key *key, const struct toml_item *item, void *base)
{
	int *cpus = (int *)((char *)base + key->offset);
	const size_t room = key->size / sizeof(*cpus);
	const char *next = item->text;
	uint16_t count = 0;

	if (item->type != TOML_INTEGERS)
		return false;
	while (*next != '\0') {
		char one[24];
		uint64_t cpu;
		const size_t len = strcspn(next, ",");

		snprintf(one, sizeof(one), "%.*s", (int)len, next);
		if (count == room || !parse_number(one, key->min, key->max, &cpu))
			return false;
		for (uint16_t i = 0; i < count; i++) {
			if (cpus[i] == (int)cpu)
				return false;
		}
		cpus[count++] = (int)cpu;
		next += len;
		next += strspn(next, ", ");
	}
	store((char *)base + key->companion, sizeof(count), count);
	return count > 0;
}

static bool set_flag(const struct config_key *key, const struct toml_item *item, void *base)
{
	if (item->type != TOML_BOOLEAN)
		return false;
	store((char *)base + key->offset, key->size, strcmp(item->text, "true") == 0);
	return true;
}

static bool set_choice(const struct config_key *key, const struct toml_item *item, void *base)
{
	const char *word = key->unit;

	if (item->type != TOML_STRING)
		return false;
	for (uint64_t value = 0; *word != '\0'; value++) {
		const size_t len = strcspn(word, "|");

		if (strlen(item->text) == len && memcmp(item->text, word, len) == 0) {
			store((char *)base + key->offset, key->size, value);
			return true;
		}
		word += len + (word[len] == '|');
	}
	return false;
}

static bool set_text(const struct config_key *key, const struct toml_item *item, void *base)
{
	const size_t len = strlen(item->text);

	if (item->type != TOML_STRING || len < key->min || len > key->max)
		return false;
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)item->text[i];

		if (iscntrl(c) || (key->kind == CONFIG_NAME && !isalnum(c) && c != '-' && c != '_'))
			return false;
	}
	CHECK(len < key->size);
	memset((char *)base + key->offset, 0, key->size);
	memcpy((char *)base + key->offset, item->text, len);
	return true;
}

static bool set_address(const struct config_key *key, const struct toml_item *item, void *base)
{
	struct in_addr addr;

	if (item->type != TOML_STRING || inet_pton(AF_INET, item->text, &addr) != 1 ||
	    addr.s_addr == 0)
		return false;
	store((char *)base + key->offset, key->size, addr.s_addr);
	return true;
}

static bool set_prefix(const struct config_key *key, const struct toml_item *item, void *base)
{
	const char *slash = strchr(item->text, '/');
	char text[INET_ADDRSTRLEN];
	struct in_addr addr;
	uint64_t len;

	if (item->type != TOML_STRING || slash == NULL ||
	    (size_t)(slash - item->text) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(slash - item->text), item->text);
	if (inet_pton(AF_INET, text, &addr) != 1 ||
	    !parse_number(slash + 1, key->min, key->max, &len))
		return false;
	store((char *)base + key->offset, key->size, addr.s_addr);
	store((char *)base + key->companion, 1, len);
	return true;
}

/* 16 and more: none. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Pairs of digits with the separator between them, '\0' for none. */
static bool parse_hex(const char *text, char separator, uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned high, low;

		if (i > 0 && separator != '\0' && *text++ != separator)
			return false;
		high = digit(text[0]);
		low = high < 16 ? digit(text[1]) : 16;
		if (low >= 16)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return *text == '\0';
}

static bool set_mac(const struct config_key *key, const struct toml_item *item, void *base)
{
	struct rte_ether_addr mac;

	if (item->type != TOML_STRING ||
	    !parse_hex(item->text, ':', mac.addr_bytes, sizeof(mac.addr_bytes)) ||
	    rte_is_multicast_ether_addr(&mac) || rte_is_zero_ether_addr(&mac))
		return false;
	CHECK(key->size == sizeof(mac));
	memcpy((char *)base + key->offset, &mac, sizeof(mac));
	store((char *)base + key->companion, sizeof(bool), true);
	return true;
}

static bool set_hex(const struct config_key *key, const struct toml_item *item, void *base)
{
	uint8_t bytes[RSS_KEY_LEN];

	CHECK(key->size == sizeof(bytes));
	if (item->type != TOML_STRING || !parse_hex(item->text, '\0', bytes, sizeof(bytes)))
		return false;
	memcpy((char *)base + key->offset, bytes, sizeof(bytes));
	return true;
}

static bool (*const setters[])(const struct config_key *key, const struct toml_item *item,
			       void *base) = {
	[CONFIG_NUMBER] = set_number, [CONFIG_SHARDS] = set_shards,   [CONFIG_CPUS] = set_cpus,
	[CONFIG_FLAG] = set_flag,     [CONFIG_CHOICE] = set_choice,   [CONFIG_TEXT] = set_text,
	[CONFIG_NAME] = set_text,     [CONFIG_ADDRESS] = set_address, [CONFIG_PREFIX] = set_prefix,
	[CONFIG_MAC] = set_mac,	      [CONFIG_HEX] = set_hex,
};

bool config_value_set(const struct config_key *key, const struct toml_item *item, void *base)
{
	return setters[key->kind](key, item, base);
}

void config_value_default(const struct config_key *key, void *base)
{
	struct toml_item item = {.type = TOML_INTEGER, .text = key->initial};
	char text[CONFIG_TEXT_LEN];

	if (key->initial == NULL || key->initial[0] == '\0')
		return;
	if (key->initial[0] == '"') {
		snprintf(text, sizeof(text), "%.*s", (int)strlen(key->initial) - 2,
			 key->initial + 1);
		item = (struct toml_item){.type = TOML_STRING, .text = text};
	} else if (key->kind == CONFIG_FLAG) {
		item.type = TOML_BOOLEAN;
	}
	CHECK(config_value_set(key, &item, base));
}

static void describe_choice(const struct config_key *key, char text[CONFIG_TEXT_LEN])
{
	const char *word = key->unit;
	size_t used = 0;

	while (*word != '\0') {
		const size_t len = strcspn(word, "|");

		used += (size_t)snprintf(text + used, CONFIG_TEXT_LEN - used, "%s\"%.*s\"",
					 used == 0 ? "" : ", ", (int)len, word);
		word += len + (word[len] == '|');
	}
}

void config_value_allowed(const struct config_key *key, char text[CONFIG_TEXT_LEN])
{
	static const char *const sentences[] = {
		[CONFIG_FLAG] = "true or false",
		[CONFIG_ADDRESS] = "an IPv4 address such as \"10.99.0.1\"",
		[CONFIG_MAC] = "a unicast MAC address such as \"02:00:00:00:00:01\"",
	};
	const bool unit = key->unit[0] != '\0';

	switch (key->kind) {
	case CONFIG_NUMBER:
		snprintf(text, CONFIG_TEXT_LEN, "a whole number, %" PRIu64 " to %" PRIu64 "%s%s",
			 key->min, key->max, unit ? " " : "", key->unit);
		break;
	case CONFIG_SHARDS:
		snprintf(text, CONFIG_TEXT_LEN,
			 "a whole number, %" PRIu64 " to %" PRIu64 ", or \"auto\"", key->min,
			 key->max);
		break;
	case CONFIG_CPUS:
		snprintf(text, CONFIG_TEXT_LEN,
			 "a list of at most %zu different whole numbers, %" PRIu64 " to %" PRIu64,
			 key->size / sizeof(int), key->min, key->max);
		break;
	case CONFIG_CHOICE:
		describe_choice(key, text);
		break;
	case CONFIG_TEXT:
	case CONFIG_NAME:
		snprintf(text, CONFIG_TEXT_LEN, "a text of %" PRIu64 " to %" PRIu64 " %s", key->min,
			 key->max,
			 key->kind == CONFIG_NAME ? "letters, digits, '-' or '_'" : "bytes");
		break;
	case CONFIG_PREFIX:
		snprintf(text, CONFIG_TEXT_LEN,
			 "an IPv4 address and prefix length, %" PRIu64 " to %" PRIu64
			 ", such as \"10.99.0.2/24\"",
			 key->min, key->max);
		break;
	case CONFIG_HEX:
		snprintf(text, CONFIG_TEXT_LEN, "%" PRIu64 " hexadecimal digits", key->max * 2);
		break;
	default:
		snprintf(text, CONFIG_TEXT_LEN, "%s", sentences[key->kind]);
	}
}

void config_value_found(const struct toml_item *item, char text[CONFIG_TEXT_LEN])
{
	const int room = 80; /* the whole line has to fit */

	if (item->type == TOML_STRING)
		snprintf(text, CONFIG_TEXT_LEN, "\"%.*s\"", room, item->text);
	else if (item->type == TOML_INTEGERS)
		snprintf(text, CONFIG_TEXT_LEN, "[%.*s]", room, item->text);
	else
		snprintf(text, CONFIG_TEXT_LEN, "%.*s", room, item->text);
}
