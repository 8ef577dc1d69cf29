#include <demi/libos.h>

#include "mem/mem.h"
#include "sdk/convert.h"
#include "sdk/world.h"

enum { PIPE_NAME_LEN_MAX = 127 };

int demi_socket(int *sockqd_out, int domain, int type, int protocol)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, sockqd_out != NULL);

	if (error != 0)
		return error;
	if (domain != AF_INET)
		return ENOTSUP;
	if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
		return -shard_socket(shard, SHARD_STREAM, sockqd_out);
	if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
		return -shard_socket(shard, SHARD_DGRAM, sockqd_out);
	return ENOTSUP;
}

int demi_bind(int sockqd, const struct sockaddr *addr, socklen_t size)
{
	KEEP_ERRNO;
	struct shard *shard;
	struct net_endpoint local;
	int error = world_call(&shard, true);

	if (error == 0)
		error = convert_sockaddr(addr, size, &local);
	return error != 0 ? error : -shard_bind(shard, sockqd, &local);
}

int demi_listen(int sockqd, int backlog)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, backlog >= 1);

	return error != 0 ? error : -shard_listen(shard, sockqd, backlog);
}

int demi_accept(demi_qtoken_t *qt_out, int sockqd)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, qt_out != NULL);

	return error != 0 ? error : -shard_accept(shard, sockqd, qt_out);
}

int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr, socklen_t size)
{
	KEEP_ERRNO;
	struct shard *shard;
	struct net_endpoint remote;
	int error = world_call(&shard, qt_out != NULL);

	if (error == 0)
		error = convert_sockaddr(addr, size, &remote);
	return error != 0 ? error : -shard_connect(shard, sockqd, &remote, qt_out);
}

int demi_close(int qd)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, true);

	return error != 0 ? error : -shard_close(shard, qd);
}

/* dest NULL: where the queue is connected to. */
static int push(struct shard *shard, int qd, const demi_sgarray_t *sga,
		const struct net_endpoint *dest, demi_qtoken_t *qt_out)
{
	const demi_sgaseg_t *segment = &sga->sga_segs[0];
	struct rte_mbuf *handle;

	if (sga->sga_numsegs != 1 || segment->sgaseg_len == 0)
		return EINVAL;
	handle = mem_handle_check(shard_mem(shard), sga->sga_buf, segment->sgaseg_buf,
				  segment->sgaseg_len);
	if (handle == NULL)
		return EINVAL;
	return -shard_push(shard, qd, handle, segment->sgaseg_buf, segment->sgaseg_len, dest,
			   qt_out);
}

int demi_push(demi_qtoken_t *qt_out, int qd, const demi_sgarray_t *sga)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, qt_out != NULL && sga != NULL);

	return error != 0 ? error : push(shard, qd, sga, NULL, qt_out);
}

int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
		const struct sockaddr *dest_addr, socklen_t size)
{
	KEEP_ERRNO;
	struct shard *shard;
	struct net_endpoint dest;
	int error = world_call(&shard, qt_out != NULL && sga != NULL);

	if (error == 0)
		error = convert_sockaddr(dest_addr, size, &dest);
	return error != 0 ? error : push(shard, sockqd, sga, &dest, qt_out);
}

int demi_pop(demi_qtoken_t *qt_out, int qd)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, qt_out != NULL);

	return error != 0 ? error : -shard_pop(shard, qd, qt_out);
}

int demi_setsockopt(int qd, int level, int optname, const void *optval, socklen_t optlen)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, optval != NULL);

	return error != 0 ? error : -shard_option_set(shard, qd, level, optname, optval, optlen);
}

int demi_getsockopt(int qd, int level, int optname, void *optval, socklen_t *optlen)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, optval != NULL && optlen != NULL);

	return error != 0 ? error : -shard_option_get(shard, qd, level, optname, optval, optlen);
}

int demi_getpeername(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	KEEP_ERRNO;
	struct shard *shard;
	struct net_endpoint peer;
	int error = world_call(&shard, addr != NULL && addrlen != NULL);

	if (error == 0)
		error = -shard_remote(shard, qd, &peer);
	if (error == 0)
		convert_endpoint_out(&peer, addr, addrlen);
	return error;
}

/* The checks that hold already; the queues behind them come with the pipes. */
static int check_pipe(const int *memqd_out, const char *name)
{
	struct shard *shard;
	int error = world_call(&shard, memqd_out != NULL && name != NULL);
	size_t len;

	if (error != 0)
		return error;
	len = strnlen(name, PIPE_NAME_LEN_MAX + 1);
	return len == 0 || len > PIPE_NAME_LEN_MAX ? EINVAL : ENOSYS;
}

int demi_create_pipe(int *memqd_out, const char *name)
{
	KEEP_ERRNO;

	return check_pipe(memqd_out, name);
}

int demi_open_pipe(int *memqd_out, const char *name)
{
	KEEP_ERRNO;

	return check_pipe(memqd_out, name);
}
