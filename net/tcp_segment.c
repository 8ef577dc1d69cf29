#include "net/tcp_segment.h"

#include "net/ip4.h"
#include "net/tcp_ecn.h"
#include "net/tcp_opt.h"
#include "net/tcp_sack.h"
#include "net/tcp_timer.h"
#include "net/tcp_window.h"

#include <rte_common.h>

/* Beside data a SACK option gets what the segment leaves: a full one carries none. What came out of
 * order is acknowledged by segments of its own, which have all the room. */
static uint32_t sack_room(const struct tcp_conn *conn, uint32_t payload_len, uint32_t options_len)
{
	uint32_t left = TCP_OPT_LEN_MAX - options_len;

	return payload_len == 0 ? left : RTE_MIN(left, conn->snd_mss - payload_len);
}

static uint32_t write_syn_options(const struct tcp_segment *seg, uint8_t bytes[TCP_OPT_LEN_MAX])
{
	const struct tcp_conn *conn = seg->conn;
	struct tcp_opts opts = {
		.present = TCP_OPT_MSS,
		.mss = tcp_conn_mss_offered(conn),
		.wscale = conn->rcv_wscale,
		.ts_val = tcp_conn_ts_now(seg->net, conn),
		.ts_ecr = conn->ts_recent,
	};

	if (conn->wscale)
		opts.present |= TCP_OPT_WSCALE;
	if (conn->timestamps)
		opts.present |= TCP_OPT_TIMESTAMPS;
	if (conn->sack)
		opts.present |= TCP_OPT_SACK_PERMITTED;
	return tcp_opt_write_syn(bytes, &opts);
}

/* All but the timestamps of a segment without SYN, which are nearly always all that there is: they
 * are timestamps_len bytes, and written where they belong. */
static uint32_t write_rare_options(const struct tcp_segment *seg, uint32_t timestamps_len,
				   uint8_t bytes[TCP_OPT_LEN_MAX])
{
	struct tcp_conn *conn = seg->conn;

	if (seg->flags & RTE_TCP_SYN_FLAG)
		return write_syn_options(seg, bytes);
	if (tcp_sack_due(conn))
		return tcp_sack_write(conn, bytes, sack_room(conn, seg->len, timestamps_len));
	return 0;
}

static void put_options(const struct tcp_segment *seg, uint8_t *to, bool timestamps,
			const uint8_t *rare, uint32_t rare_len)
{
	if (timestamps)
		to += tcp_opt_write_timestamps(to, tcp_conn_ts_now(seg->net, seg->conn),
					       seg->conn->ts_recent);
	if (rare_len > 0)
		memcpy(to, rare, rare_len);
}

static struct rte_mbuf *payload_or_null(const struct tcp_segment *seg, uint16_t header_len)
{
	const struct net_iface *iface = net_iface_get(seg->net->tables, seg->conn->dst.iface);

	if (seg->len == 0)
		return mem_small_or_null(seg->net->mem);
	return tcp_txq_segment_or_null(&seg->conn->txq, &seg->net->tcp.pushes, seg->seq, seg->len,
				       header_len, iface->tx_multi_segs);
}

/* The frame, or NULL without a buffer; then nothing changed. */
static struct rte_mbuf *build_or_null(const struct tcp_segment *seg)
{
	struct tcp_conn *conn = seg->conn;
	/* Only text sets it, so never on a SYN. */
	const uint8_t echo = conn->ecn_echo ? RTE_TCP_ECE_FLAG : 0;
	const bool timestamps = conn->timestamps && !(seg->flags & RTE_TCP_SYN_FLAG);
	const uint32_t timestamps_len = timestamps ? TCP_OPT_TIMESTAMPS_LEN : 0;
	/* Room for all SACK blocks: gcc cannot see that beside timestamps there is one less. */
	uint8_t rare[TCP_OPT_TIMESTAMPS_LEN + TCP_OPT_LEN_MAX];
	const uint32_t rare_len = write_rare_options(seg, timestamps_len, rare);
	const uint32_t header_len = TCP_HEADER_LEN + timestamps_len + rare_len;
	struct rte_mbuf *m = payload_or_null(seg, (uint16_t)(IP4_ENCAP_LEN + header_len));
	struct rte_tcp_hdr *tcp;

	if (!m) {
		counter_add(&seg->net->counters->drop[DROP_mem_none], 1);
		return NULL;
	}
	if (rare_len > 0)
		tcp_sack_told(conn);
	tcp = (struct rte_tcp_hdr *)rte_pktmbuf_prepend(m, (uint16_t)header_len);
	CHECK(tcp);
	*tcp = (struct rte_tcp_hdr){
		.src_port = conn->flow.local_port,
		.dst_port = conn->flow.remote_port,
		.sent_seq = rte_cpu_to_be_32(seg->seq),
		.recv_ack = seg->flags & RTE_TCP_ACK_FLAG ? rte_cpu_to_be_32(conn->rxq.rcv_nxt) : 0,
		.data_off = (uint8_t)(header_len / 4 << 4),
		.tcp_flags = seg->flags | echo,
		.rx_win = rte_cpu_to_be_16(
			tcp_window_offer(seg->net, conn, seg->flags & RTE_TCP_SYN_FLAG)),
	};
	put_options(seg, (uint8_t *)(tcp + 1), timestamps, rare, rare_len);
	ip4_encap(seg->net, &conn->dst, conn->flow.remote, m, IPPROTO_TCP, conn->options.ttl,
		  (uint8_t)((conn->options.tos & ~TCP_ECN_MASK) | seg->ecn));
	return m;
}

/* An ACK went out, on whatever segment. */
static void acknowledged(struct tcp_conn *conn)
{
	conn->ack_sent = conn->rxq.rcv_nxt;
	conn->ack_due = false;
	conn->ack_pending = false;
	tcp_timer_stop(conn, TCP_TIMER_ACK);
}

/* Before snd_nxt moves on: what lies before it goes again. */
static void count_sent(const struct tcp_segment *seg)
{
	struct tcp_figures *figures = &seg->conn->figures;
	bool again = seq_lt(seg->seq, seg->conn->snd_nxt);

	figures->segs_out++;
	if (again && (seg->len > 0 || (seg->flags & (RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG))))
		figures->retrans++;
	if (seg->len == 0)
		return;
	figures->data_segs_out++;
	figures->bytes_sent += seg->len;
	if (again)
		figures->bytes_retrans += seg->len;
}

struct rte_mbuf *tcp_segment_send_or_null(const struct tcp_segment *seg)
{
	struct rte_mbuf *m = build_or_null(seg);

	if (!m)
		return NULL;
	counter_add(&seg->net->counters->tcp_tx_segments, 1);
	count_sent(seg);
	if (seg->flags & RTE_TCP_ACK_FLAG)
		acknowledged(seg->conn);
	return m;
}
