#include <demi/ext.h>

#include "sdk/convert.h"
#include "sdk/world.h"

int demi_shutdown(int qd, int how)
{
	KEEP_ERRNO;
	struct shard *shard = world_shard_or_null();

	if (shard == NULL)
		return ENOSYS;
	switch (how) {
	case SHUT_RD:
		return -shard_shutdown(shard, qd, TCP_SHUT_RD);
	case SHUT_WR:
		return -shard_shutdown(shard, qd, TCP_SHUT_WR);
	case SHUT_RDWR:
		return -shard_shutdown(shard, qd, TCP_SHUT_RD | TCP_SHUT_WR);
	default:
		return EINVAL;
	}
}

int demi_getsockname(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	KEEP_ERRNO;
	struct shard *shard;
	struct net_endpoint local;
	int error = world_call(&shard, addr != NULL && addrlen != NULL);

	if (error == 0)
		error = -shard_local(shard, qd, &local);
	if (error == 0)
		convert_endpoint_out(&local, addr, addrlen);
	return error;
}

int demi_async_close(demi_qtoken_t *qt_out, int qd)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, qt_out != NULL);

	return error != 0 ? error : -shard_close_async(shard, qd, qt_out);
}

int demi_describe(void (*line)(const char *text, void *arg), void *arg)
{
	KEEP_ERRNO;
	struct shard *shard;
	int error = world_call(&shard, line != NULL);

	if (error == 0)
		runtime_describe(world_current.runtime, line, arg);
	return error;
}
