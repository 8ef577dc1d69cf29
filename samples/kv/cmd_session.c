/* Commands about the connection itself: PING ECHO SELECT AUTH HELLO RESET QUIT. */
#include "kv/commands.h"

#include "kv/call.h"
#include "kv/cmd_client.h"

#include "kv/number.h"
#include "kv/reply.h"
#include "kv/server.h"

#include <string.h>

void cmd_ping(struct call *call)
{
	struct out *out = call->out;

	if (call->argc > 2) {
		reply_error(out, "ERR wrong number of arguments for 'ping' command");
	} else if (call->session->subscriber.count > 0 && out->resp == 2) {
		reply_array(out, 2);
		reply_text(out, "pong");
		reply_bulk(out, call->argc == 2 ? call->argv[1].text : SLICE(""));
	} else if (call->argc == 2) {
		reply_bulk(out, call->argv[1].text);
	} else {
		reply_status(out, "PONG");
	}
}

void cmd_echo(struct call *call)
{
	reply_bulk(call->out, call->argv[1].text);
}

void cmd_select(struct call *call)
{
	int db;

	if (!call_db(call, 1, &db))
		return;
	if (db != 0 && call->engine->settings->mode == KV_CLUSTER) {
		reply_error(call->out, "ERR SELECT is not allowed in cluster mode");
		return;
	}
	call->session->db = db;
	reply_status(call->out, "OK");
}

/* --- who it is --- */

/* Takes as long for a password that is wrong at its end as for any other. */
static bool is_password(const struct settings *settings, struct slice text)
{
	size_t len = strlen(settings->requirepass);
	unsigned char differs = text.len != len;

	for (size_t i = 0; i < text.len; i++)
		differs |= (unsigned char)(text.data[i] ^ settings->requirepass[len ? i % len : 0]);
	return !differs;
}

/* False: with the error. There is one user, and without a password any will do. */
static bool authenticate(struct call *call, struct slice user, struct slice password)
{
	const struct settings *settings = call->engine->settings;

	if (!slice_equal(user, SLICE("default")) ||
	    (settings->requirepass[0] && !is_password(settings, password))) {
		reply_error(call->out,
			    "WRONGPASS invalid username-password pair or user is disabled.");
		return false;
	}
	session_trust(call->session, true);
	return true;
}

void cmd_auth(struct call *call)
{
	const struct arg *argv = call->argv;

	if (call->argc > 3) {
		reply_error(call->out, CALL_SYNTAX_ERROR);
	} else if (call->argc == 2 && !call->engine->settings->requirepass[0]) {
		reply_error(call->out,
			    "ERR AUTH <password> called without any password configured for the "
			    "default user. Are you sure your configuration is correct?");
	} else if (call->argc == 2 ? authenticate(call, SLICE("default"), argv[1].text)
				   : authenticate(call, argv[1].text, argv[2].text)) {
		reply_status(call->out, "OK");
	}
}

/* --- HELLO --- */

struct greeting {
	int64_t resp;
	const struct arg *user, *password, *name; /* NULL: not given */
};

static bool parse_hello(struct call *call, struct greeting *greeting)
{
	const struct arg *argv = call->argv;
	int left;

	*greeting = (struct greeting){.resp = call->session->out.resp};
	if (call->argc >= 2 && !number_parse(argv[1].text, &greeting->resp)) {
		reply_error(call->out, "ERR Protocol version is not an integer or out of range");
		return false;
	}
	if (greeting->resp != 2 && greeting->resp != 3) {
		reply_error(call->out, "NOPROTO unsupported protocol version");
		return false;
	}
	for (int i = 2; i < call->argc; i++) {
		left = call->argc - i - 1;
		if (call_is(call, i, "AUTH") && left >= 2) {
			greeting->user = &argv[i + 1];
			greeting->password = &argv[i + 2];
			i += 2;
		} else if (call_is(call, i, "SETNAME") && left >= 1) {
			greeting->name = &argv[++i];
			if (!cmd_client_name_valid(call, greeting->name->text))
				return false;
		} else {
			reply_errorf(call->out, "ERR Syntax error in HELLO option '%.*s'",
				     (int)(argv[i].text.len < 128 ? argv[i].text.len : 128),
				     argv[i].text.data);
			return false;
		}
	}
	return true;
}

void cmd_hello(struct call *call)
{
	struct session *session = call->session;
	struct out *out = call->out;
	struct greeting greeting;

	if (!parse_hello(call, &greeting))
		return;
	if (greeting.user && !authenticate(call, greeting.user->text, greeting.password->text))
		return;
	if (!session->authenticated) {
		reply_error(out,
			    "NOAUTH HELLO must be called with the client already authenticated, "
			    "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
			    "authenticate the client and select the RESP protocol version at the "
			    "same time");
		return;
	}
	if (greeting.name)
		cmd_client_set(&session->name, greeting.name->text);
	session->out.resp = session->muted.resp = out->resp = (int)greeting.resp;
	reply_map(out, 7);
	reply_text(out, "server");
	reply_text(out, "redis");
	reply_text(out, "version");
	reply_text(out, SERVER_REDIS_VERSION);
	reply_text(out, "proto");
	reply_integer(out, greeting.resp);
	reply_text(out, "id");
	reply_integer(out, (int64_t)session->id);
	reply_text(out, "mode");
	reply_text(out, call->engine->settings->mode == KV_CLUSTER ? "cluster" : "standalone");
	reply_text(out, "role");
	reply_text(out, "master");
	reply_text(out, "modules");
	reply_array(out, 0);
}

/* --- its end --- */

void cmd_reset(struct call *call)
{
	struct session *session = call->session;

	transaction_clear(&session->transaction);
	router_unwatch(session->server->router, &session->watches);
	pubsub_leave(&session->server->pubsub, session);
	cmd_client_set(&session->name, SLICE(""));
	session_trust(session, session->server->settings.requirepass[0] == 0);
	session->db = 0;
	session->reply = REPLY_ON;
	session->no_evict = session->no_touch = false;
	session->out.resp = session->muted.resp = 2;
	reply_status(&session->out, "RESET");
}

void cmd_quit(struct call *call)
{
	reply_status(call->out, "OK");
	session_finish(call->session);
}
