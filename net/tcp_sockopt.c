/* Options of connections and listeners, as POSIX and Linux name them. */
#include "net/tcp_conn.h"
#include "net/tcp_timer.h"

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
};

#define SECOND_NS      1000000000ull
#define MILLISECOND_NS 1000000ull

void tcp_options_default(const struct net *net, struct tcp_options *options)
{
	const struct tcp_config *config = &net->tcp.config;

	*options = (struct tcp_options){
		.rcvbuf_len = config->rcvbuf_len,
		.sndbuf_len = config->sndbuf_len,
		.user_timeout_ns = config->user_timeout_ns,
		.keepalive_idle_ns = config->keepalive_idle_ns,
		.keepalive_interval_ns = config->keepalive_interval_ns,
		.keepalive_count = config->keepalive_count,
		.nodelay = config->nodelay,
		.ttl = config->ttl,
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
		tcp_conn_want_output(net, conn); /* NODELAY lets go of what Nagle held */
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
	else if (level == SOL_SOCKET && name == SO_ERROR)
		*out = 0;
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

int tcp_options_get(const struct tcp_options *options, int level, int name, void *value,
		    uint32_t *len)
{
	struct linger linger = {.l_onoff = options->linger, .l_linger = (int)options->linger_s};
	int number, err;

	if (level == SOL_SOCKET && name == SO_LINGER)
		return copy_out(value, len, &linger, sizeof(linger));
	err = get_number(options, level, name, &number);
	return err ? err : copy_out(value, len, &number, sizeof(number));
}

/* The kernel's names of the states, include/net/tcp_states.h. */
static const uint8_t info_state[] = {
	[TCP_CLOSED] = 7,      [TCP_LISTEN] = 10,    [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
	[TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,
	[TCP_CLOSING] = 11,    [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
};

static void fill_info(const struct net *net, const struct tcp_conn *conn, struct tcp_info *info)
{
	const uint32_t mss = conn->snd_mss;

	*info = (struct tcp_info){
		.tcpi_state = info_state[conn->state],
		.tcpi_probes = conn->probe_count,
		.tcpi_backoff = conn->rtt.backoff_count,
		.tcpi_options = (conn->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
				(conn->wscale ? TCPI_OPT_WSCALE : 0),
		.tcpi_snd_wscale = conn->snd_wscale & 15,
		.tcpi_rcv_wscale = conn->rcv_wscale & 15,
		.tcpi_rto = (uint32_t)(conn->rtt.rto_ns / 1000),
		.tcpi_ato = (uint32_t)(net->tcp.config.delack_ns / 1000),
		.tcpi_snd_mss = mss,
		.tcpi_rcv_mss = conn->rcv_mss,
		.tcpi_unacked = (tcp_conn_flight(conn) + mss - 1) / mss,
		.tcpi_last_data_sent =
			(uint32_t)((net->now_ns - conn->tx_data_ns) / MILLISECOND_NS),
		.tcpi_last_data_recv =
			(uint32_t)((net->now_ns - conn->rx_data_ns) / MILLISECOND_NS),
		.tcpi_last_ack_recv = (uint32_t)((net->now_ns - conn->rx_ns) / MILLISECOND_NS),
		.tcpi_pmtu = conn->dst.mtu,
		.tcpi_rtt = (uint32_t)(conn->rtt.srtt_ns / 1000),
		.tcpi_rttvar = (uint32_t)(conn->rtt.rttvar_ns / 1000),
		.tcpi_snd_ssthresh = conn->cc.ssthresh / mss,
		.tcpi_snd_cwnd = conn->cc.cwnd / mss,
		.tcpi_advmss = conn->dst.mtu - IP4_HEADER_LEN - TCP_HEADER_LEN,
		.tcpi_rcv_space = tcp_rxq_window(&conn->rxq),
		.tcpi_notsent_bytes = conn->txq.end - seq_min(conn->snd_nxt, conn->txq.end),
	};
}

int tcp_option_get(struct net *net, struct tcp_conn *conn, int level, int name, void *value,
		   uint32_t *len)
{
	struct tcp_info info;
	int error;

	if (level == SOL_SOCKET && name == SO_ERROR) {
		error = conn->error ? conn->error : conn->soft_error;
		conn->soft_error = 0;
		return copy_out(value, len, &error, sizeof(error));
	}
	if (level == IPPROTO_TCP && name == TCP_INFO) {
		fill_info(net, conn, &info);
		return copy_out(value, len, &info, sizeof(info));
	}
	return tcp_options_get(&conn->options, level, name, value, len);
}
