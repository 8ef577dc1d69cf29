/* Commands on the bits of strings; bit 0 is the highest of the first byte. */
#include "kv/call.h"
#include "kv/cmd_string.h"
#include "kv/commands.h"
#include "kv/number.h"
#include "kv/reply.h"

static bool bit_offset(struct call *call, int i, int64_t *offset)
{
	const uint64_t len_max = call->engine->settings->limits.bulk_len_max;

	if (number_parse(call_arg(call, i), offset) && *offset >= 0 &&
	    (call->engine->loading || (uint64_t)*offset >> 3 < len_max))
		return true;
	reply_error(call->out, "ERR bit offset is not an integer or out of range");
	return false;
}

static struct slice text_of(const struct entry *entry, char scratch[ENTRY_SCRATCH_LEN])
{
	return entry ? entry_string(entry, scratch) : SLICE("");
}

static bool bit_at(struct slice text, int64_t offset)
{
	const size_t at = (size_t)offset >> 3;

	return at < text.len && (text.data[at] >> (7 - (offset & 7)) & 1);
}

void cmd_getbit(struct call *call)
{
	char scratch[ENTRY_SCRATCH_LEN];
	struct entry *entry;
	int64_t offset;

	if (bit_offset(call, 2, &offset) && string_find(call, 1, &entry))
		reply_integer(call->out, bit_at(text_of(entry, scratch), offset));
}

void cmd_setbit(struct call *call)
{
	char scratch[ENTRY_SCRATCH_LEN];
	int64_t offset, bit;
	struct entry *entry;
	struct slice text;
	size_t at;
	char *data;
	bool old;

	if (!bit_offset(call, 2, &offset))
		return;
	if (!number_parse(call_arg(call, 3), &bit) || bit >> 1 != 0) {
		reply_error(call->out, "ERR bit is not an integer or out of range");
		return;
	}
	if (!string_seize(call, 1, &entry))
		return;
	text = text_of(entry, scratch);
	old = bit_at(text, offset);
	at = (size_t)offset >> 3;
	if (at >= text.len || old != bit) {
		data = string_edit(call, 1, entry, at < text.len ? text.len : at + 1);
		if (!data)
			return;
		data[at] = (char)((data[at] & ~(1 << (7 - (offset & 7)))) |
				  (int)bit << (7 - (offset & 7)));
	}
	reply_integer(call->out, old);
}

/* --- ranges of bits --- */

static uint64_t load_word(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

static int64_t count_bytes(const char *data, size_t len)
{
	int64_t count = 0;
	size_t at = 0;

	for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t))
		count += __builtin_popcountll(load_word(data + at));
	for (; at < len; at++)
		count += __builtin_popcount((uint8_t)data[at]);
	return count;
}

/* Of bits first to last, both among them. */
static int64_t count_bits(const char *data, int64_t first, int64_t last)
{
	const size_t from = (size_t)first >> 3, to = (size_t)last >> 3;
	const int before = (uint8_t)data[from] & ~(0xff >> (first & 7)) & 0xff;
	const int behind = (uint8_t)data[to] & (0x7f >> (last & 7));

	return count_bytes(data + from, to - from + 1) - __builtin_popcount((unsigned)before) -
	       __builtin_popcount((unsigned)behind);
}

/* The first that is bit; -1: there is none. */
static int64_t find_bit(const char *data, int64_t first, int64_t last, bool bit)
{
	const uint64_t nothing = bit ? 0 : UINT64_MAX;
	const size_t end = ((size_t)last >> 3) + 1;
	unsigned mask = 0xff >> (first & 7);

	for (size_t at = (size_t)first >> 3; at < end; at++, mask = 0xff) {
		unsigned byte;

		while (mask == 0xff && end - at > sizeof(nothing) &&
		       load_word(data + at) == nothing)
			at += sizeof(nothing);
		byte = ((uint8_t)data[at] ^ (uint8_t)nothing) & mask;
		if (byte) {
			const int64_t found = (int64_t)at * 8 + __builtin_clz(byte) - 24;

			return found <= last ? found : -1;
		}
	}
	return -1;
}

enum unit { UNIT_BYTE, UNIT_BIT };

/* Argument i, if it is there. False: it is no unit, which is the reply. */
static bool parse_unit(struct call *call, int i, enum unit *unit)
{
	*unit = i < call->argc && call_is(call, i, "bit") ? UNIT_BIT : UNIT_BYTE;
	if (i >= call->argc || *unit == UNIT_BIT || call_is(call, i, "byte"))
		return true;
	reply_error(call->out, CALL_SYNTAX_ERROR);
	return false;
}

/* The bits of a range in one unit or the other. False: none is in it. */
static bool bit_range(int64_t *first, int64_t *last, enum unit unit, size_t len)
{
	if (!string_range(first, last, unit == UNIT_BIT ? (uint64_t)len * 8 : len))
		return false;
	if (unit == UNIT_BYTE) {
		*first *= 8;
		*last = *last * 8 + 7;
	}
	return true;
}

void cmd_bitcount(struct call *call)
{
	char scratch[ENTRY_SCRATCH_LEN];
	int64_t first = 0, last = -1;
	enum unit unit = UNIT_BYTE;
	struct entry *entry;
	struct slice text;

	if (!string_find(call, 1, &entry))
		return;
	if (!entry) {
		reply_integer(call->out, 0);
		return;
	}
	if (call->argc == 3 || call->argc > 5) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return;
	}
	if (call->argc > 3 && (!call_integer(call, 2, &first) || !call_integer(call, 3, &last)))
		return;
	if (call->argc > 3 && string_range_inverted(first, last)) {
		reply_integer(call->out, 0);
		return;
	}
	if (!parse_unit(call, 4, &unit))
		return;
	text = text_of(entry, scratch);
	reply_integer(call->out, bit_range(&first, &last, unit, text.len)
					 ? count_bits(text.data, first, last)
					 : 0);
}

void cmd_bitpos(struct call *call)
{
	int64_t bit, first = 0, last = -1, found = -1;
	char scratch[ENTRY_SCRATCH_LEN];
	enum unit unit = UNIT_BYTE;
	struct entry *entry;
	struct slice text;

	if (!call_integer(call, 2, &bit))
		return;
	if (bit >> 1 != 0) {
		reply_error(call->out, "ERR The bit argument must be 1 or 0.");
		return;
	}
	if (!string_find(call, 1, &entry))
		return;
	if (!entry) {
		reply_integer(call->out, bit ? -1 : 0);
		return;
	}
	if (call->argc > 6) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return;
	}
	if ((call->argc > 3 && !call_integer(call, 3, &first)) || !parse_unit(call, 5, &unit) ||
	    (call->argc > 4 && !call_integer(call, 4, &last)))
		return;
	text = text_of(entry, scratch);
	if (bit_range(&first, &last, unit, text.len)) {
		found = find_bit(text.data, first, last, bit);
		/* Without an end zeros follow the string. */
		if (found < 0 && !bit && call->argc < 5)
			found = (int64_t)text.len * 8;
	}
	reply_integer(call->out, found);
}
