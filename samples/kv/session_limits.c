/* What a session may cost: how much it is owed, how long it may be silent, or take to end. */
#include "kv/server.h"

#define NS_PER_S UINT64_C(1000000000)

/* CLIENT limits of Redis: hard at once, soft when it is passed for so long. */
static bool out_is_over(struct session *session)
{
	const bool listens = session->subscriber.count > 0;
	const struct settings_out_limit *limit =
		&session->server->settings.out_limits[listens ? SETTINGS_PUBSUB : SETTINGS_NORMAL];
	const uint64_t now_ns = session->server->engine.now_ns;

	if (limit->hard && session->out.len > limit->hard)
		return true;
	if (!limit->soft || session->out.len <= limit->soft) {
		session->soft_limit_ns = 0;
		return false;
	}
	if (!session->soft_limit_ns)
		session->soft_limit_ns = now_ns;
	return now_ns - session->soft_limit_ns >= limit->soft_s * NS_PER_S;
}

void session_told(struct session *session)
{
	if (out_is_over(session) && session->end != SESSION_KILLED) {
		session->server->engine.clients.out_limit_drops++;
		session_cut_off(session);
	}
	session_unsettle(session);
}

/* Whose command waits is not. */
static bool is_idle(const struct session *session)
{
	const uint64_t idle_ns = session->server->engine.now_ns - session->active_ns;
	const uint64_t timeout_s = session->server->settings.timeout_s;

	return timeout_s && !session->fed && session->subscriber.count == 0 &&
	       idle_ns / NS_PER_S >= timeout_s;
}

void session_look(struct session *session)
{
	const uint64_t now_ns = session->server->engine.now_ns;
	struct engine_clients *clients = &session->server->engine.clients;

	if (session->end == SESSION_ENDS && now_ns - session->end_ns >= SESSION_END_S * NS_PER_S) {
		session_cut_off(session);
	} else if (out_is_over(session)) {
		clients->out_limit_drops++;
		session_cut_off(session);
	} else if (is_idle(session)) {
		session_finish(session);
	} else if (session->parsed || session->held || session->fed || session->out.len > 0) {
		session_unsettle(session);
	} else if (now_ns - session->active_ns >= NS_PER_S) {
		out_trim(&session->out);
	}
}
