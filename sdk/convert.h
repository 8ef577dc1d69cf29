/*
 * Between the types of the demi API and Clowder's own. What a program hands in may lie at any
 * address (the API's structs are packed), so it is copied, not cast.
 */
#ifndef SDK_CONVERT_H
#define SDK_CONVERT_H

#include "net/addr.h"
#include "shard/shard.h"

#include <demi/types.h>
#include <errno.h>
#include <string.h>
#include <time.h>

/* 0, or EINVAL (NULL, wrong length), ENOTSUP (not IPv4). */
static inline int convert_sockaddr(const struct sockaddr *addr, socklen_t size,
				   struct net_endpoint *out)
{
	struct sockaddr_in in;
	sa_family_t family;

	if (addr == NULL || size < sizeof(family))
		return EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (family != AF_INET)
		return ENOTSUP;
	if (size != sizeof(in))
		return EINVAL;
	memcpy(&in, addr, sizeof(in));
	*out = (struct net_endpoint){.addr.v4 = in.sin_addr.s_addr, .port = in.sin_port};
	return 0;
}

static inline struct sockaddr_in convert_endpoint(const struct net_endpoint *endpoint)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = endpoint->port,
		.sin_addr.s_addr = endpoint->addr.v4,
	};
}

/* As getpeername(2) hands out an address: cut to *size, *size becomes the true one. */
static inline void convert_endpoint_out(const struct net_endpoint *endpoint, struct sockaddr *addr,
					socklen_t *size)
{
	const struct sockaddr_in in = convert_endpoint(endpoint);

	memcpy(addr, &in, *size < sizeof(in) ? *size : sizeof(in));
	*size = sizeof(in);
}

/* 0 or EINVAL. Longer than 584 years is for ever, and so is NULL. */
static inline int convert_timeout(const struct timespec *timeout, uint64_t *ns)
{
	const uint64_t second = 1000000000;

	*ns = SHARD_FOREVER;
	if (timeout == NULL)
		return 0;
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || (uint64_t)timeout->tv_nsec >= second)
		return EINVAL;
	if ((uint64_t)timeout->tv_sec < (SHARD_FOREVER - second) / second)
		*ns = (uint64_t)timeout->tv_sec * second + (uint64_t)timeout->tv_nsec;
	return 0;
}

/* The sga of a popped buffer. At the end of a stream there is no buffer: the sga then names
 * sga_end_of_stream, so that it can be freed like any other, and by mistake twice. */
extern char sga_end_of_stream;

static inline demi_sgarray_t convert_sga(void *handle, void *data, uint32_t len)
{
	demi_sgarray_t sga = {.sga_buf = handle, .sga_numsegs = 1};

	sga.sga_segs[0].sgaseg_buf = data;
	sga.sga_segs[0].sgaseg_len = len;
	return sga;
}

static inline void convert_pop(const struct shard_result *result, demi_sgarray_t *sga)
{
	const bool end = result->pop.handle == NULL;

	sga->sga_buf = end ? (void *)&sga_end_of_stream : result->pop.handle;
	sga->sga_numsegs = 1;
	sga->sga_segs[0].sgaseg_buf = end ? &sga_end_of_stream : result->pop.data;
	sga->sga_segs[0].sgaseg_len = end ? 0 : result->pop.len;
	if (!end && result->pop.from.port != 0)
		sga->sga_addr = convert_endpoint(&result->pop.from);
}

_Static_assert((int)SHARD_OP_INVALID == DEMI_OPC_INVALID && (int)SHARD_OP_PUSH == DEMI_OPC_PUSH &&
		       (int)SHARD_OP_POP == DEMI_OPC_POP &&
		       (int)SHARD_OP_ACCEPT == DEMI_OPC_ACCEPT &&
		       (int)SHARD_OP_CONNECT == DEMI_OPC_CONNECT &&
		       (int)SHARD_OP_CLOSE == DEMI_OPC_CLOSE &&
		       (int)SHARD_OP_FAILED == DEMI_OPC_FAILED,
	       "one numbering");

/* Field by field into its place: a struct made elsewhere and copied whole would wait for its pieces
 * to leave the store buffer. */
static inline void convert_result(const struct shard_result *result, demi_qresult_t *out)
{
	*out = (demi_qresult_t){0};
	out->qr_opcode = (enum demi_opcode)result->opcode;
	out->qr_qd = result->qd;
	out->qr_qt = result->token;
	if (result->opcode == SHARD_OP_FAILED) {
		out->qr_ret = result->error;
	} else if (result->opcode == SHARD_OP_POP) {
		convert_pop(result, &out->qr_value.sga);
	} else if (result->opcode == SHARD_OP_ACCEPT) {
		out->qr_value.ares.qd = result->accept.qd;
		out->qr_value.ares.addr = convert_endpoint(&result->accept.peer);
	}
}

#endif
