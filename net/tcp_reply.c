#include "net/tcp_reply.h"

#include "net/ip4.h"
#include "net/tcp_opt.h"
#include "net/tcp_window.h"

#include <rte_common.h>

static uint32_t write_options(const struct tcp_reply *reply, uint8_t options[TCP_OPT_LEN_MAX])
{
	if (reply->syn)
		return tcp_opt_write_syn(options, reply->syn);
	return reply->timestamps ? tcp_opt_write_timestamps(options, reply->ts_val, reply->ts_ecr)
				 : 0;
}

void tcp_reply_send(struct net *net, const struct net_dst *dst, const struct net_flow *flow,
		    const struct tcp_reply *reply)
{
	uint8_t options[TCP_OPT_LEN_MAX];
	uint32_t options_len = write_options(reply, options);
	uint32_t header_len = TCP_HEADER_LEN + options_len;
	struct rte_mbuf *m = mem_small_or_null(net->mem);
	struct rte_tcp_hdr *tcp;

	if (!m) {
		counter_add(&net->counters->drop[DROP_mem_none], 1);
		return;
	}
	tcp = (struct rte_tcp_hdr *)rte_pktmbuf_prepend(m, (uint16_t)header_len);
	CHECK(tcp);
	*tcp = (struct rte_tcp_hdr){
		.src_port = flow->local_port,
		.dst_port = flow->remote_port,
		.sent_seq = rte_cpu_to_be_32(reply->seq),
		.recv_ack = rte_cpu_to_be_32(reply->ack),
		.data_off = (uint8_t)(header_len / 4 << 4),
		.tcp_flags = reply->flags,
		.rx_win = rte_cpu_to_be_16(reply->wnd),
	};
	memcpy(tcp + 1, options, options_len);
	ip4_encap(net, dst, flow->remote, m, IPPROTO_TCP, reply->ttl, reply->tos);
	if (reply->flags & RTE_TCP_RST_FLAG)
		counter_add(&net->counters->tcp_rsts_sent, 1);
	counter_add(&net->counters->tcp_tx_segments, 1);
	net_reply_queue(net, dst->iface, m);
}

void tcp_reply_rst(struct net *net, struct rte_mbuf *m)
{
	const struct net_pkt *pkt = net_pkt_of(m);
	struct tcp_reply rst = {.ttl = net->tcp.config.ttl, .tos = net->tcp.config.tos};
	struct net_dst dst;

	if (pkt->tcp_flags & RTE_TCP_RST_FLAG)
		return;
	if (pkt->tcp_flags & RTE_TCP_ACK_FLAG) {
		rst.seq = pkt->ack;
		rst.flags = RTE_TCP_RST_FLAG;
	} else {
		rst.ack = pkt->seq + net_pkt_seg_len(pkt);
		rst.flags = RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG;
	}
	net_dst_reply(net, &dst, m);
	tcp_reply_send(net, &dst, &pkt->flow, &rst);
}

void tcp_reply_conn(struct net *net, struct tcp_conn *conn, uint8_t flags)
{
	uint32_t wnd_end = conn->snd_una + conn->snd_wnd;
	/* A peer that shrank its window still finds this inside. Our SYN lies in none. */
	bool shrunk = tcp_conn_synchronized(conn) && seq_gt(conn->snd_nxt, wnd_end);
	struct tcp_reply reply = {
		.seq = shrunk ? seq_max(conn->snd_una, wnd_end) : conn->snd_nxt,
		.ack = conn->rxq.rcv_nxt,
		.flags = flags,
		.timestamps = conn->timestamps,
		.ts_val = tcp_conn_ts_now(net, conn),
		.ts_ecr = conn->ts_recent,
		.ttl = conn->options.ttl,
		.tos = conn->options.tos,
		.wnd = tcp_window_told(conn),
	};

	conn->figures.segs_out++;
	if (net_dst_resolve(net, &conn->dst) == 0)
		tcp_reply_send(net, &conn->dst, &conn->flow, &reply);
}
