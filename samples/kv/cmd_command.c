/* COMMAND: the list of commands, as clients ask for it. */
#include "kv/call.h"
#include "kv/commands.h"
#include "kv/glob.h"
#include "kv/reply.h"

#include <string.h>
#include <strings.h>

struct word {
	uint32_t flag;
	const char *name;
};

static const struct word flag_words[] = {
	{COMMAND_WRITE, "write"},	{COMMAND_READONLY, "readonly"},
	{COMMAND_DENYOOM, "denyoom"},	{COMMAND_ADMIN, "admin"},
	{COMMAND_PUBSUB, "pubsub"},	{COMMAND_LOADING, "loading"},
	{COMMAND_FAST, "fast"},		{COMMAND_NO_AUTH, "no_auth"},
	{COMMAND_NO_MULTI, "no_multi"}, {COMMAND_SKIP_SLOWLOG, "skip_slowlog"},
};

enum { FLAG_COUNT = sizeof(flag_words) / sizeof(flag_words[0]), CATEGORY_COUNT_MAX = 8 };

static bool top_level(const struct command *command)
{
	return strchr(command->name, '|') == NULL;
}

static bool subcommand_of(const struct command *command, const struct command *container)
{
	size_t len = strlen(container->name);

	return strncmp(command->name, container->name, len) == 0 && command->name[len] == '|';
}

static size_t count_subcommands(const struct command *container)
{
	const struct command *command;
	size_t count = 0;

	for (unsigned i = 0; (command = command_at_or_null(i)) != NULL; i++)
		count += subcommand_of(command, container);
	return count;
}

static size_t count_top_level(void)
{
	const struct command *command;
	size_t count = 0;

	for (unsigned i = 0; (command = command_at_or_null(i)) != NULL; i++)
		count += top_level(command);
	return count;
}

static void reply_words(struct out *out, const struct command *command)
{
	size_t count = 0;

	for (int i = 0; i < FLAG_COUNT; i++)
		count += (command->flags & flag_words[i].flag) != 0;
	reply_set(out, count);
	for (int i = 0; i < FLAG_COUNT; i++)
		if ((command->flags & flag_words[i].flag) != 0)
			reply_status(out, flag_words[i].name);
}

/* Those of Redis that follow from flags and group. */
static size_t categories(const struct command *command, const char *names[CATEGORY_COUNT_MAX])
{
	static const struct {
		const char *group, *category;
	} groups[] = {
		{"generic", "@keyspace"},
		{"string", "@string"},
		{"bitmap", "@bitmap"},
		{"connection", "@connection"},
		{"transactions", "@transaction"},
	};
	size_t count = 0;

	if (command->flags & COMMAND_CONTAINER) {
		names[0] = "@slow";
		return 1;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(command->group, groups[i].group) == 0)
			names[count++] = groups[i].category;
	if (command->flags & COMMAND_READONLY)
		names[count++] = "@read";
	if (command->flags & COMMAND_WRITE)
		names[count++] = "@write";
	if (command->flags & COMMAND_PUBSUB)
		names[count++] = "@pubsub";
	names[count++] = command->flags & COMMAND_FAST ? "@fast" : "@slow";
	if (command->flags & COMMAND_ADMIN) {
		names[count++] = "@admin";
		names[count++] = "@dangerous";
	}
	return count;
}

static void reply_categories(struct out *out, const struct command *command)
{
	const char *names[CATEGORY_COUNT_MAX];
	size_t count = categories(command, names);

	reply_set(out, count);
	for (size_t i = 0; i < count; i++)
		reply_status(out, names[i]);
}

static void pair_text(struct out *out, const char *name, const char *value)
{
	reply_text(out, name);
	reply_text(out, value);
}

static void pair_integer(struct out *out, const char *name, int64_t value)
{
	reply_text(out, name);
	reply_integer(out, value);
}

/* Where the keys are, once more, in 7.0's way: at an index, and on to the last one. */
static void reply_key_specs(struct out *out, const struct command *command)
{
	int last =
		command->last_key < 0 ? command->last_key : command->last_key - command->first_key;

	reply_set(out, command->first_key != 0);
	if (command->first_key == 0)
		return;
	reply_map(out, 3);
	reply_text(out, "flags");
	reply_set(out, 1);
	reply_status(out, command->flags & COMMAND_WRITE ? "RW" : "RO");
	reply_text(out, "begin_search");
	reply_map(out, 2);
	pair_text(out, "type", "index");
	reply_text(out, "spec");
	reply_map(out, 1);
	pair_integer(out, "index", command->first_key);
	reply_text(out, "find_keys");
	reply_map(out, 2);
	pair_text(out, "type", "range");
	reply_text(out, "spec");
	reply_map(out, 3);
	pair_integer(out, "lastkey", last);
	pair_integer(out, "keystep", command->key_step);
	pair_integer(out, "limit", 0);
}

static void reply_info(struct out *out, const struct command *command)
{
	const struct command *sub;

	reply_array(out, 10);
	reply_text(out, command->name);
	reply_integer(out, command->arity);
	reply_words(out, command);
	reply_integer(out, command->first_key);
	reply_integer(out, command->last_key);
	reply_integer(out, command->key_step);
	reply_categories(out, command);
	reply_set(out, 0); /* tips */
	reply_key_specs(out, command);
	reply_array(out, count_subcommands(command));
	for (unsigned i = 0; (sub = command_at_or_null(i)) != NULL; i++)
		if (subcommand_of(sub, command))
			reply_info(out, sub);
}

