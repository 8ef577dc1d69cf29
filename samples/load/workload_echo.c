/*
 * Echo: messages of one size, and the same bytes back. They depend on the connection and on their
 * place in its stream. With a connection for each request it is what `connect` does.
 */
#include "load/generator.h"
#include "load/pattern.h"

static void draw(struct generator *g, struct conn *conn, struct request *request)
{
	(void)conn;
	request->len = g->plan->size;
}

static uint32_t write_bytes(const struct generator *g, const struct conn *conn,
			    const struct request *request, uint32_t pos, uint8_t *out,
			    uint32_t room)
{
	const uint32_t left = request->len - pos, n = left < room ? left : room;

	(void)g;
	pattern_fill(conn->seed, request->number * request->len + pos, out, n);
	return n;
}

static uint32_t read_bytes(struct generator *g, struct conn *conn, struct request *request,
			   const uint8_t *data, uint32_t len, bool *done, enum fault *fault,
			   const char **text)
{
	const uint32_t left = request->len - conn->got_len, n = len < left ? len : left;

	(void)g;
	if (!pattern_is(conn->seed, request->number * request->len + conn->got_len, data, n)) {
		*fault = FAULT_WRONG;
		*text = "the answer is not what was sent";
		return 0;
	}
	*done = n == left;
	return n;
}

const struct workload workload_echo = {
	.name = "echo",
	.draw = draw,
	.write = write_bytes,
	.read = read_bytes,
};

const struct workload workload_connect = {
	.name = "connect",
	.conn_per_request = true,
	.draw = draw,
	.write = write_bytes,
	.read = read_bytes,
};
