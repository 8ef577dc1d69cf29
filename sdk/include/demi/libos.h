/*
 * The calls of the demi API that make queues and move data through them; see also demi/sga.h and
 * demi/wait.h.
 *
 * Every call returns 0 or a positive errno and leaves errno alone. Before demi_init() (or outside a
 * demi_shard_run()) each returns ENOSYS. Queue descriptors, tokens and sgas belong to the shard, so
 * to the thread, that made them: with another's, a call gives EBADF (descriptor) or EINVAL (token,
 * sga). A NULL where something is wanted gives EINVAL; a descriptor of a kind that does not have
 * the call EOPNOTSUPP. A call that starts an operation (it has a qt_out) gives EAGAIN when as many
 * are outstanding as [runtime] tokens allows. No call blocks but demi_wait*(), and demi_close()
 * where SO_LINGER asks for it.
 */
#ifndef DEMI_LIBOS_H
#define DEMI_LIBOS_H

#include <demi/cc.h>
#include <demi/types.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the calling thread the one shard of its world: reads the configuration, starts the devices
 * and the stack. args may be NULL; what its argv holds is the program's own business.
 *
 * The configuration is the TOML file that CONFIG_PATH in the environment names (a program with an
 * option --config sets CONFIG_PATH before this call), else a tap device "clowder0" on which Clowder
 * is 10.99.0.2 and the kernel 10.99.0.1. LIBOS in the environment may be "catnip" or "clowder", the
 * DPDK transport, which is the only one.
 *
 * EEXIST: this thread, or another one of this process, has a world already. EINVAL: the
 * configuration, or LIBOS, cannot be used. Other values say what the start of devices said. For
 * every failure but EEXIST one line on stderr names file, line, key, what was found and what is
 * allowed. Ended by demi_fini() of demi/ext.h, or when this thread calls exit(). Until then
 * pthread_cancel() does nothing to this thread: inside of a call it would leave the world half
 * done.
 */
DEMI_API int demi_init(const struct demi_args *args);

/*
 * Named queues in memory, between two processes. Not offered yet: ENOSYS, after EINVAL for a name
 * that is empty or longer than 127 bytes.
 */
DEMI_API int demi_create_pipe(int *memqd_out, const char *name) ATTR_NONNULL(1, 2);
DEMI_API int demi_open_pipe(int *memqd_out, const char *name) ATTR_NONNULL(1, 2);

/*
 * A new socket. domain is AF_INET, type SOCK_STREAM (TCP) or SOCK_DGRAM (UDP), protocol 0 or the
 * one that the type implies: else ENOTSUP. EMFILE: the shard has as many queues as [runtime]
 * queues allows. The descriptor is the caller's until demi_close().
 */
DEMI_API int demi_socket(int *sockqd_out, int domain, int type, int protocol) ATTR_NONNULL(1);

/*
 * Gives the socket its local address, a struct sockaddr_in. INADDR_ANY and port 0 (one is chosen)
 * are allowed. EINVAL: size is not that of a sockaddr_in, or the socket is bound already; ENOTSUP:
 * not AF_INET; EADDRNOTAVAIL: not an address of ours; EADDRINUSE: taken; EBADF.
 */
DEMI_API int demi_bind(int sockqd, const struct sockaddr *addr, socklen_t size) ATTR_NONNULL(2);

/*
 * Makes a bound stream socket a listener, on which at most backlog connections wait to be accepted.
 * A port on which every shard listens is shared: each accepts the flows that it owns; listened on
 * by one shard alone, that shard gets all. EINVAL: backlog below 1; EDESTADDRREQ: not bound;
 * EADDRINUSE: listening or connecting already; EISCONN; EOPNOTSUPP: a datagram socket; EBADF.
 */
DEMI_API int demi_listen(int sockqd, int backlog);

/*
 * Starts to accept a connection; any number may be outstanding. Completes as DEMI_OPC_ACCEPT with
 * qr_qd the listener, and in qr_value.ares the new descriptor, which is the caller's, and the peer.
 * EINVAL: not listening; EBADF.
 */
DEMI_API int demi_accept(demi_qtoken_t *qt_out, int sockqd) ATTR_NONNULL(1);

/*
 * Starts to connect to addr, a struct sockaddr_in. Completes as DEMI_OPC_CONNECT, or fails with
 * ECONNREFUSED, ETIMEDOUT or EHOSTUNREACH. EINVAL: size is not that of a sockaddr_in, or an address
 * that cannot be connected to; ENOTSUP: not AF_INET; EINPROGRESS; EISCONN; EOPNOTSUPP: a listener;
 * EADDRNOTAVAIL: no local port is left; EBADF.
 */
DEMI_API int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr,
			  socklen_t size) ATTR_NONNULL(1, 3);