static void reply_docs(struct out *out, const struct command *command)
{
	const struct command *sub;
	size_t subs = count_subcommands(command);

	reply_text(out, command->name);
	reply_map(out, 4 + (subs != 0));
	pair_text(out, "summary", command->summary);
	pair_text(out, "since", command->since);
	pair_text(out, "group", command->group);
	pair_text(out, "complexity", command->complexity);
	if (subs == 0)
		return;
	reply_text(out, "subcommands");
	reply_map(out, subs);
	for (unsigned i = 0; (sub = command_at_or_null(i)) != NULL; i++)
		if (subcommand_of(sub, command))
			reply_docs(out, sub);
}

static void reply_all(struct call *call, void (*reply)(struct out *, const struct command *))
{
	const struct command *command;

	for (unsigned i = 0; (command = command_at_or_null(i)) != NULL; i++)
		if (top_level(command))
			reply(call->out, command);
}

void cmd_command(struct call *call)
{
	reply_array(call->out, count_top_level());
	reply_all(call, reply_info);
}

void cmd_command_count(struct call *call)
{
	reply_integer(call->out, (int64_t)count_top_level());
}

void cmd_command_info(struct call *call)
{
	if (call->argc == 2) {
		cmd_command(call);
		return;
	}
	reply_array(call->out, (size_t)call->argc - 2);
	for (int i = 2; i < call->argc; i++) {
		const struct command *command = command_by_name_or_null(call_arg(call, i));

		if (command != NULL)
			reply_info(call->out, command);
		else
			reply_null(call->out);
	}
}

void cmd_command_docs(struct call *call)
{
	size_t count = 0;

	if (call->argc == 2) {
		reply_map(call->out, count_top_level());
		reply_all(call, reply_docs);
		return;
	}
	for (int i = 2; i < call->argc; i++)
		count += command_by_name_or_null(call_arg(call, i)) != NULL;
	reply_map(call->out, count);
	for (int i = 2; i < call->argc; i++) {
		const struct command *command = command_by_name_or_null(call_arg(call, i));

		if (command != NULL)
			reply_docs(call->out, command);
	}
}

void cmd_command_getkeys(struct call *call)
{
	const struct arg *argv = call->argv + 2;
	int argc = call->argc - 2, count;
	const struct command *command = command_find_or_null(argc, argv);

	if (command == NULL) {
		reply_error(call->out, "ERR Invalid command specified");
		return;
	}
	if (command->first_key == 0) {
		reply_error(call->out, "ERR The command has no key arguments");
		return;
	}
	if (command->arity > 0 ? argc != command->arity : argc < -command->arity) {
		reply_error(call->out, "ERR Invalid number of arguments specified for command");
		return;
	}
	count = command_key_count(command, argc);
	reply_array(call->out, (size_t)count);
	for (int i = 0; i < count; i++)
		reply_bulk(call->out, argv[command_key_index(command, argc, i)].text);
}

static bool in_category(const struct command *command, struct slice name)
{
	const char *names[CATEGORY_COUNT_MAX];
	size_t count = categories(command, names);

	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == name.len + 1 &&
		    strncasecmp(names[i] + 1, name.data, name.len) == 0)
			return true;
	return false;
}

static bool listed(const struct call *call, const struct command *command)
{
	if (call->argc == 2)
		return true;
	if (call_is(call, 3, "pattern"))
		return glob_match(call_arg(call, 4), slice_of(command->name), true);
	/* There are no modules. */
	return call_is(call, 3, "aclcat") && in_category(command, call_arg(call, 4));
}

void cmd_command_list(struct call *call)
{
	const struct command *command;
	size_t count = 0;

	if (call->argc != 2 && (call->argc != 5 || !call_is(call, 2, "filterby") ||
				!(call_is(call, 3, "pattern") || call_is(call, 3, "aclcat") ||
				  call_is(call, 3, "module")))) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return;
	}
	for (unsigned i = 0; (command = command_at_or_null(i)) != NULL; i++)
		count += listed(call, command);
	reply_array(call->out, count);
	for (unsigned i = 0; (command = command_at_or_null(i)) != NULL; i++)
		if (listed(call, command))
			reply_text(call->out, command->name);
}

void cmd_command_help(struct call *call)
{
	static const char *const lines[] = {
		"(no subcommand)",
		"    Return details about all Redis commands.",
		"COUNT",
		"    Return the total number of commands in this Redis server.",
		"LIST",
		"    Return a list of all commands in this Redis server.",
		"INFO [<command-name> ...]",
		"    Return details about multiple Redis commands.",
		"    If no command names are given, documentation details for all",
		"    commands are returned.",
		"DOCS [<command-name> ...]",
		"    Return documentation details about multiple Redis commands.",
		"    If no command names are given, documentation details for all",
		"    commands are returned.",
		"GETKEYS <full-command>",
		"    Return the keys from a full Redis command.",
		NULL,
	};

	call_help(call, "COMMAND", lines);
}
