#include "kv/cluster.h"

#include "kv/engine.h"
#include "kv/reply.h"
#include "kv/slot.h"

#include <arpa/inet.h>

static const char crossslot[] = "CROSSSLOT Keys in request don't hash to the same slot";

enum { SLOT_NONE = -1, SLOT_SEVERAL = -2 };

/* That of all keys, those before being in `slot`. */
static int slot_with(int slot, const struct command *command, int argc, const struct arg *argv)
{
	const int count = command_key_count(command, argc);

	for (int i = 0; i < count && slot != SLOT_SEVERAL; i++) {
		const int own = (int)slot_of(argv[command_key_index(command, argc, i)].text);

		slot = slot == SLOT_NONE || slot == own ? own : SLOT_SEVERAL;
	}
	return slot;
}

uint16_t cluster_port(const struct settings *settings, int shard)
{
	return (uint16_t)(settings->port + shard);
}

bool cluster_serves(struct call *call, struct in_addr (*address)(const struct session *session))
{
	const struct engine *engine = call->engine;
	const int slot = slot_with(SLOT_NONE, call->command, call->argc, call->argv);
	char text[INET_ADDRSTRLEN];
	struct in_addr ours;
	int owner;

	if (slot == SLOT_NONE)
		return true;
	if (slot == SLOT_SEVERAL) {
		reply_error(call->out, crossslot);
		return false;
	}
	owner = slot_owner((unsigned)slot, engine->shard_count);
	if (owner == engine->shard)
		return true;
	ours = address(call->session);
	inet_ntop(AF_INET, &ours, text, sizeof(text));
	reply_errorf(call->out, "MOVED %d %s:%u", slot, text,
		     cluster_port(engine->settings, owner));
	return false;
}

bool cluster_serves_steps(struct call *call, const struct router_step *steps, int count)
{
	int slot = SLOT_NONE;

	for (int i = 0; i < count; i++)
		slot = slot_with(slot, steps[i].command, steps[i].argc, steps[i].argv);
	if (slot == SLOT_SEVERAL)
		reply_error(call->out, crossslot);
	return slot != SLOT_SEVERAL;
}

static uint64_t mixed(uint64_t value)
{
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

void cluster_id(char id[CLUSTER_ID_LEN], const struct settings *settings, int shard)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;

	for (int i = 0; i < CLUSTER_ID_LEN; i++) {
		if (i % 16 == 0)
			value = mixed((uint64_t)cluster_port(settings, shard) << 8 |
				      (uint64_t)(i / 16 + 1));
		id[i] = digits[value >> (i % 16 * 4) & 15];
	}
}
