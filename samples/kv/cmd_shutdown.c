/* SHUTDOWN: ends the program, all shards of it; the log is written to its end. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/reply.h"

#include <demi/shard.h>

enum shutdown_word {
	SHUTDOWN_SAVE = 1,
	SHUTDOWN_NOSAVE = 2,
	SHUTDOWN_NOW = 4,
	SHUTDOWN_FORCE = 8,
	SHUTDOWN_ABORT = 16,
};

/* Zero for no words; negative: they make no sense. */
static int parse_words(const struct call *call)
{
	static const struct {
		const char *name;
		int word;
	} names[] = {{"save", SHUTDOWN_SAVE},
		     {"nosave", SHUTDOWN_NOSAVE},
		     {"now", SHUTDOWN_NOW},
		     {"force", SHUTDOWN_FORCE},
		     {"abort", SHUTDOWN_ABORT}};
	int words = 0;

	for (int i = 1; i < call->argc; i++) {
		int word = 0;

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			if (call_is(call, i, names[j].name))
				word = names[j].word;
		if (word == 0)
			return -1;
		words |= word;
	}
	if ((words & SHUTDOWN_ABORT) != 0 && words != SHUTDOWN_ABORT)
		return -1;
	return (words & SHUTDOWN_SAVE) != 0 && (words & SHUTDOWN_NOSAVE) != 0 ? -1 : words;
}

/* There are no replicas to wait for: it is done at once, and there is nothing that one could abort.
 * Who asks sees the connection end. */
void cmd_shutdown(struct call *call)
{
	int words = parse_words(call);

	if (words < 0)
		reply_error(call->out, CALL_SYNTAX_ERROR);
	else if ((words & SHUTDOWN_ABORT) != 0)
		reply_error(call->out, "ERR No shutdown in progress.");
	else if ((words & SHUTDOWN_SAVE) != 0)
		reply_error(call->out, "ERR This server writes no RDB files: SHUTDOWN or SHUTDOWN "
				       "NOSAVE ends it, with its log if there is one");
	else if (demi_shard_stop() != 0)
		reply_error(call->out, "ERR Errors trying to SHUTDOWN. Check logs.");
}
