/* COMMAND: the list of commands, as clients ask for it. */
#include "kv/call.h"
#include "kv/command_facts.h"
#include "kv/commands.h"
#include "kv/glob.h"
#include "kv/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct word {
	uint32_t flag;
	const char *name;
};

/* In Redis's order; those in between that are of no use here are in command_facts.def. */
static const struct word flag_words[] = {
	{COMMAND_WRITE, "write"},	{COMMAND_READONLY, "readonly"},
	{COMMAND_DENYOOM, "denyoom"},	{COMMAND_ADMIN, "admin"},
	{COMMAND_PUBSUB, "pubsub"},	{COMMAND_LOADING, "loading"},
	{COMMAND_LOADING, "stale"},	{COMMAND_SKIP_SLOWLOG, "skip_slowlog"},
	{COMMAND_FAST, "fast"},		{COMMAND_NO_AUTH, "no_auth"},
	{COMMAND_NO_MULTI, "no_multi"},
};

enum { FLAG_COUNT = sizeof(flag_words) / sizeof(flag_words[0]), CATEGORY_COUNT_MAX = 10 };

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

/* A set of words that are given with a blank between them; how many others there are besides. */
static void begin_set(struct out *out, const char *words, size_t others)
{
	size_t count = others + (words[0] != 0);

	for (const char *at = words; *at != 0; at++)
		count += *at == ' ';
	reply_set(out, count);
}

static void reply_words(struct out *out, const char *words,
			void (*reply)(struct out *out, const char *word))
{
	char word[64];

	while (*words != 0) {
		size_t len = strcspn(words, " ");

		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		reply(out, word);
		words += len + (words[len] == ' ');
	}
}

static void reply_flags(struct out *out, const struct command *command)
{
	const char *more = command_facts(command)->flags;
	size_t count = 0;

	for (int i = 0; i < FLAG_COUNT; i++)
		count += (command->flags & flag_words[i].flag) != 0;
	begin_set(out, more, count);
	for (int i = 0; i < FLAG_COUNT; i++)
		if ((command->flags & flag_words[i].flag) != 0)
			reply_status(out, flag_words[i].name);
	reply_words(out, more, reply_status);
}

static bool is_one_of(const struct command *command, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(command->name, *names) == 0)
			return true;
	return false;
}

static bool in_group(const struct command *command, const char *group)
{
	return strcmp(command->group, group) == 0;
}

/* By flag and group, and by name where Redis says so. */
static size_t categories(const struct command *command, const char *names[CATEGORY_COUNT_MAX])
{
	static const char *const of_keys[] = {"dbsize", "flushdb", "flushall", "swapdb", NULL};
	static const char *const admins[] = {"lastsave", "role", NULL};
	static const char *const dangers[] = {"keys", "flushdb",  "flushall", "swapdb",
					      "info", "lastsave", "role",     NULL};
	bool about_commands = strncmp(command->name, "command", 7) == 0;
	bool waits = strcmp(command->name, "wait") == 0;
	size_t count = 0;
	const struct {
		bool has;
		const char *name;
	} all[] = {
		{(in_group(command, "generic") && !waits) || is_one_of(command, of_keys),
		 "@keyspace"},
		{command->flags & COMMAND_READONLY, "@read"},
		{command->flags & COMMAND_WRITE, "@write"},
		{in_group(command, "string"), "@string"},
		{in_group(command, "bitmap"), "@bitmap"},
		{command->flags & COMMAND_PUBSUB, "@pubsub"},
		{command->flags & COMMAND_ADMIN || is_one_of(command, admins), "@admin"},
		{command->flags & COMMAND_FAST, "@fast"},
		{!(command->flags & COMMAND_FAST), "@slow"},
		{command->flags & COMMAND_ADMIN || is_one_of(command, dangers), "@dangerous"},
		{in_group(command, "connection") || waits || about_commands, "@connection"},
		{in_group(command, "transactions"), "@transaction"},
		{in_group(command, "scripting"), "@scripting"},
	};

	if ((command->flags & COMMAND_CONTAINER) != 0 && !about_commands) {
		names[0] = "@slow";
		return 1;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && count < CATEGORY_COUNT_MAX; i++)
		if (all[i].has)
			names[count++] = all[i].name;
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

/* Keys from an index on, to the last one, counted from there (or from the end if it is negative).
 */
static void reply_key_spec(struct out *out, const char *flags, int first, int last, int step)
{
	reply_map(out, 3);
	reply_text(out, "flags");
	begin_set(out, flags, 0);
	reply_words(out, flags, reply_status);
	reply_text(out, "begin_search");
	reply_map(out, 2);
	pair_text(out, "type", "index");
	reply_text(out, "spec");
	reply_map(out, 1);
	pair_integer(out, "index", first);
	reply_text(out, "find_keys");
	reply_map(out, 2);
	pair_text(out, "type", "range");
	reply_text(out, "spec");
	reply_map(out, 3);
	pair_integer(out, "lastkey", last);
	pair_integer(out, "keystep", step);
	pair_integer(out, "limit", 0);
}

/* Where the keys are, once more, in 7.0's way. */
static void reply_key_specs(struct out *out, const struct command *command)
{
	const struct command_facts *facts = command_facts(command);
	int first = command->first_key, last = command->last_key, step = command->key_step;
	const char *first_flags = facts->first_key[0] != 0 ? facts->first_key : "RO access";
	bool others = facts->other_keys[0] != 0;

	if (first == 0) {
		reply_set(out, 0);
		return;
	}
	reply_set(out, others ? 2 : 1);
	if (others) {
		reply_key_spec(out, first_flags, first, 0, step);
		first++;
	}
	reply_key_spec(out, others ? facts->other_keys : first_flags, first,
		       last < 0 ? last : last - first, step);
}

static void reply_info(struct out *out, const struct command *command)
{
	const struct command *sub;
	size_t subs = count_subcommands(command);

	reply_array(out, 10);
	reply_text(out, command->name);
	reply_integer(out, command->arity);
	reply_flags(out, command);
	reply_integer(out, command->first_key);
	reply_integer(out, command->last_key);
	reply_integer(out, command->key_step);
	reply_categories(out, command);
	begin_set(out, command_facts(command)->tips, 0);
	reply_words(out, command_facts(command)->tips, reply_text);
	reply_key_specs(out, command);
	if (subs == 0)
		reply_set(out, 0); /* as Redis has it */
	else
		reply_array(out, subs);
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
	if (command->first_key == 0 || strcmp(command_facts(command)->first_key, "not_key") == 0) {
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
		"    All commands, as INFO describes them.",
		"COUNT",
		"    How many there are.",
		"DOCS [<name> ...]",
		"    What they do, in words.",
		"GETKEYS <command> <argument> ...",
		"    Which arguments are keys.",
		"INFO [<name> ...]",
		"    Number of arguments, flags, positions of keys.",
		"LIST [FILTERBY MODULE <name>|ACLCAT <category>|PATTERN <pattern>]",
		"    Their names, subcommands among them.",
		NULL,
	};

	call_help(call, "COMMAND", lines);
}
