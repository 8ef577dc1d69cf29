/* Options of connections and listeners, as POSIX and Linux name them. */
#include "net/tcp_conn.h"
#include "net/tcp_info.h"
#include "net/tcp_timer.h"
#include "net/tcp_turn.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
	BUF_LEN_MIN = 4096,
	BUF_LEN_MAX = 64 << 20,
	KEEPALIVE_S_MAX = 32767, /* as Linux */
	KEEPALIVE_COUNT_MAX = 127,
	CONGESTION_NAME_LEN = 16, /* TCP_CA_NAME_MAX */
	MSS_MAX = 32767,
};

#define SECOND_NS      1000000000ull
#define MILLISECOND_NS 1000000ull

static const struct tcp_cc_ops *const algorithms[] = {
	[TCP_CONGESTION_CUBIC] = &tcp_cubic,
	[TCP_CONGESTION_NEWRENO] = &tcp_newreno,
};

void tcp_options_default(const struct net *net, struct tcp_options *options)
{
	const struct tcp_config *config = &net->tcp.config;

	*options = (struct tcp_options){
		.rcvbuf_len = config->rcvbuf_len,
		.sndbuf_len = config->sndbuf_len,
		.keepalive_idle_ns = config->keepalive_idle_ns,
		.keepalive_interval_ns = config->keepalive_interval_ns,
		.keepalive_count = config->keepalive_count,
		.nodelay = config->nodelay,
		.ttl = config->ttl,
		.cc = algorithms[config->congestion],
		.tos = config->tos,
	};
}

/* --- set --- */

static int set_linger(struct tcp_options *options, const void *value, uint32_t len)
{
	struct linger linger;

	if (len < sizeof(linger))
		return -EINVAL;
	memcpy(&linger, value, sizeof(linger));
	options->linger = linger.l_onoff != 0;
	options->linger_s = linger.l_linger > 0 ? (uint32_t)linger.l_linger : 0;
	return 0;
}

/* A name, with or without a zero at its end. */
static int set_congestion(struct tcp_options *options, const char *value, uint32_t len)
{
	char name[CONGESTION_NAME_LEN] = {0};

	if (len == 0)
		return -EINVAL;
	memcpy(name, value, len < sizeof(name) ? len : sizeof(name) - 1);
	for (unsigned i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (strcmp(name, algorithms[i]->name) != 0)
			continue;
		options->cc = algorithms[i];
		return 0;
	}
	return -ENOENT;
}

static uint32_t buf_len(int value)
{
	if (value < BUF_LEN_MIN)
		return BUF_LEN_MIN;
	return value > BUF_LEN_MAX ? BUF_LEN_MAX : (uint32_t)value;
}

