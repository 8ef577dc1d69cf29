#include "load/nodes.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/wait.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_LEN_MAX = 1 << 20, DEPTH_MAX = 8 };

/* What is read, and what went wrong: then nothing more is. */
struct text {
	const char *at, *end;
	int error;
};

/* --- values of the protocol --- */

static char take_type(struct text *t)
{
	if (t->error)
		return 0;
	if (t->at == t->end)
		t->error = EAGAIN;
	return t->error ? 0 : *t->at++;
}

static long long take_number(struct text *t)
{
	const char *line = t->at;
	long long number = 0;
	bool negative;

	if (t->error)
		return 0;
	t->at = memchr(line, '\n', (size_t)(t->end - line));
	if (!t->at) {
		t->error = EAGAIN;
		t->at = t->end;
		return 0;
	}
	negative = *line == '-';
	for (line += negative; line < t->at && *line >= '0' && *line <= '9' && number < 1000000;
	     line++)
		number = 10 * number + (*line - '0');
	if (*line != '\r' || ++line != t->at)
		t->error = EPROTO;
	t->at++;
	return negative ? -number : number;
}

static long long take(struct text *t, char type)
{
	if (take_type(t) != type && !t->error)
		t->error = EPROTO;
	return take_number(t);
}

static struct slice take_bulk(struct text *t)
{
	const long long len = take(t, '$');
	struct slice bulk = {.data = t->at, .len = len > 0 ? (size_t)len : 0};

	if (t->error || len < 0)
		return (struct slice){.data = "", .len = 0};
	if ((size_t)(t->end - t->at) < bulk.len + 2) {
		t->error = EAGAIN;
		return (struct slice){.data = "", .len = 0};
	}
	t->at += bulk.len + 2;
	return bulk;
}

static void skip(struct text *t, unsigned depth)
{
	const char type = take_type(t);
	long long count;

	if (t->error)
		return;
	if (type == '$') {
		t->at--;
		take_bulk(t);
	} else if (type == ':') {
		take_number(t);
	} else if ((type == '*' || type == '%') && depth < DEPTH_MAX) {
		count = take_number(t) * (type == '%' ? 2 : 1);
		for (long long i = 0; i < count && !t->error; i++)
			skip(t, depth + 1);
	} else {
		t->error = EPROTO;
	}
}

/* --- CLUSTER SLOTS --- */

static unsigned find_or_add(struct nodes *nodes, const struct sockaddr_in *address, int *error)
{
	unsigned i = 0;

	for (; i < nodes->count; i++) {
		if (nodes->addresses[i].sin_addr.s_addr == address->sin_addr.s_addr &&
		    nodes->addresses[i].sin_port == address->sin_port)
			return i;
	}
	if (i == PLAN_SERVER_MAX) {
		*error = EPROTO;
		return 0;
	}
	nodes->addresses[nodes->count++] = *address;
	return i;
}

/* [address, port, ...] */
static struct sockaddr_in take_node(struct text *t, struct in_addr asked)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = asked};
	const long long count = take(t, '*');
	const struct slice host = take_bulk(t);
	const long long port = take(t, ':');
	char name[INET_ADDRSTRLEN] = "";

	if (!t->error && (count < 2 || port < 1 || port > 65535 || host.len >= sizeof(name)))
		t->error = EPROTO;
	if (t->error)
		return address;
	memcpy(name, host.data, host.len);
	if (host.len > 0 && inet_pton(AF_INET, name, &address.sin_addr) != 1)
		t->error = EPROTO;
	address.sin_port = htons((uint16_t)port);
	for (long long i = 2; i < count && !t->error; i++)
		skip(t, 0);
	return address;
}

/* [first slot, last slot, its node, replicas ...] */
static void take_range(struct text *t, struct nodes *nodes, struct in_addr asked)
{
	const long long count = take(t, '*'), first = take(t, ':'), last = take(t, ':');
	const struct sockaddr_in address = take_node(t, asked);
	unsigned node;

	if (!t->error && (count < 3 || first < 0 || last >= SLOT_COUNT || first > last))
		t->error = EPROTO;
	for (long long i = 3; i < count && !t->error; i++)
		skip(t, 0);
	if (t->error)
		return;
	node = find_or_add(nodes, &address, &t->error);
	memset(nodes->of_slot + first, (int)node, (size_t)(last - first + 1));
}

int nodes_parse(struct nodes *nodes, const char *text, size_t len, struct in_addr asked)
{
	struct text t = {.at = text, .end = text + len};
	const long long count = take(&t, '*');

	nodes->count = 0;
	memset(nodes->of_slot, NODES_NONE, sizeof(nodes->of_slot));
	for (long long i = 0; i < count && !t.error; i++)
		take_range(&t, nodes, asked);
	if (!t.error && nodes->count == 0)
		t.error = EPROTO;
	return t.error;
}

/* --- asking --- */

/* Waits for an operation that was begun with this error. */
static int wait_for(int error, demi_qtoken_t qt, demi_qresult_t *result, uint64_t timeout_ns)
{
	const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
					 .tv_nsec = (long)(timeout_ns % 1000000000u)};

	if (!error)
		error = demi_wait(result, qt, &timeout);
	if (!error && result->qr_opcode == DEMI_OPC_FAILED)
		error = (int)result->qr_ret;
	return error;
}

static int push_question(int qd, uint64_t timeout_ns)
{
	static const char question[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
	demi_sgarray_t sga = demi_sgaalloc(sizeof(question) - 1);
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	int error;

	if (!sga.sga_buf)
		return ENOMEM;
	memcpy(sga.sga_segs[0].sgaseg_buf, question, sizeof(question) - 1);
	error = demi_push(&qt, qd, &sga);
	demi_sgafree(&sga);
	return wait_for(error, qt, &result, timeout_ns);
}

/* More of the answer, to what is there of it. */
static int pop_more(int qd, char *answer, size_t *len, uint64_t timeout_ns)
{
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	int error = demi_pop(&qt, qd);
	const demi_sgaseg_t *seg = &result.qr_value.sga.sga_segs[0];

	error = wait_for(error, qt, &result, timeout_ns);
	if (error)
		return error;
	if (seg->sgaseg_len == 0)
		error = ECONNRESET;
	else if (seg->sgaseg_len > ANSWER_LEN_MAX - *len)
		error = EPROTO;
	else
		memcpy(answer + *len, seg->sgaseg_buf, seg->sgaseg_len);
	if (!error)
		*len += seg->sgaseg_len;
	demi_sgafree(&result.qr_value.sga);
	return error;
}

int nodes_ask(struct nodes *nodes, const struct sockaddr_in *server, uint64_t timeout_ns)
{
	char *answer = malloc(ANSWER_LEN_MAX);
	demi_qresult_t result;
	demi_qtoken_t qt = 0;
	size_t len = 0;
	int qd, error = answer ? demi_socket(&qd, AF_INET, SOCK_STREAM, 0) : ENOMEM;

	if (error) {
		free(answer);
		return error;
	}
	error = demi_connect(&qt, qd, (const struct sockaddr *)server, sizeof(*server));
	error = wait_for(error, qt, &result, timeout_ns);
	if (!error)
		error = push_question(qd, timeout_ns);
	while (!error) {
		error = pop_more(qd, answer, &len, timeout_ns);
		if (!error)
			error = nodes_parse(nodes, answer, len, server->sin_addr);
		if (error != EAGAIN)
			break;
		error = 0;
	}
	demi_close(qd);
	free(answer);
	return error;
}
