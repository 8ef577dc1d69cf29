/*
 * CLIENT about other clients: LIST KILL PAUSE UNPAUSE. Each shard answers for its own clients; what
 * comes of several shards is joined. HELP is here, too.
 */
#include "kv/call.h"
#include "kv/client_line.h"
#include "kv/commands.h"
#include "kv/number.h"
#include "kv/reply.h"
#include "kv/server.h"

/* --- which are meant --- */

enum client_type { TYPE_ANY, TYPE_NORMAL, TYPE_PUBSUB, TYPE_NONE };

struct filter {
	int64_t id;		     /* 0: any */
	struct slice address, local; /* empty: any */
	enum client_type type;
	bool skip_me, nobody;
};

static bool parse_type(struct call *call, int at, enum client_type *type)
{
	const struct slice text = call->argv[at].text;

	if (call_is(call, at, "normal")) {
		*type = TYPE_NORMAL;
	} else if (call_is(call, at, "pubsub")) {
		*type = TYPE_PUBSUB;
	} else if (call_is(call, at, "master") || call_is(call, at, "replica") ||
		   call_is(call, at, "slave")) {
		*type = TYPE_NONE;
	} else {
		reply_errorf(call->out, "ERR Unknown client type '%.*s'",
			     (int)(text.len < 128 ? text.len : 128), text.data);
		return false;
	}
	return true;
}

static bool has_type(const struct session *session, enum client_type type)
{
	if (type == TYPE_ANY)
		return true;
	return type == (session->subscriber.count > 0 ? TYPE_PUBSUB : TYPE_NORMAL);
}

static bool has_address(const struct sockaddr_in *address, struct slice wanted)
{
	char text[CLIENT_ADDRESS_LEN];

	if (wanted.len == 0)
		return true;
	client_address(address, text);
	return slice_equal(slice_of(text), wanted);
}

static bool matches(const struct session *session, const struct filter *filter,
		    const struct session *me)
{
	return !filter->nobody && (filter->id == 0 || (uint64_t)filter->id == session->id) &&
	       has_type(session, filter->type) && has_address(&session->peer, filter->address) &&
	       has_address(&session->local, filter->local) && !(filter->skip_me && session == me);
}

/* --- CLIENT KILL --- */

static bool parse_option(struct call *call, int at, struct filter *filter)
{
	const struct slice value = call->argv[at + 1].text;

	if (call_is(call, at, "id")) {
		if (number_parse(value, &filter->id) && filter->id > 0)
			return true;
		reply_error(call->out, "ERR client-id should be greater than 0");
		return false;
	}
	if (call_is(call, at, "type"))
		return parse_type(call, at + 1, &filter->type);
	if (call_is(call, at, "addr")) {
		filter->address = value;
		filter->nobody |= value.len == 0;
	} else if (call_is(call, at, "laddr")) {
		filter->local = value;
		filter->nobody |= value.len == 0;
	} else if (call_is(call, at, "user")) {
		if (!slice_equal(value, SLICE("default"))) {
			reply_errorf(call->out, "ERR No such user '%.*s'",
				     (int)(value.len < 128 ? value.len : 128), value.data);
			return false;
		}
	} else if (call_is(call, at, "skipme") &&
		   (call_is(call, at + 1, "yes") || call_is(call, at + 1, "no"))) {
		filter->skip_me = call_is(call, at + 1, "yes");
	} else {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return false;
	}
	return true;
}

static bool parse_kill(struct call *call, struct filter *filter)
{
	*filter = (struct filter){0};
	if (call->argc == 3) {
		filter->address = call->argv[2].text;
		filter->nobody = filter->address.len == 0;
		return true;
	}
	filter->skip_me = true;
	for (int i = 2; i < call->argc; i += 2) {
		if (i + 1 == call->argc) {
			reply_error(call->out, CALL_SYNTAX_ERROR);
			return false;
		}
		if (!parse_option(call, i, filter))
			return false;
	}
	return true;
}

static int64_t kill_matching(struct call *call, const struct filter *filter)
{
	struct session *session;
	int64_t count = 0;

	TAILQ_FOREACH (session, &call->engine->server->sessions, link) {
		if (session->end == SESSION_KILLED || !matches(session, filter, call->session))
			continue;
		count++;
		if (session == call->session)
			session_finish(session); /* it still gets its answer */
		else
			session_kill(session);
	}
	return count;
}

/* A part answers how many; the join makes of it what is answered below. */
void cmd_client_kill(struct call *call)
{
	struct filter filter;
	int64_t count;

	if (!parse_kill(call, &filter))
		return;
	count = kill_matching(call, &filter);
	if (call->argc > 3 || call->part)
		reply_integer(call->out, count);
	else if (count > 0)
		reply_status(call->out, "OK");
	else
		reply_error(call->out, "ERR No such client");
}

/* --- CLIENT LIST --- */

struct lines {
	struct bytes *bytes;
	bool failed; /* no memory */
};

