#include "drawn.h"

static void count_hosts(struct drawn *drawn, const struct plan *plan)
{
	struct drawn has = {0};

	for (unsigned i = 0; i < plan->host_count; i++) {
		const struct plan_host *h = &plan->hosts[i];

#define DRAWN_HAS(name, expression) has.name |= (expression) ? 1 : 0;
		DRAWN_HOSTS(DRAWN_HAS)
#undef DRAWN_HAS
	}
#define DRAWN_ADD(name, expression) drawn->name += has.name;
	DRAWN_HOSTS(DRAWN_ADD)
#undef DRAWN_ADD
}

void drawn_count(struct drawn *drawn, const struct plan *plan, unsigned kinds, unsigned troubles)
{
	const struct plan *p = plan;

#define DRAWN_ADD(name, expression) drawn->name += (expression) ? 1 : 0;
	DRAWN_PLANS(DRAWN_ADD)
#undef DRAWN_ADD
	count_hosts(drawn, plan);
	for (unsigned i = 0; i < PLAN_KIND_COUNT; i++)
		drawn->kinds[i] += kinds >> i & 1;
	for (unsigned i = 0; i < DRAWN_TROUBLE_COUNT; i++)
		drawn->troubles[i] += troubles >> i & 1;
}

static unsigned print(FILE *out, const char *name, uint32_t count)
{
	fprintf(out, "%8u  %s\n", count, name);
	return count == 0;
}

unsigned drawn_print(const struct drawn *drawn, FILE *out)
{
	static const char *const kinds[] = {
		"echo", "bulk", "half_close", "reset", "server_hangs_up", "server_resets"};
	static const char *const troubles[] = {
#define DRAWN_NAME(name) #name,
		DRAWN_TROUBLES(DRAWN_NAME)
#undef DRAWN_NAME
	};
	unsigned never = 0;

#define DRAWN_PRINT(name, expression) never += print(out, #name, drawn->name);
	DRAWN_PLANS(DRAWN_PRINT)
	DRAWN_HOSTS(DRAWN_PRINT)
#undef DRAWN_PRINT
	for (unsigned i = 0; i < PLAN_KIND_COUNT; i++)
		never += print(out, kinds[i], drawn->kinds[i]);
	for (unsigned i = 0; i < DRAWN_TROUBLE_COUNT; i++)
		never += print(out, troubles[i], drawn->troubles[i]);
	return never;
}
