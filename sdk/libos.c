#include <demi/libos.h>

#include "mem/mem.h"
#include "sdk/convert.h"
#include "sdk/world.h"

enum { PIPE_NAME_LEN_MAX = 127 };

int demi_socket(int *sockqd_out, int domain, int type, int protocol)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (sockqd_out == NULL)
		return EINVAL;
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
	struct shard *shard = world_shard_or_null();
	struct net_endpoint local;
	int error;

	if (shard == NULL)
		return ENOSYS;
	error = convert_sockaddr(addr, size, &local);
	if (error != 0)
		return error;
	return -shard_bind(shard, sockqd, &local);
}

int demi_listen(int sockqd, int backlog)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (backlog < 1)
		return EINVAL;
	return -shard_listen(shard, sockqd, backlog);
}

int demi_accept(demi_qtoken_t *qt_out, int sockqd)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (qt_out == NULL)
		return EINVAL;
	return -shard_accept(shard, sockqd, qt_out);
}

int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr, socklen_t size)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct net_endpoint remote;
	int error;

	if (shard == NULL)
		return ENOSYS;
	if (qt_out == NULL)
		return EINVAL;
	error = convert_sockaddr(addr, size, &remote);
	if (error != 0)
		return error;
	return -shard_connect(shard, sockqd, &remote, qt_out);
}

int demi_close(int qd)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	return -shard_close(shard, qd);
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
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (qt_out == NULL || sga == NULL)
		return EINVAL;
	return push(shard, qd, sga, NULL, qt_out);
}

int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
		const struct sockaddr *dest_addr, socklen_t size)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct net_endpoint dest;
	int error;

	if (shard == NULL)
		return ENOSYS;
	if (qt_out == NULL || sga == NULL)
		return EINVAL;
	error = convert_sockaddr(dest_addr, size, &dest);
	if (error != 0)
		return error;
	return push(shard, sockqd, sga, &dest, qt_out);
}

int demi_pop(demi_qtoken_t *qt_out, int qd)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (qt_out == NULL)
		return EINVAL;
	return -shard_pop(shard, qd, qt_out);
}

int demi_setsockopt(int qd, int level, int optname, const void *optval, socklen_t optlen)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (optval == NULL)
		return EINVAL;
	return -shard_option_set(shard, qd, level, optname, optval, optlen);
}

int demi_getsockopt(int qd, int level, int optname, void *optval, socklen_t *optlen)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	if (optval == NULL || optlen == NULL)
		return EINVAL;
	return -shard_option_get(shard, qd, level, optname, optval, optlen);
}

int demi_getpeername(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();
	struct net_endpoint peer;
	int rc;

	if (shard == NULL)
		return ENOSYS;
	if (addr == NULL || addrlen == NULL)
		return EINVAL;
	rc = shard_remote(shard, qd, &peer);
	if (rc == 0)
		convert_endpoint_out(&peer, addr, addrlen);
	return -rc;
}

/* The checks that hold already; the queues behind them come with the pipes. */
static int check_pipe(const int *memqd_out, const char *name)
{
	size_t len;

	if (world_shard_or_null() == NULL)
		return ENOSYS;
	if (memqd_out == NULL || name == NULL)
		return EINVAL;
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
