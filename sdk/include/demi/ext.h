/*
 * Clowder's own: calls that Demikernel does not have. As of all calls, see demi/libos.h.
 */
#ifndef DEMI_EXT_H
#define DEMI_EXT_H

#include <demi/cc.h>
#include <demi/types.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Ends one or both directions of a stream; how is SHUT_RD, SHUT_WR or SHUT_RDWR. With SHUT_WR the
 * FIN goes out after what was pushed, and later pushes give EPIPE. EINVAL: another how; ENOTCONN;
 * EBADF.
 */
DEMI_API int demi_shutdown(int qd, int how);

/*
 * Our own address and port, zeros as long as the socket has none, cut to *addrlen bytes; *addrlen
 * becomes its true size. EBADF.
 */
DEMI_API int demi_getsockname(int qd, struct sockaddr *addr, socklen_t *addrlen) ATTR_NONNULL(2, 3);

/*
 * demi_close() whose end can be waited for: completes as DEMI_OPC_CLOSE when the peer has
 * acknowledged everything, the FIN among it, or the connection died. The descriptor is gone at
 * once. EBADF.
 */
DEMI_API int demi_async_close(demi_qtoken_t *qt_out, int qd) ATTR_NONNULL(1);

/*
 * Orderly end of the world that demi_init() gave this thread: closes what is open, sends what is
 * owed for up to three seconds, frees everything. Its descriptors, tokens and sgas mean nothing any
 * more; demi_init() may be called again. EINVAL: on a shard of demi_shard_run(), which ends by
 * returning from main_fn. EIO: packet buffers were missing, which a line on stderr counts.
 */
DEMI_API int demi_fini(void);

/* "0.1.0"; any thread, at any time; static. */
DEMI_API const char *demi_version(void);

/* What an errno value means, in English; any thread, at any time; static, never NULL. */
DEMI_API const char *demi_strerror(int error);

/*
 * What was found and chosen at start (machine, placement, devices, steering and why): calls line
 * once for each line, without a newline; text is valid during that call. On a shard, else ENOSYS.
 */
DEMI_API int demi_describe(void (*line)(const char *text, void *arg), void *arg) ATTR_NONNULL(1);

#ifdef __cplusplus
}
#endif

#endif
