#include "net/tcp_challenge.h"

#include "net/tcp_conn.h"

static uint32_t draw(struct net *net, uint32_t per_second)
{
	uint32_t random = (uint32_t)net_random(net);

	return per_second - per_second / 2 + (uint32_t)((uint64_t)random * per_second >> 32);
}

bool tcp_challenge_take(struct net *net)
{
	struct tcp_challenge *challenge = &net->tcp.challenge;
	uint32_t per_second = net->tcp.config.challenge_acks_per_second;
	uint64_t second = net->now_ns / TCP_CHALLENGE_SECOND_NS;

	if (per_second > 0) {
		if (challenge->second != second) {
			challenge->second = second;
			challenge->left = draw(net, per_second);
		}
		if (challenge->left == 0) {
			counter_add(&net->counters->tcp_challenges_limited, 1);
			return false;
		}
		challenge->left--;
	}
	counter_add(&net->counters->tcp_challenges, 1);
	return true;
}

static bool is_too_soon(struct net *net, uint64_t last_ns)
{
	if (last_ns == 0 || net->now_ns - last_ns >= TCP_CHALLENGE_NS)
		return false;
	counter_add(&net->counters->tcp_challenges_limited, 1);
	return true;
}

bool tcp_challenge_due(struct net *net, uint64_t *last_ns)
{
	if (is_too_soon(net, *last_ns) || !tcp_challenge_take(net))
		return false;
	*last_ns = net->now_ns;
	return true;
}

bool tcp_challenge_empty_due(struct net *net, struct tcp_conn *conn)
{
	if (is_too_soon(net, conn->challenge_ns))
		return false;
	conn->challenge_ns = net->now_ns;
	counter_add(&net->counters->tcp_challenges, 1);
	return true;
}

/* Of the connection alone: honest peers that lost ACKs, all at once, are told all the same. */
bool tcp_challenge_text_due(struct net *net, struct tcp_conn *conn)
{
	if (net->now_ns - conn->text_challenge_ns >= TCP_CHALLENGE_NS) {
		conn->text_challenge_ns = net->now_ns;
		conn->text_challenges = 0;
	}
	if (conn->text_challenges == TCP_TEXT_CHALLENGES_MAX) {
		counter_add(&net->counters->tcp_challenges_limited, 1);
		return false;
	}
	conn->text_challenges++;
	return true;
}
