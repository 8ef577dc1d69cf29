#include "kv/command.h"

#include "kv/command_hash.h"
#include "kv/commands.h"
#include "kv/reply.h"

#include <ctype.h>
#include <stdio.h>

#include "kv_command_slots.h"

/* Those that may be missing, see commands.def. */
#define COMMAND(...)
#define SESSION(name, run, ...) void run(struct call *call) __attribute__((weak));
#define SERVER(...)		SESSION(__VA_ARGS__)
#define CONTAINER(...)
#include "kv/commands.def"
#undef COMMAND
#undef SESSION
#undef SERVER
#undef CONTAINER

/* As commands.def calls them. */
enum {
	WRITE = COMMAND_WRITE,
	READONLY = COMMAND_READONLY,
	DENYOOM = COMMAND_DENYOOM,
	ADMIN = COMMAND_ADMIN,
	PUBSUB = COMMAND_PUBSUB,
	FAST = COMMAND_FAST,
	LOADING = COMMAND_LOADING,
	NO_AUTH = COMMAND_NO_AUTH,
	NO_MULTI = COMMAND_NO_MULTI,
	SKIP_SLOWLOG = COMMAND_SKIP_SLOWLOG,
	BRIEF = COMMAND_BRIEF,
	CONTAINER = COMMAND_CONTAINER,
};

#define COMMAND(name, run, arity, flags, first, last, step, spread, group, since, complexity,      \
		summary)                                                                           \
	{name, arity, flags, first,	 last,	 step, SPREAD_##spread,                            \
	 run,  group, since, complexity, summary},
#define SESSION(name, run, arity, flags, first, last, step, spread, group, since, complexity,      \
		summary)                                                                           \
	COMMAND(name, run, arity, (flags) | COMMAND_SESSION, first, last, step, spread, group,     \
		since, complexity, summary)
#define SERVER(...) COMMAND(__VA_ARGS__)
#define CONTAINER(name, arity, flags, group, since, complexity, summary)                           \
	{                                                                                          \
		name,	     arity,	 (flags) | COMMAND_CONTAINER,                              \
		0,	     0,		 0,                                                        \
		SPREAD_HERE, NULL,	 group,                                                    \
		since,	     complexity, summary},
static const struct command commands[] = {
#include "kv/commands.def"
};

enum { COUNT = sizeof(commands) / sizeof(commands[0]), NAME_LEN_MAX = 64 };

const struct command *command_at_or_null(unsigned i)
{
	return i < COUNT ? &commands[i] : NULL;
}

unsigned command_index(const struct command *command)
{
	return (unsigned)(command - commands);
}

unsigned command_count(void)
{
	return COUNT;
}

/* Where name goes on behind text, in any case; NULL: it is another one. */
static const char *behind_or_null(const char *name, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (name[i] == 0 || name[i] != tolower((unsigned char)text.data[i]))
			return NULL;
	return name + text.len;
}

static const struct command *by_hash_or_null(uint64_t hash)
{
	const unsigned slot = slots[command_slot(hash)];

	return slot ? &commands[slot - 1] : NULL;
}

const struct command *command_by_name_or_null(struct slice name)
{
	const struct command *command;
	const char *end;

	if (name.len > NAME_LEN_MAX)
		return NULL;
	command = by_hash_or_null(command_hash(COMMAND_SEED, name.data, name.len));
	end = command ? behind_or_null(command->name, name) : NULL;
	return end && !*end ? command : NULL;
}

static const struct command *subcommand_or_null(const struct command *container, struct slice name)
{
	const size_t len = strlen(container->name);
	const struct command *command;
	const char *end;
	uint64_t hash;

	if (name.len > NAME_LEN_MAX)
		return NULL;
	hash = command_hash(COMMAND_SEED, container->name, len);
	hash = command_hash(hash, "|", 1);
	command = by_hash_or_null(command_hash(hash, name.data, name.len));
	if (!command || strncmp(command->name, container->name, len) != 0 ||
	    command->name[len] != '|')
		return NULL;
	end = behind_or_null(command->name + len + 1, name);
	return end && !*end ? command : NULL;
}

const struct command *command_find_or_null(int argc, const struct arg *argv)
{
	const struct command *command = command_by_name_or_null(argv[0].text);

	if (!command)
		return NULL;
	if (command->flags & COMMAND_CONTAINER)
		return argc > 1 ? subcommand_or_null(command, argv[1].text) : command;
	/* A subcommand is none by its full name. */
	return memchr(argv[0].text.data, '|', argv[0].text.len) ? NULL : command;
}

const struct command *command_recall_or_null(struct command_memo *memo, int argc,
					     const struct arg *argv)
{
	const struct slice name = argv[0].text;
	const struct command *command;

	if (memo->command && name.len == memo->len && memcmp(name.data, memo->name, name.len) == 0)
		return memo->command;
	command = command_find_or_null(argc, argv);
	if (command && name.len <= sizeof(memo->name) &&
	    !(command_by_name_or_null(name)->flags & COMMAND_CONTAINER)) {
		*memo = (struct command_memo){.command = command, .len = name.len};
		memcpy(memo->name, name.data, name.len);
	}
	return command;
}

/* To its first zero, as Redis prints it, and no longer than that. */
static int printed_len(struct slice text, size_t max)
{
	return (int)strnlen(text.data, text.len < max ? text.len : max);
}

static void unknown_subcommand(const struct command *container, struct slice name, struct out *out)
{
	char upper[NAME_LEN_MAX];
	size_t len = 0;

	for (; container->name[len]; len++)
		upper[len] = (char)toupper((unsigned char)container->name[len]);
	upper[len] = 0;
	reply_errorf(out, "ERR unknown subcommand '%.*s'. Try %s HELP.", printed_len(name, 128),
		     name.data, upper);
}

void command_unknown(int argc, const struct arg *argv, struct out *out)
{
	const struct command *container = command_by_name_or_null(argv[0].text);
	char args[128 + 64];
	size_t len = 0;

	if (container && argc > 1 && (container->flags & COMMAND_CONTAINER)) {
		unknown_subcommand(container, argv[1].text, out);
		return;
	}
	args[0] = 0;
	for (int i = 1; i < argc && len < 128; i++)
		len += (size_t)snprintf(args + len, sizeof(args) - len, "'%.*s' ",
					printed_len(argv[i].text, 128 - len), argv[i].text.data);
	reply_errorf(out, "ERR unknown command '%.*s', with args beginning with: %s",
		     printed_len(argv[0].text, 128), argv[0].text.data, args);
}

bool command_arity_wrong(const struct command *command, int argc, struct out *out)
{
	const bool enough =
		argc == command->arity || (command->arity < 0 && argc >= -command->arity);

	if (enough && (command->run || !(command->flags & COMMAND_CONTAINER)))
		return false;
	reply_errorf(out, "ERR wrong number of arguments for '%s' command", command->name);
	return true;
}

int command_key_count(const struct command *command, int argc)
{
	const int last = command->last_key < 0 ? argc + command->last_key : command->last_key;

	if (command->first_key == 0 || last < command->first_key)
		return 0;
	return (last - command->first_key) / command->key_step + 1;
}

int command_key_index(const struct command *command, int argc, int i)
{
	(void)argc;
	return command->first_key + i * command->key_step;
}