static int set_socket(struct tcp_options *options, int name, int value)
{
	switch (name) {
	case SO_KEEPALIVE:
		options->keepalive = value != 0;
		return 0;
	case SO_REUSEADDR: /* TIME-WAIT is in no listener's way anyhow */
		options->reuse_addr = value != 0;
		return 0;
	case SO_RCVBUF:
		options->rcvbuf_len = buf_len(value);
		return 0;
	case SO_SNDBUF:
		options->sndbuf_len = buf_len(value);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_seconds(uint64_t *out_ns, int value)
{
	if (value < 1 || value > KEEPALIVE_S_MAX)
		return -EINVAL;
	*out_ns = (uint64_t)value * SECOND_NS;
	return 0;
}

static int set_tcp(struct tcp_options *options, int name, int value)
{
	switch (name) {
	case TCP_NODELAY:
		options->nodelay = value != 0;
		return 0;
	case TCP_KEEPIDLE:
		return set_seconds(&options->keepalive_idle_ns, value);
	case TCP_KEEPINTVL:
		return set_seconds(&options->keepalive_interval_ns, value);
	case TCP_KEEPCNT:
		if (value < 1 || value > KEEPALIVE_COUNT_MAX)
			return -EINVAL;
		options->keepalive_count = (uint32_t)value;
		return 0;
	case TCP_USER_TIMEOUT:
		if (value < 0)
			return -EINVAL;
		options->user_timeout_ns = (uint64_t)value * MILLISECOND_NS;
		return 0;
	case TCP_MAXSEG:
		if (value != 0 && (value < TCP_MSS_MIN || value > MSS_MAX))
			return -EINVAL;
		options->mss_max = (uint16_t)value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int set_ip(struct tcp_options *options, int name, int value)
{
	switch (name) {
	case IP_TOS: /* the ECN bits are TCP's */
		if (value < 0 || value > UINT8_MAX)
			return -EINVAL;
		options->tos = (uint8_t)(value & ~3);
		return 0;
	case IP_TTL:
		if (value < 1 || value > UINT8_MAX)
			return -EINVAL;
		options->ttl = (uint8_t)value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int tcp_options_set(struct tcp_options *options, int level, int name, const void *value,
		    uint32_t len)
{
	int number;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return set_linger(options, value, len);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return set_congestion(options, value, len);
	if (level != SOL_SOCKET && level != IPPROTO_TCP && level != IPPROTO_IP)
		return -ENOPROTOOPT;
	if (len < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	if (level == SOL_SOCKET)
		return set_socket(options, name, number);
	return level == IPPROTO_TCP ? set_tcp(options, name, number)
				    : set_ip(options, name, number);
}

int tcp_option_set(struct net *net, struct tcp_conn *conn, int level, int name, const void *value,
		   uint32_t len)
{
	struct tcp_options options = conn->options;
	int err = tcp_options_set(&options, level, name, value, len);

	if (err)
		return err;
	tcp_conn_options(net, conn, &options);
	if (conn->in_table && tcp_conn_synchronized(conn))
		tcp_turn_want(net, conn); /* NODELAY lets go of what Nagle held */
	return 0;
}

/* --- get --- */

static int copy_out(void *value, uint32_t *len, const void *from, uint32_t from_len)
{
	if (*len > from_len)
		*len = from_len;
	memcpy(value, from, *len);
	return 0;
}

static int get_number(const struct tcp_options *o, int level, int name, int *out)
{
	if (level == SOL_SOCKET && name == SO_KEEPALIVE)
		*out = o->keepalive;
	else if (level == SOL_SOCKET && name == SO_RCVBUF)
		*out = (int)o->rcvbuf_len;
	else if (level == SOL_SOCKET && name == SO_SNDBUF)
		*out = (int)o->sndbuf_len;
	else if (level == SOL_SOCKET && name == SO_REUSEADDR)
		*out = o->reuse_addr;
	else if (level == SOL_SOCKET && name == SO_ERROR)
		*out = 0;
	else if (level == SOL_SOCKET && name == SO_TYPE)
		*out = SOCK_STREAM;
	else if (level == SOL_SOCKET && name == SO_DOMAIN)
		*out = AF_INET;
	else if (level == SOL_SOCKET && name == SO_PROTOCOL)
		*out = IPPROTO_TCP;
	else if (level == IPPROTO_TCP && name == TCP_MAXSEG)
		*out = o->mss_max ? o->mss_max : TCP_MSS_DEFAULT;
	else if (level == IPPROTO_TCP && name == TCP_NODELAY)
		*out = o->nodelay;
	else if (level == IPPROTO_TCP && name == TCP_KEEPIDLE)
		*out = (int)(o->keepalive_idle_ns / SECOND_NS);
	else if (level == IPPROTO_TCP && name == TCP_KEEPINTVL)
		*out = (int)(o->keepalive_interval_ns / SECOND_NS);
	else if (level == IPPROTO_TCP && name == TCP_KEEPCNT)
		*out = (int)o->keepalive_count;
	else if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT)
		*out = (int)(o->user_timeout_ns / MILLISECOND_NS);
	else if (level == IPPROTO_IP && name == IP_TOS)
		*out = o->tos;
	else if (level == IPPROTO_IP && name == IP_TTL)
		*out = o->ttl;
	else
		return -ENOPROTOOPT;
	return 0;
}

/* The name, padded with zeros, cut to the room there is. */
static int get_congestion(const struct tcp_options *options, void *value, uint32_t *len)
{
	char name[CONGESTION_NAME_LEN] = {0};

	strncpy(name, options->cc->name, sizeof(name) - 1);
	return copy_out(value, len, name, sizeof(name));
}

int tcp_options_get(const struct tcp_options *options, int level, int name, void *value,
		    uint32_t *len)
{
	struct linger linger = {.l_onoff = options->linger, .l_linger = (int)options->linger_s};
	int number, err;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return copy_out(value, len, &linger, sizeof(linger));
	if (level == IPPROTO_TCP && name == TCP_CONGESTION)
		return get_congestion(options, value, len);
	err = get_number(options, level, name, &number);
	return err ? err : copy_out(value, len, &number, sizeof(number));
}

int tcp_option_get(struct net *net, struct tcp_conn *conn, int level, int name, void *value,
		   uint32_t *len)
{
	struct tcp_info info;
	int error, number;

	if (level == SOL_SOCKET && name == SO_ERROR) {
		error = conn->error && !conn->error_told ? conn->error : conn->soft_error;
		conn->error_told = conn->error != 0;
		conn->soft_error = 0;
		return copy_out(value, len, &error, sizeof(error));
	}
	if (level == IPPROTO_TCP && name == TCP_INFO) {
		tcp_info_fill(net, conn, &info);
		return copy_out(value, len, &info, sizeof(info));
	}
	if (level == IPPROTO_TCP && name == TCP_MAXSEG && tcp_conn_synchronized(conn)) {
		number = conn->snd_mss;
		return copy_out(value, len, &number, sizeof(number));
	}
	return tcp_options_get(&conn->options, level, name, value, len);
}
