#include "tests/shard/solo.h"

#include "shard/clock.h"
#include "shard/loop.h"
#include "tests/shard/cm.h"
#include "tests/shard/crew.h"
#include "tests/shard/fake_nic.h"

#include <errno.h>
#include <string.h>

static struct runtime *runtime;
struct shard *solo;

int solo_begin_with(const struct runtime_config *config)
{
	char why[RUNTIME_WHY_LEN] = "";

	fake_nic_reset();
	if (runtime_start(config, &runtime, why)) {
		print_error("%s\n", why);
		return -1;
	}
	return runtime_enter(runtime, 0, false, &solo);
}

int solo_begin(void **state)
{
	struct runtime_config config;

	(void)state;
	crew_config(&config, 1);
	return solo_begin_with(&config);
}

int solo_end(void **state)
{
	(void)state;
	runtime_leave(solo, 0);
	assert_int_equal(runtime_end(runtime), 0);
	assert_int_equal(fake_conns(), 0);
	assert_int_equal(fake_listeners(), 0);
	return 0;
}

void solo_turn(void)
{
	shard_turn(solo, clock_now_ns_mt());
}

struct rte_mbuf *solo_sga(const char *text)
{
	struct rte_mbuf *m = mem_handle_alloc_or_null(shard_mem(solo), (uint32_t)strlen(text));

	assert_non_null(m);
	memcpy(rte_pktmbuf_mtod(m, char *), text, strlen(text));
	return m;
}

void solo_free(struct rte_mbuf *handle)
{
	assert_int_equal(mem_handle_free(shard_mem(solo), handle), 0);
}

struct net_endpoint solo_endpoint(uint32_t addr, uint16_t port)
{
	return (struct net_endpoint){.addr = {rte_cpu_to_be_32(addr)},
				     .port = rte_cpu_to_be_16(port)};
}

int32_t solo_connected(struct tcp_conn **conn)
{
	struct net_endpoint remote = solo_endpoint(0x0a000002, 80);
	uint64_t token;
	int32_t qd;

	assert_int_equal(shard_socket(solo, SHARD_STREAM, &qd), 0);
	assert_int_equal(shard_connect(solo, qd, &remote, &token), 0);
	*conn = fake_last();
	fake_established(solo->net, *conn);
	assert_int_equal(solo_result(token).opcode, SHARD_OP_CONNECT);
	return qd;
}

int32_t solo_listening(uint16_t port)
{
	struct net_endpoint local = solo_endpoint(0, port);
	int32_t qd;

	assert_int_equal(shard_socket(solo, SHARD_STREAM, &qd), 0);
	assert_int_equal(shard_bind(solo, qd, &local), 0);
	assert_int_equal(shard_listen(solo, qd, 16), 0);
	return qd;
}

uint64_t solo_push(int32_t qd, const char *text)
{
	struct rte_mbuf *m = solo_sga(text);
	uint64_t token;

	assert_int_equal(
		shard_push(solo, qd, m, rte_pktmbuf_mtod(m, void *), m->data_len, NULL, &token), 0);
	solo_free(m);
	return token;
}

uint64_t solo_pop(int32_t qd)
{
	uint64_t token;

	assert_int_equal(shard_pop(solo, qd, &token), 0);
	return token;
}

struct shard_result solo_result(uint64_t token)
{
	struct shard_result result;

	assert_int_equal(shard_wait(solo, token, 0, &result), 0);
	assert_int_equal(result.token, token);
	return result;
}

void solo_assert_pending(uint64_t token)
{
	struct shard_result result;

	assert_int_equal(shard_wait(solo, token, 0, &result), -ETIMEDOUT);
}

void solo_assert_failed(uint64_t token, int error)
{
	struct shard_result result = solo_result(token);

	assert_int_equal(result.opcode, SHARD_OP_FAILED);
	assert_int_equal(result.error, error);
}

void solo_assert_popped(uint64_t token, const char *text)
{
	struct shard_result result = solo_result(token);

	assert_int_equal(result.opcode, SHARD_OP_POP);
	assert_int_equal(result.pop.len, strlen(text));
	if (*text) {
		assert_memory_equal(result.pop.data, text, strlen(text));
		assert_ptr_equal(mem_handle_check(shard_mem(solo), result.pop.handle,
						  result.pop.data, result.pop.len),
				 result.pop.handle);
		solo_free(result.pop.handle);
	} else {
		assert_null(result.pop.handle);
	}
}