static void add_line(struct lines *lines, const struct session *session)
{
	size_t len = lines->bytes->len, room = len + CLIENT_LINE_LEN;

	if (room > lines->bytes->cap && bytes_reserve(&lines->bytes, 2 * room))
		lines->failed = true;
	else
		lines->bytes->len += client_line(session, lines->bytes->data + len);
}

static void list_matching(struct call *call, struct lines *lines, const struct filter *filter)
{
	const struct session *session;

	TAILQ_FOREACH (session, &call->engine->server->sessions, link) {
		if (matches(session, filter, call->session))
			add_line(lines, session);
	}
}

static bool list_ids(struct call *call, struct lines *lines)
{
	struct filter filter = {0};

	for (int i = 3; i < call->argc; i++) {
		if (!number_parse(call->argv[i].text, &filter.id)) {
			reply_error(call->out, "ERR Invalid client ID");
			return false;
		}
	}
	for (int i = 3; i < call->argc; i++) {
		number_parse(call->argv[i].text, &filter.id);
		if (filter.id > 0)
			list_matching(call, lines, &filter);
	}
	return true;
}

static bool list(struct call *call, struct lines *lines)
{
	struct filter filter = {0};

	if (call->argc > 3 && call_is(call, 2, "id"))
		return list_ids(call, lines);
	if (call->argc == 4 && call_is(call, 2, "type")) {
		if (!parse_type(call, 3, &filter.type))
			return false;
	} else if (call->argc != 2) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return false;
	}
	list_matching(call, lines, &filter);
	return true;
}

void cmd_client_list(struct call *call)
{
	struct lines lines = {.bytes = bytes_create_or_null(0, 2 * CLIENT_LINE_LEN)};

	if (!lines.bytes) {
		reply_error(call->out, "ERR no memory for the list");
		return;
	}
	if (!list(call, &lines))
		; /* with its error */
	else if (lines.failed)
		reply_error(call->out, "ERR no memory for the list");
	else
		reply_verbatim(call->out, (struct slice){lines.bytes->data, lines.bytes->len});
	bytes_put(lines.bytes);
}

/* --- CLIENT PAUSE --- */

void cmd_client_pause(struct call *call)
{
	struct server *server = call->engine->server;
	bool writes_only = false;
	int64_t length_ms;

	if (call->argc == 4) {
		writes_only = call_is(call, 3, "write");
		if (!writes_only && !call_is(call, 3, "all")) {
			reply_error(call->out, "ERR CLIENT PAUSE mode must be WRITE or ALL");
			return;
		}
	}
	if (!number_parse(call->argv[2].text, &length_ms) || length_ms > INT64_MAX / 2) {
		reply_error(call->out, "ERR timeout is not an integer or out of range");
		return;
	}
	if (length_ms < 0) {
		reply_error(call->out, "ERR timeout is negative");
		return;
	}
	server_pause(server, (uint64_t)length_ms, writes_only);
	reply_status(call->out, "OK");
}

void cmd_client_unpause(struct call *call)
{
	server_unpause(call->engine->server);
	reply_status(call->out, "OK");
}

void cmd_client_help(struct call *call)
{
	static const char *const lines[] = {
		"GETNAME",
		"    What this connection is called.",
		"ID",
		"    The number of this connection.",
		"INFO",
		"    This connection's line of LIST.",
		"KILL <ip:port>",
		"    Ends the connection that came from there.",
		"KILL <option> <value> [<option> <value> [...]]",
		"    Ends all connections that fit every option:",
		"    * ADDR <ip:port>",
		"      it came from there",
		"    * LADDR <ip:port>",
		"      it came to this address of ours",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      it is of this type",
		"    * USER <username>",
		"      that is who it says it is",
		"    * SKIPME (YES|NO)",
		"      whether to spare this one (YES unless said)",
		"    * ID <id>",
		"      it has this number",
		"LIST [options ...]",
		"    A line for each connection, or for those:",
		"    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
		"      of this type",
		"    * ID <id> [<id> ...]",
		"      with these numbers",
		"NO-EVICT (ON|OFF)",
		"    Accepted; clients are not evicted.",
		"NO-TOUCH (ON|OFF)",
		"    Accepted.",
		"PAUSE <timeout> [WRITE|ALL]",
		"    For so many milliseconds no command runs, or none that writes.",
		"REPLY (ON|OFF|SKIP)",
		"    Whether this connection wants answers; SKIP: not the next one.",
		"SETINFO (LIB-NAME|LIB-VER) <value>",
		"    What library this connection is made with.",
		"SETNAME <name>",
		"    Calls this connection so; LIST shows it.",
		"TRACKING OFF",
		"    Client side caching is not offered.",
		"UNBLOCK <clientid> [TIMEOUT|ERROR]",
		"    Wakes a client that waits in a command: none ever does.",
		"UNPAUSE",
		"    Ends PAUSE before its time.",
		NULL,
	};

	call_help(call, "CLIENT", lines);
}
