#include "net/tcp_pmtu.h"

#include "net/tcp_opt.h"
#include "net/tcp_turn.h"

#include <rte_common.h>

void tcp_pmtu_lower(struct net *net, struct tcp_conn *conn, uint16_t mtu)
{
	uint32_t headers_len =
		IP4_HEADER_LEN + TCP_HEADER_LEN + (conn->timestamps ? TCP_OPT_TIMESTAMPS_LEN : 0);
	uint16_t mtu_now = (uint16_t)(conn->snd_mss + headers_len);

	if (!net->tcp.config.pmtu_discovery || !tcp_conn_synchronized(conn))
		return;
	mtu = path_lower(&net->paths, conn->flow.remote, mtu_now, mtu, net->now_ns);
	if (mtu == mtu_now)
		return;
	conn->snd_mss = (uint16_t)(mtu - headers_len);
	conn->cc.mss = conn->snd_mss;
	if (conn->sack) {
		tcp_rack_too_large(net, conn);
	} else {
		conn->rtx_nxt = conn->snd_una;
		conn->rtx_end = conn->snd_nxt;
	}
	counter_add(&net->counters->tcp_pmtu_lowered, 1);
	tcp_turn_want(net, conn);
}
