#include "net/tcp_sack.h"

#include "net/tcp_opt.h"

#include <rte_common.h>

void tcp_sack_duplicate(struct tcp_conn *conn, uint32_t seq, uint32_t len)
{
	if (conn->sack && len > 0 && seq_lt(seq, conn->rxq.rcv_nxt))
		conn->dsack = (struct tcp_range){seq, seq_min(seq + len, conn->rxq.rcv_nxt)};
}

void tcp_sack_duplicate_beyond_gap(struct tcp_conn *conn, uint32_t seq, uint32_t len)
{
	if (conn->sack)
		conn->dsack = (struct tcp_range){seq, seq + len};
}

uint32_t tcp_sack_write(const struct tcp_conn *conn, uint8_t *bytes, uint32_t room)
{
	unsigned max = room < tcp_opt_sack_len(1) ? 0 : (room - 4) / 8, count = 0;
	struct tcp_range ranges[TCP_OPT_SACK_MAX];

	max = RTE_MIN(max, (unsigned)TCP_OPT_SACK_MAX);
	if (max == 0)
		return 0;
	if (conn->dsack.start != conn->dsack.end)
		ranges[count++] = conn->dsack;
	count += tcp_rxq_ranges(&conn->rxq, ranges + count, max - count);
	return tcp_opt_write_sack(bytes, ranges, count);
}
