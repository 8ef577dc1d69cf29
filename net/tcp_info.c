#include "net/tcp_info.h"

#include "net/tcp_conn.h"

#include <linux/tcp.h>

#define MILLISECOND_NS 1000000ull

enum { SSTHRESH_NONE = 0x7fffffff }; /* the kernel's TCP_INFINITE_SSTHRESH */

/* The kernel's names of the states, include/net/tcp_states.h. */
static const uint8_t state_number[] = {
	[TCP_CLOSED] = 7,      [TCP_LISTEN] = 10,    [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
	[TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,
	[TCP_CLOSING] = 11,    [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
};

static uint8_t ca_state(const struct tcp_conn *conn)
{
	switch ((enum tcp_recovery)conn->recovery) {
	case TCP_RECOVERY_FAST:
		return TCP_CA_Recovery;
	case TCP_RECOVERY_LOSS:
		return TCP_CA_Loss;
	case TCP_RECOVERY_NONE:
		break;
	}
	return conn->dup_acks > 0 ? TCP_CA_Disorder : TCP_CA_Open;
}

static uint32_t us(uint64_t ns)
{
	return (uint32_t)(ns / 1000);
}

/* Milliseconds since it last happened, or, if it never did, since the connection was made. */
static uint32_t ms_since(const struct net *net, const struct tcp_conn *conn, uint64_t at_ns)
{
	return (uint32_t)((net->now_ns - (at_ns ? at_ns : conn->figures.opened_ns)) /
			  MILLISECOND_NS);
}

static void fill_numbers(const struct tcp_conn *conn, struct tcp_info *info)
{
	const struct tcp_figures *f = &conn->figures;

	info->tcpi_total_retrans = f->retrans;
	info->tcpi_bytes_acked = f->bytes_acked;
	info->tcpi_bytes_received = f->bytes_received;
	info->tcpi_bytes_sent = f->bytes_sent;
	info->tcpi_bytes_retrans = f->bytes_retrans;
	info->tcpi_segs_in = f->segs_in;
	info->tcpi_segs_out = f->segs_out;
	info->tcpi_data_segs_in = f->data_segs_in;
	info->tcpi_data_segs_out = f->data_segs_out;
	info->tcpi_rcv_ooopack = f->reordered;
	info->tcpi_dsack_dups = f->dsacks;
	info->tcpi_reord_seen = f->reorderings;
	info->tcpi_pacing_rate = info->tcpi_max_pacing_rate = UINT64_MAX; /* not paced */
}

static void fill_sending(const struct net *net, const struct tcp_conn *conn, struct tcp_info *info)
{
	const uint32_t mss = conn->snd_mss;

	info->tcpi_ca_state = ca_state(conn);
	info->tcpi_retransmits = conn->rtt.backoff_count;
	info->tcpi_probes = conn->probe_count;
	info->tcpi_backoff = conn->rtt.backoff_count;
	info->tcpi_rto = us(conn->rtt.rto_ns);
	info->tcpi_rtt = us(conn->rtt.srtt_ns);
	info->tcpi_rttvar = us(conn->rtt.rttvar_ns);
	info->tcpi_min_rtt = us(conn->rtt.min_ns);
	info->tcpi_snd_mss = mss;
	info->tcpi_pmtu = path_mtu(&net->paths, conn->flow.remote, conn->dst.mtu, net->now_ns);
	info->tcpi_unacked = (tcp_conn_flight(conn) + mss - 1) / mss;
	info->tcpi_sacked = (conn->rack.sent.sacked_len + mss - 1) / mss;
	info->tcpi_lost = (conn->rack.sent.lost_len + mss - 1) / mss;
	/* Bytes are counted, not segments: as if all had been full. */
	info->tcpi_delivered =
		(uint32_t)((conn->figures.bytes_acked + conn->rack.sent.sacked_len + mss - 1) /
			   mss);
	info->tcpi_snd_cwnd = conn->cc.cwnd / mss;
	info->tcpi_snd_ssthresh = conn->cc.ssthresh == 0 || conn->cc.ssthresh >= TCP_CC_CWND_MAX
					  ? (uint32_t)SSTHRESH_NONE
					  : conn->cc.ssthresh / mss;
	info->tcpi_reordering = TCP_DUP_ACK_THRESHOLD;
	info->tcpi_snd_wnd = conn->snd_wnd;
	info->tcpi_notsent_bytes = conn->txq.end - seq_min(conn->snd_nxt, conn->txq.end);
}

static void fill_receiving(const struct net *net, const struct tcp_conn *conn,
			   struct tcp_info *info)
{
	info->tcpi_ato = us(net->tcp.config.delack_ns);
	info->tcpi_rcv_mss = conn->rcv_mss;
	info->tcpi_advmss = tcp_conn_mss_offered(conn);
	info->tcpi_rcv_space = info->tcpi_rcv_ssthresh = tcp_rxq_window(&conn->rxq);
}

void tcp_info_fill(const struct net *net, const struct tcp_conn *conn, struct tcp_info *info)
{
	*info = (struct tcp_info){
		.tcpi_state = state_number[conn->state],
		.tcpi_options = (conn->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
				(conn->sack ? TCPI_OPT_SACK : 0) |
				(conn->wscale ? TCPI_OPT_WSCALE : 0) |
				(conn->ecn ? TCPI_OPT_ECN : 0),
		.tcpi_snd_wscale = conn->snd_wscale & 15,
		.tcpi_rcv_wscale = conn->rcv_wscale & 15,
		.tcpi_last_data_sent = ms_since(net, conn, conn->tx_data_ns),
		.tcpi_last_data_recv = ms_since(net, conn, conn->rx_data_ns),
		.tcpi_last_ack_recv = ms_since(net, conn, conn->rx_ns),
	};
	fill_sending(net, conn, info);
	fill_receiving(net, conn, info);
	fill_numbers(conn, info);
}
