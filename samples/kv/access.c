#include "kv/access.h"

enum {
	ACCESS_BITS = 24,
	ACCESS_MASK = (1 << ACCESS_BITS) - 1,
	LFU_COUNTER_BITS = 8,
	LFU_COUNTER_MAX = 255,
	LFU_COUNTER_FIRST = 5, /* so that a new entry is not the first to go */
	LFU_MINUTES_MASK = 0xffff,
	DAY_S = 24 * 60 * 60,
};

static uint32_t seconds(uint64_t now_ms)
{
	return now_ms / 1000 & ACCESS_MASK;
}

static uint32_t minutes(uint64_t now_ms)
{
	return now_ms / 60000 & LFU_MINUTES_MASK;
}

static uint32_t lfu(uint64_t now_ms, unsigned counter)
{
	return minutes(now_ms) << LFU_COUNTER_BITS | counter;
}

uint32_t access_first(const struct store_config *config, uint64_t now_ms)
{
	if (store_policy_is_lfu(config->policy))
		return lfu(now_ms, LFU_COUNTER_FIRST);
	return seconds(now_ms);
}

unsigned access_freq(const struct store_config *config, uint32_t access, uint64_t now_ms)
{
	unsigned counter = access & LFU_COUNTER_MAX, lost = 0;
	uint32_t passed = (minutes(now_ms) - (access >> LFU_COUNTER_BITS)) & LFU_MINUTES_MASK;

	if (passed && config->lfu_decay_minutes)
		lost = passed / config->lfu_decay_minutes;
	return lost > counter ? 0 : counter - lost;
}

/* Of the accesses at a counter of n, one in (n - 5) * factor + 1 counts. */
static unsigned grown(const struct store_config *config, struct dice *dice, unsigned counter)
{
	uint64_t above = counter > LFU_COUNTER_FIRST ? counter - LFU_COUNTER_FIRST : 0;
	uint64_t odds = above * config->lfu_log_factor + 1;

	if (counter == LFU_COUNTER_MAX)
		return counter;
	if (odds > UINT32_MAX)
		odds = UINT32_MAX;
	return counter + (dice_below(dice, odds) == 0);
}

uint32_t access_next(const struct store_config *config, struct dice *dice, uint32_t access,
		     uint64_t now_ms)
{
	if (!store_policy_is_lfu(config->policy))
		return seconds(now_ms);
	return lfu(now_ms, grown(config, dice, access_freq(config, access, now_ms)));
}

uint64_t access_idle_s(uint32_t access, uint64_t now_ms)
{
	uint32_t idle = (seconds(now_ms) - access) & ACCESS_MASK;

	/* A clock that went back by up to a day is no age of 194 days. */
	return idle > ACCESS_MASK - DAY_S ? 0 : idle;
}
