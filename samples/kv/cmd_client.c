/* CLIENT about the client itself; about others: cmd_clients.c. */
#include "kv/cmd_client.h"

#include "kv/call.h"
#include "kv/client_line.h"
#include "kv/commands.h"
#include "kv/heap.h"
#include "kv/reply.h"
#include "kv/server.h"

#include <string.h>

/* --- names --- */

static bool printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '!' || text.data[i] > '~')
			return false;
	}
	return true;
}

bool cmd_client_name_valid(struct call *call, struct slice name)
{
	if (printable(name) && name.len <= SESSION_NAME_MAX)
		return true;
	reply_error(call->out,
		    "ERR Client names cannot contain spaces, newlines or special characters.");
	return false;
}

void cmd_client_set(char **to, struct slice text)
{
	heap_free(*to);
	*to = text.len ? heap_alloc_or_null(text.len + 1) : NULL;
	if (*to) {
		memcpy(*to, text.data, text.len);
		(*to)[text.len] = 0;
	}
}

void cmd_client_setname(struct call *call)
{
	if (!cmd_client_name_valid(call, call->argv[2].text))
		return;
	cmd_client_set(&call->session->name, call->argv[2].text);
	reply_status(call->out, "OK");
}

void cmd_client_getname(struct call *call)
{
	if (call->session->name)
		reply_text(call->out, call->session->name);
	else
		reply_null(call->out);
}

void cmd_client_setinfo(struct call *call)
{
	const struct arg *option = &call->argv[2], *value = &call->argv[3];
	const bool is_name = call_is(call, 2, "lib-name");

	if (!is_name && !call_is(call, 2, "lib-ver")) {
		reply_errorf(call->out, "ERR Unrecognized option '%.*s'",
			     (int)(option->text.len < 128 ? option->text.len : 128),
			     option->text.data);
		return;
	}
	if (!printable(value->text) || value->text.len > SESSION_NAME_MAX) {
		reply_errorf(call->out,
			     "ERR %s cannot contain spaces, newlines or special characters.",
			     is_name ? "lib-name" : "lib-ver");
		return;
	}
	cmd_client_set(is_name ? &call->session->lib_name : &call->session->lib_version,
		       value->text);
	reply_status(call->out, "OK");
}

void cmd_client_id(struct call *call)
{
	reply_integer(call->out, (int64_t)call->session->id);
}

void cmd_client_info(struct call *call)
{
	char line[CLIENT_LINE_LEN];

	reply_verbatim(call->out, (struct slice){line, client_line(call->session, line)});
}

/* --- switches --- */

/* Silent itself, but for ON. */
void cmd_client_reply(struct call *call)
{
	struct session *session = call->session;

	if (call_is(call, 2, "on")) {
		reply_status(session->reply == REPLY_ON ? call->out : &session->out, "OK");
		session->reply = REPLY_ON;
	} else if (call_is(call, 2, "off")) {
		session->reply = REPLY_OFF;
	} else if (call_is(call, 2, "skip")) {
		if (session->reply != REPLY_OFF)
			session->reply = REPLY_SKIP_NEXT;
	} else {
		reply_error(call->out, CALL_SYNTAX_ERROR);
	}
}

static void set_switch(struct call *call, bool *to)
{
	if (!call_is(call, 2, "on") && !call_is(call, 2, "off")) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
		return;
	}
	*to = call_is(call, 2, "on");
	reply_status(call->out, "OK");
}

/* There is one limit of each client's memory, and none of all clients'. */
void cmd_client_no_evict(struct call *call)
{
	set_switch(call, &call->session->no_evict);
}

void cmd_client_no_touch(struct call *call)
{
	set_switch(call, &call->session->no_touch);
}

/* --- client side caching, which is not offered --- */

void cmd_client_tracking(struct call *call)
{
	if (call_is(call, 2, "off"))
		reply_status(call->out, "OK");
	else if (call_is(call, 2, "on"))
		reply_error(call->out, "ERR client side caching is not offered by this server");
	else
		reply_error(call->out, CALL_SYNTAX_ERROR);
}

void cmd_client_trackinginfo(struct call *call)
{
	struct out *out = call->out;

	reply_map(out, 3);
	reply_text(out, "flags");
	reply_set(out, 1);
	reply_text(out, "off");
	reply_text(out, "redirect");
	reply_integer(out, -1);
	reply_text(out, "prefixes");
	reply_array(out, 0);
}

void cmd_client_getredir(struct call *call)
{
	reply_integer(call->out, -1);
}

void cmd_client_caching(struct call *call)
{
	reply_error(call->out, "ERR CLIENT CACHING can be called only when the client is in "
			       "tracking mode with OPTIN or OPTOUT mode enabled");
}

/* No command blocks. */
void cmd_client_unblock(struct call *call)
{
	int64_t id;

	if (call->argc == 4 && !call_is(call, 3, "timeout") && !call_is(call, 3, "error"))
		reply_error(call->out, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
	else if (call_integer(call, 2, &id))
		reply_integer(call->out, 0);
}
