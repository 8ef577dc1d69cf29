#include "kv/client_line.h"

#include "kv/server.h"

#include <arpa/inet.h>
#include <stdio.h>

void client_address(const struct sockaddr_in *address, char text[CLIENT_ADDRESS_LEN])
{
	char ip[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &address->sin_addr, ip, sizeof(ip));
	snprintf(text, CLIENT_ADDRESS_LEN, "%s:%u", ip, ntohs(address->sin_port));
}

static void flags_of(const struct session *session, char text[8])
{
	char *at = text;

	if (session->subscriber.count > 0)
		*at++ = 'P';
	if (session->transaction.open)
		*at++ = 'x';
	if (session->end != SESSION_GOES_ON)
		*at++ = 'c';
	if (session->no_evict)
		*at++ = 'e';
	if (session->no_touch)
		*at++ = 'T';
	if (at == text)
		*at++ = 'N';
	*at = 0;
}

static unsigned long long seconds_since(const struct session *session, uint64_t since_ns)
{
	return (session->server->engine.now_ns - since_ns) / 1000000000;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

size_t client_line(const struct session *session, char text[CLIENT_LINE_LEN])
{
	const unsigned *counts = session->subscriber.counts;
	const struct transaction *transaction = &session->transaction;
	char peer[CLIENT_ADDRESS_LEN], local[CLIENT_ADDRESS_LEN], flags[8];
	size_t held = resp_in_held(&session->in), room = session->out.room;
	int len;

	client_address(&session->peer, peer);
	client_address(&session->local, local);
	flags_of(session, flags);
	len = snprintf(text, CLIENT_LINE_LEN,
		       "id=%llu addr=%s laddr=%s fd=%d name=%s age=%llu idle=%llu flags=%s db=%d "
		       "sub=%u psub=%u ssub=%u multi=%d qbuf=%zu qbuf-free=0 argv-mem=%zu "
		       "multi-mem=%zu rbs=0 rbp=0 obl=0 oll=%u omem=%zu tot-mem=%zu events=%s "
		       "cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s\n",
		       (unsigned long long)session->id, peer, local, session->qd,
		       or_empty(session->name), seconds_since(session, session->opened_ns),
		       seconds_since(session, session->active_ns), flags, session->db,
		       counts[TOPIC_CHANNEL], counts[TOPIC_PATTERN], counts[TOPIC_SHARD_CHANNEL],
		       transaction->open ? transaction->count : -1, held, held, transaction->len,
		       session->push_count, session->out.len,
		       sizeof(*session) + held + room + transaction->len,
		       session->out.len > 0 ? "rw" : "r",
		       session->last ? session->last->name : "NULL", session->out.resp,
		       or_empty(session->lib_name), or_empty(session->lib_version));
	return len < CLIENT_LINE_LEN ? (size_t)len : CLIENT_LINE_LEN - 1;
}
