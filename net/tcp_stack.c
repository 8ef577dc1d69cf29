#include "net/tcp_stack.h"

#include "mem/slab.h"
#include "net/flow_table.h"
#include "net/tcp_conn.h"
#include "net/tcp_listen.h"
#include "net/tcp_pmtu.h"
#include "net/tcp_timewait.h"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

/* --- begin and end --- */

static bool sane(const struct tcp_config *config)
{
	return config->conn_max > 0 && config->listener_max > 0 && config->push_max > 0 &&
	       config->port_low > 0 && config->port_low <= config->port_high && config->ttl > 0 &&
	       config->rto_ns_min > 0 && config->rto_ns_min <= config->rto_ns_max;
}

static void init_lists(struct tcp_stack *stack)
{
	for (unsigned i = 0; i < TCP_LISTENER_BUCKETS; i++)
		LIST_INIT(&stack->listening[i]);
	for (unsigned i = 0; i < NET_IFACE_MAX; i++)
		TAILQ_INIT(&stack->output[i]);
	TAILQ_INIT(&stack->unresolved);
	TAILQ_INIT(&stack->push_waiting);
	TAILQ_INIT(&stack->timewait);
	TAILQ_INIT(&stack->all);
}

static int create_tables(struct net *net)
{
	const struct tcp_config *config = &net->tcp.config;
	const uint64_t seed[2] = {net_random(net), net_random(net)};
	struct tcp_stack *stack = &net->tcp;
	/* An even alignment leaves the lowest bit to mark TIME-WAIT entries. */
	const size_t align = RTE_CACHE_LINE_SIZE;
	char name[FLOW_TABLE_NAME_MAX + 1];

	snprintf(name, sizeof(name), "flows%x.%u", net->config.instance, net->shard);
	stack->flows = flow_table_create(name, config->conn_max + config->timewait_max,
					 SOCKET_ID_ANY, seed);
	stack->conns = slab_create("tcp_conn", sizeof(struct tcp_conn), align, config->conn_max);
	stack->listeners = slab_create("tcp_listener", sizeof(struct tcp_listener), align,
				       config->listener_max);
	stack->timewaits = slab_create("tcp_timewait", sizeof(struct tcp_timewait), align,
				       config->timewait_max ? config->timewait_max : 1);
	stack->pushes.pushes =
		slab_create("tcp_push", tcp_txq_push_size(), sizeof(void *), config->push_max);
	stack->sent_nodes = slab_create("tcp_sent", sizeof(struct tcp_sent_range), sizeof(void *),
					TCP_SENT_NODES_PER_CONN * config->conn_max);
	if (!stack->sent_nodes || !stack->flows || !stack->conns || !stack->listeners ||
	    !stack->timewaits || !stack->pushes.pushes)
		return -ENOMEM;
	return 0;
}

int tcp_stack_init(struct net *net, const struct tcp_config *config, uint64_t now_ns)
{
	struct tcp_stack *stack = &net->tcp;
	int err;

	if (!sane(config))
		return -EINVAL;
	*stack = (struct tcp_stack){
		.config = *config,
		.rtt_limits = {.rto_ns_min = config->rto_ns_min,
			       .rto_ns_max = config->rto_ns_max,
			       .rto_ns_initial = config->rto_ns_initial},
		.delack_ns = config->delack_ns - RTE_MIN(config->delack_ns, WHEEL_TICK_NS),
		.pushes = {.mem = net->mem},
		.reassembly = {.len_max = config->reassembly_len},
	};
	init_lists(stack);
	wheel_init(&stack->wheel, now_ns);
	tcp_isn_init(&stack->isn, net_random(net), net_random(net));
	err = create_tables(net);
	if (err)
		tcp_stack_fini(net);
	return err;
}

void tcp_stack_fini(struct net *net)
{
	struct tcp_stack *stack = &net->tcp;

	while (!TAILQ_EMPTY(&stack->all))
		tcp_conn_destroy(net, TAILQ_FIRST(&stack->all));
	for (unsigned i = 0; i < TCP_LISTENER_BUCKETS; i++)
		while (!LIST_EMPTY(&stack->listening[i]))
			tcp_unlisten(net, LIST_FIRST(&stack->listening[i]));
	tcp_timewait_fini(net);
	flow_table_destroy(stack->flows);
	slab_destroy(stack->conns);
	slab_destroy(stack->listeners);
	slab_destroy(stack->timewaits);
	slab_destroy(stack->pushes.pushes);
	slab_destroy(stack->sent_nodes);
}

/* --- what the shard asks --- */

bool net_done_take(struct net *net, uint64_t *cookie, int *error)
{
	return tcp_txq_done_take(&net->tcp.pushes, cookie, error);
}

static bool is_idle(const struct tcp_conn *conn)
{
	if (!conn->in_table)
		return true;
	return conn->output_list == TCP_OUTPUT_NONE && !conn->ack_pending &&
	       (!tcp_conn_synchronized(conn) || !tcp_conn_owes(conn));
}

bool tcp_idle(const struct net *net)
{
	const struct tcp_conn *conn;

	TAILQ_FOREACH (conn, &net->tcp.all, all_link)
		if (!is_idle(conn))
			return false;
	return true;
}

void tcp_use_mt(const struct net *net, struct tcp_use *use)
{
	const struct tcp_stack *stack = &net->tcp;

	*use = (struct tcp_use){
		.conns = slab_used(stack->conns),
		.syn_received = __atomic_load_n(&stack->syn_received, __ATOMIC_RELAXED),
		.timewait = slab_used(stack->timewaits),
		.listeners = slab_used(stack->listeners),
		.pushes = slab_used(stack->pushes.pushes),
		.reassembly_len = __atomic_load_n(&stack->reassembly.len, __ATOMIC_RELAXED),
	};
}

/* --- ICMP (MUST-54) --- */

/*
 * RFC 5927: what quotes a sequence number that is not in flight was not caused by us. Of the rest
 * only "nobody speaks TCP there, or listens on the port" ends an attempt to open; a synchronized
 * connection is ended by none (MUST-56 and beyond): it is what a timeout reports.
 */
void tcp_icmp_error(struct net *net, const struct net_flow *flow, uint32_t seq, uint8_t type,
		    uint8_t code, uint16_t mtu)
{
	void *value = flow_table_find_or_null(net->tcp.flows, flow);
	struct tcp_conn *conn = value;

	if (!value)
		return; /* not here: another shard's perhaps */
	if (tcp_flow_is_timewait(value) || !seq_geq(seq, conn->snd_una) ||
	    !seq_lt(seq, conn->snd_nxt)) {
		counter_add(&net->counters->tcp_icmp_unbelieved, 1);
		return;
	}
	if (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETERPROB)
		return;
	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		tcp_pmtu_lower(net, conn, mtu);
		return;
	}
	if (conn->state == TCP_SYN_SENT && type == ICMP_DEST_UNREACH &&
	    (code == ICMP_PROT_UNREACH || code == ICMP_PORT_UNREACH)) {
		counter_add(&net->counters->conn_refused, 1);
		tcp_conn_die(net, conn, ECONNREFUSED);
		return;
	}
	conn->soft_error = EHOSTUNREACH;
}
