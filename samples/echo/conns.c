#include "echo/conns.h"

#include <demi/libos.h>
#include <demi/sga.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conn {
	int qd;
	unsigned push_count; /* pushes outstanding */
	bool popping;	     /* pop_qt is outstanding */
	demi_qtoken_t pop_qt;
	bool ending; /* the peer's FIN was seen, or the connection failed */
	bool held;   /* the send queue was full: this sga waits for room */
	demi_sgarray_t held_sga;
	struct conn *next, **link; /* of all connections of this shard */
};

static void close_conn(struct conns *conns, struct conn *conn)
{
	if (conn->held)
		demi_sgafree(&conn->held_sga);
	demi_close(conn->qd);
	qd_map_take_or_null(&conns->map, conn->qd);
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	free(conn);
}

/* Hands the sga's bytes back to the peer; the sga is gone afterwards, or held. */
static void push(struct conns *conns, struct conn *conn, demi_sgarray_t *sga)
{
	demi_qtoken_t qt;
	int error = demi_push(&qt, conn->qd, sga);

	if (error == EAGAIN) {
		conn->held_sga = *sga;
		conn->held = true;
		conns->starved |= conn->push_count == 0;
		return;
	}
	demi_sgafree(sga); /* the push has a reference of its own */
	if (error)
		conn->ending = true;
	else
		conn->push_count++;
}

/*
 * What a connection does next. It is closed when nothing is outstanding any more, so no result ever
 * comes for a descriptor that is somebody else's by then.
 */
static void advance(struct conns *conns, struct conn *conn)
{
	int error;

	if (conn->held) {
		conn->held = false;
		push(conns, conn, &conn->held_sga);
	}
	if (!conn->ending && !conn->held && !conn->popping &&
	    conn->push_count < conns->push_count_max) {
		error = demi_pop(&conn->pop_qt, conn->qd);
		conn->popping = !error;
		conn->ending = error && error != EAGAIN;
		conns->starved |= error == EAGAIN && conn->push_count == 0;
	}
	if (conn->ending && !conn->held && !conn->popping && conn->push_count == 0)
		close_conn(conns, conn);
}

static void greet(struct conns *conns, struct conn *conn)
{
	size_t len = strlen(conns->greeting);
	demi_sgarray_t sga = demi_sgaalloc(len);

	if (!sga.sga_buf) {
		conn->ending = true;
		return;
	}
	memcpy(sga.sga_segs[0].sgaseg_buf, conns->greeting, len);
	push(conns, conn, &sga);
}

void conns_add(struct conns *conns, int qd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn || qd_map_put(&conns->map, qd, conn)) {
		fprintf(stderr, "echo: no memory for a connection\n");
		free(conn);
		demi_close(qd);
		return;
	}
	conn->qd = qd;
	conn->next = conns->first;
	conn->link = &conns->first;
	if (conn->next)
		conn->next->link = &conn->next;
	conns->first = conn;
	if (conns->greeting)
		greet(conns, conn);
	advance(conns, conn);
}

static void popped(struct conns *conns, struct conn *conn, demi_sgarray_t *sga)
{
	conn->popping = false;
	if (sga->sga_segs[0].sgaseg_len == 0) {
		conn->ending = true;
		return;
	}
	conns->figures->message_count++;
	push(conns, conn, sga);
}

/* All others of this connection fail too, and their results come as well. */
static void failed(struct conns *conns, struct conn *conn, demi_qtoken_t qt)
{
	conns->figures->lost_count += !conn->ending;
	conn->ending = true;
	if (conn->held)
		demi_sgafree(&conn->held_sga);
	conn->held = false;
	if (qt == conn->pop_qt)
		conn->popping = false;
	else
		conn->push_count--;
}

void conns_result(struct conns *conns, demi_qresult_t *result)
{
	struct conn *conn = qd_map_get_or_null(&conns->map, result->qr_qd);

	if (!conn)
		return;
	if (result->qr_opcode == DEMI_OPC_POP)
		popped(conns, conn, &result->qr_value.sga);
	else if (result->qr_opcode == DEMI_OPC_PUSH)
		conn->push_count--;
	else
		failed(conns, conn, result->qr_qt);
	advance(conns, conn);
}

void conns_retry(struct conns *conns)
{
	struct conn *next;

	conns->starved = false;
	for (struct conn *conn = conns->first; conn; conn = next) {
		next = conn->next;
		if (conn->held || !conn->popping)
			advance(conns, conn);
	}
}

void conns_close_all(struct conns *conns)
{
	while (conns->first)
		close_conn(conns, conns->first);
	qd_map_fini(&conns->map);
}
