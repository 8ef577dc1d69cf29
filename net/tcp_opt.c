#include "net/tcp_opt.h"

#include <rte_byteorder.h>
#include <string.h>

/* Kinds and lengths, IANA's "TCP Option Kind Numbers". */
enum {
	KIND_EOL = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_PERMITTED = 4,
	KIND_SACK = 5,
	KIND_TIMESTAMPS = 8,
	LEN_MSS = 4,
	LEN_WSCALE = 3,
	LEN_SACK_PERMITTED = 2,
	LEN_SACK_BLOCK = 8,
	LEN_TIMESTAMPS = 10,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	rte_be32_t value;

	memcpy(&value, p, sizeof(value));
	return rte_be_to_cpu_32(value);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	rte_be32_t wire = rte_cpu_to_be_32(value);

	memcpy(p, &wire, sizeof(wire));
	return p + sizeof(wire);
}

static void take_timestamps(struct tcp_opts *opts, const uint8_t *value)
{
	opts->present |= TCP_OPT_TIMESTAMPS;
	opts->ts_val = get32(value);
	opts->ts_ecr = get32(value + 4);
}

static void take_sack(struct tcp_opts *opts, const uint8_t *value, uint32_t len)
{
	opts->present |= TCP_OPT_SACK;
	opts->sack_count = 0;
	for (; len >= LEN_SACK_BLOCK && opts->sack_count < TCP_OPT_SACK_MAX;
	     value += LEN_SACK_BLOCK, len -= LEN_SACK_BLOCK)
		opts->sack[opts->sack_count++] = (struct tcp_range){get32(value), get32(value + 4)};
}

/* One option of len bytes, kind and length among them. */
static bool take(struct tcp_opts *opts, const uint8_t *option, uint32_t len)
{
	const uint8_t *value = option + 2;

	switch (option[0]) {
	case KIND_MSS:
		if (len != LEN_MSS)
			return false;
		opts->present |= TCP_OPT_MSS;
		opts->mss = get16(value);
		return true;
	case KIND_WSCALE:
		if (len != LEN_WSCALE)
			return false;
		opts->present |= TCP_OPT_WSCALE;
		opts->wscale = *value < TCP_OPT_WSCALE_MAX ? *value : TCP_OPT_WSCALE_MAX;
		return true;
	case KIND_SACK_PERMITTED:
		opts->present |= TCP_OPT_SACK_PERMITTED;
		return len == LEN_SACK_PERMITTED;
	case KIND_SACK:
		if (len < 2 + LEN_SACK_BLOCK || (len - 2) % LEN_SACK_BLOCK)
			return false;
		take_sack(opts, value, len - 2);
		return true;
	case KIND_TIMESTAMPS:
		if (len != LEN_TIMESTAMPS)
			return false;
		take_timestamps(opts, value);
		return true;
	default:
		return true;
	}
}

/* NOP NOP timestamps: what nearly every segment of a connection carries. */
static bool is_timestamps_only(const uint8_t *bytes, uint32_t len)
{
	static const uint8_t usual[4] = {KIND_NOP, KIND_NOP, KIND_TIMESTAMPS, LEN_TIMESTAMPS};

	return len == TCP_OPT_TIMESTAMPS_LEN && memcmp(bytes, usual, sizeof(usual)) == 0;
}

bool tcp_opt_parse(struct tcp_opts *opts, const uint8_t *bytes, uint32_t len)
{
	opts->present = 0;
	opts->sack_count = 0;
	if (is_timestamps_only(bytes, len)) {
		take_timestamps(opts, bytes + 4);
		return true;
	}
	while (len > 0 && bytes[0] != KIND_EOL) {
		uint32_t option_len = 1;

		if (bytes[0] != KIND_NOP) {
			if (len < 2 || bytes[1] < 2 || bytes[1] > len)
				return false;
			option_len = bytes[1];
			if (!take(opts, bytes, option_len))
				return false;
		}
		bytes += option_len;
		len -= option_len;
	}
	return true;
}

static uint8_t *put_mss(uint8_t *p, uint16_t mss)
{
	*p++ = KIND_MSS;
	*p++ = LEN_MSS;
	*p++ = (uint8_t)(mss >> 8);
	*p++ = (uint8_t)mss;
	return p;
}

/* Ten bytes, filled up to twelve by SACK-permitted if it goes along, else by NOPs. */
static uint8_t *put_timestamps(uint8_t *p, bool sack_permitted, uint32_t ts_val, uint32_t ts_ecr)
{
	*p++ = sack_permitted ? KIND_SACK_PERMITTED : KIND_NOP;
	*p++ = sack_permitted ? LEN_SACK_PERMITTED : KIND_NOP;
	*p++ = KIND_TIMESTAMPS;
	*p++ = LEN_TIMESTAMPS;
	p = put32(p, ts_val);
	return put32(p, ts_ecr);
}

static uint8_t *put_sack_permitted(uint8_t *p)
{
	*p++ = KIND_NOP;
	*p++ = KIND_NOP;
	*p++ = KIND_SACK_PERMITTED;
	*p++ = LEN_SACK_PERMITTED;
	return p;
}

static uint8_t *put_wscale(uint8_t *p, uint8_t wscale)
{
	*p++ = KIND_NOP;
	*p++ = KIND_WSCALE;
	*p++ = LEN_WSCALE;
	*p++ = wscale;
	return p;
}

uint32_t tcp_opt_write_syn(uint8_t *bytes, const struct tcp_opts *opts)
{
	bool sack_permitted = opts->present & TCP_OPT_SACK_PERMITTED;
	uint8_t *p = bytes;

	if (opts->present & TCP_OPT_MSS)
		p = put_mss(p, opts->mss);
	if (opts->present & TCP_OPT_TIMESTAMPS)
		p = put_timestamps(p, sack_permitted, opts->ts_val, opts->ts_ecr);
	else if (sack_permitted)
		p = put_sack_permitted(p);
	if (opts->present & TCP_OPT_WSCALE)
		p = put_wscale(p, opts->wscale);
	return (uint32_t)(p - bytes);
}

uint32_t tcp_opt_write_timestamps(uint8_t *bytes, uint32_t ts_val, uint32_t ts_ecr)
{
	put_timestamps(bytes, false, ts_val, ts_ecr);
	return TCP_OPT_TIMESTAMPS_LEN;
}

uint32_t tcp_opt_write_sack(uint8_t *bytes, const struct tcp_range *ranges, unsigned count)
{
	uint8_t *p = bytes;

	*p++ = KIND_NOP;
	*p++ = KIND_NOP;
	*p++ = KIND_SACK;
	*p++ = (uint8_t)(2 + LEN_SACK_BLOCK * count);
	for (unsigned i = 0; i < count; i++) {
		p = put32(p, ranges[i].start);
		p = put32(p, ranges[i].end);
	}
	return (uint32_t)(p - bytes);
}
