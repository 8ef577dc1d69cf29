#include "net/tcp_pmtu.h"

#include "net/tcp_opt.h"

#include <rte_common.h>

/* RFC 1191 7.1: the MTUs that there are, for routers that do not tell theirs. */
static uint16_t plateau_below(uint32_t mtu)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

	for (unsigned i = 0; i < RTE_DIM(plateaus); i++)
		if (plateaus[i] < mtu)
			return plateaus[i];
	return TCP_PMTU_MIN;
}

void tcp_pmtu_lower(struct net *net, struct tcp_conn *conn, uint16_t mtu)
{
	uint32_t headers_len =
		IP4_HEADER_LEN + TCP_HEADER_LEN + (conn->timestamps ? TCP_OPT_TIMESTAMPS_LEN : 0);
	uint32_t mtu_now = conn->snd_mss + headers_len;

	if (!net->tcp.config.pmtu_discovery || !tcp_conn_synchronized(conn))
		return;
	mtu = RTE_MAX(mtu ? mtu : plateau_below(mtu_now), TCP_PMTU_MIN);
	if (mtu >= mtu_now)
		return;
	conn->snd_mss = (uint16_t)(mtu - headers_len);
	conn->cc.mss = conn->snd_mss;
	conn->rtx_nxt = conn->snd_una;
	conn->rtx_end = conn->snd_nxt;
	counter_add(&net->counters->tcp_pmtu_lowered, 1);
	tcp_conn_want_output(net, conn);
}