/*
 * Closes a queue. Its outstanding operations fail with ECANCELED, and their tokens may still be
 * waited for. Bytes of a push that was taken are still delivered, then the FIN, behind the scenes
 * and without holding the caller, unless SO_LINGER asks otherwise. EBADF.
 */
DEMI_API int demi_close(int qd);

/*
 * Sends the segment of the sga, in place. Completes as DEMI_OPC_PUSH when the peer acknowledged
 * every byte: then the buffer may be written again. Fails as demi_pop() does. The sga stays the
 * caller's to free; it may be freed before completion, because the push holds the buffer as well.
 *
 * While the send queue (SO_SNDBUF) is full a push waits, in order, and its token stays pending:
 * what waits is bounded by [runtime] tokens alone, so who pushes without waiting counts his bytes.
 * EAGAIN: as many operations are outstanding as that, and nothing was taken; there is room again
 * when any of them, on whatever queue, has been waited for; or 65,535 pushes of this one buffer
 * wait. EINVAL: not one segment, an empty one, one outside its buffer, or no sga of this shard;
 * ENOTCONN; EPIPE: after demi_shutdown; EDESTADDRREQ: a datagram socket; EBADF.
 */
DEMI_API int demi_push(demi_qtoken_t *qt_out, int qd, const demi_sgarray_t *sga) ATTR_NONNULL(1, 3);

/*
 * Sends the segment as one datagram to dest_addr, a struct sockaddr_in; else as demi_push().
 * ENOTSUP: a stream socket, or an address that is not AF_INET; EDESTADDRREQ: port 0; EMSGSIZE: too
 * long for a packet.
 */
DEMI_API int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
			 const struct sockaddr *dest_addr, socklen_t size) ATTR_NONNULL(1, 3, 4);

/*
 * Starts to receive; any number may be outstanding, and end in the order in which they were
 * started. Completes as DEMI_OPC_POP with the next bytes in order, or one datagram and its sender
 * in sga_addr. A segment of length zero on a stream is the peer's FIN. The sga is the caller's, to
 * be freed with demi_sgafree() whatever its length. Fails with ECONNRESET or ETIMEDOUT if the
 * connection dies. ENOTCONN; EBADF.
 */
DEMI_API int demi_pop(demi_qtoken_t *qt_out, int qd) ATTR_NONNULL(1);

/*
 * Options of a stream, with levels, names and types as in <sys/socket.h>, <netinet/in.h> and
 * <netinet/tcp.h>; accepted connections begin with their listener's. Others give ENOPROTOOPT, a
 * length or value that does not fit EINVAL. *optlen is the room at optval, then what was written:
 * what does not fit is cut off.
 *
 *   SO_LINGER         {1, 0}: demi_close() sends an RST and forgets what was pushed; {1, n}: it
 *                     holds the caller for up to n seconds, until the peer has everything
 *   SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT: off; seconds, seconds, probes
 *   TCP_USER_TIMEOUT  milliseconds that bytes, or a SYN, go unanswered before ETIMEDOUT (RFC 5482);
 *                     0: as configured
 *   TCP_NODELAY       Nagle's algorithm is off
 *   TCP_MAXSEG        bytes of a segment at most; before a connection is made also what the peer is
 *                     told; asked of a connection, what is sent now
 *   SO_RCVBUF, SO_SNDBUF: bytes of one connection, 4 KiB to 64 MiB
 *   IP_TTL, IP_TOS    of what is sent; the two ECN bits are TCP's
 *   SO_REUSEADDR      remembered; TIME-WAIT never keeps a port from a listener
 *   TCP_CONGESTION    "cubic" or "newreno", else ENOENT; asked, 16 bytes with zeros at its end
 * To be asked only:
 *   TCP_INFO          of a connection: struct tcp_info of <linux/tcp.h>, of which the one of
 *                     <netinet/tcp.h> is the beginning; what is not known is 0
 *   SO_ERROR          why the connection died, or what the network said about it; once
 *   SO_TYPE, SO_DOMAIN, SO_PROTOCOL
 */
DEMI_API int demi_setsockopt(int qd, int level, int optname, const void *optval, socklen_t optlen)
	ATTR_NONNULL(4);
DEMI_API int demi_getsockopt(int qd, int level, int optname, void *optval, socklen_t *optlen)
	ATTR_NONNULL(4, 5);

/*
 * The peer's address, cut to *addrlen bytes; *addrlen becomes its true size. ENOTCONN; ENOTSUP: a
 * datagram socket; EBADF.
 */
DEMI_API int demi_getpeername(int qd, struct sockaddr *addr, socklen_t *addrlen) ATTR_NONNULL(2, 3);

#ifdef __cplusplus
}
#endif

#endif
