#include "tests/sdk/fake.h"

#include "shard/clock.h"

#include "mem/mem.h"

#include <arpa/inet.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fake fake;

struct runtime {
	uint16_t shard_count;
};

struct shard {
	uint16_t index;
};

static struct runtime the_runtime;
static struct shard the_shards[NET_SHARD_MAX];
static char the_mem;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.enter_fails = -1;
}

int fake_begin(void **state)
{
	(void)state;
	fake_reset();
	unsetenv("CONFIG_PATH");
	unsetenv("LIBOS");
	return demi_init(NULL);
}

int fake_finish(void **state)
{
	(void)state;
	fake.rc = 0;
	fake.missing = 0;
	return demi_fini();
}

struct sockaddr_in fake_address(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(7777),
		.sin_addr.s_addr = inet_addr("10.99.0.2"),
	};
}

static int saw(const char *call, int32_t qd)
{
	fake.calls++;
	fake.call = call;
	fake.qd = qd;
	errno = EDOM; /* what a real call may do to it */
	return fake.rc;
}

static int token(const char *call, int32_t qd, uint64_t *out)
{
	const int rc = saw(call, qd);

	if (rc == 0)
		*out = 77;
	return rc;
}

/* --- runtime.h --- */

int runtime_start(const struct runtime_config *config, struct runtime **out,
		  char why[RUNTIME_WHY_LEN])
{
	if (fake.why != NULL)
		snprintf(why, RUNTIME_WHY_LEN, "%s", fake.why);
	if (fake.start_rc != 0)
		return fake.start_rc;
	fake.config = *config;
	the_runtime.shard_count = config->shard_count != 0 ? config->shard_count : 3;
	*out = &the_runtime;
	return 0;
}

int runtime_enter(struct runtime *runtime, uint16_t index, bool pin, struct shard **out)
{
	(void)runtime;
	if (index == fake.enter_fails)
		return fake.enter_rc;
	fake.pinned[index] = pin;
	the_shards[index].index = index;
	*out = &the_shards[index];
	atomic_fetch_add(&fake.entered, 1);
	return 0;
}

void runtime_leave(struct shard *shard, uint64_t linger_ns)
{
	(void)shard;
	(void)linger_ns;
	atomic_fetch_add(&fake.left, 1);
}

unsigned runtime_end(struct runtime *runtime)
{
	(void)runtime;
	atomic_fetch_add(&fake.ends, 1);
	return fake.missing;
}

uint16_t runtime_shard_count(const struct runtime *runtime)
{
	return runtime->shard_count;
}

uint16_t runtime_owner(const struct runtime *runtime, const struct net_flow *flow)
{
	(void)runtime;
	fake.flow = *flow;
	return 2;
}

void runtime_stop_mt(struct runtime *runtime)
{
	(void)runtime;
	atomic_fetch_add(&fake.stops, 1);
}

void runtime_describe(const struct runtime *runtime, void (*line)(const char *text, void *arg),
		      void *arg)
{
	(void)runtime;
	line("one", arg);
	line("two", arg);
}

void runtime_figures_mt(const struct runtime *runtime, uint16_t index, struct runtime_figures *out)
{
	(void)runtime;
	*out = (struct runtime_figures){
		.cpu = index + 100,
		.queue = index,
		.counters = {.rx_packets = 1, .tx_packets = 2, .handed_in = 3, .conn_accepted = 4},
		.mem = {.data = 10, .small = 20, .large = 30, .data_total = 1000},
		.tcp = {.conns = 5},
		.tokens_pending = 6,
	};
	out->counters.drop[0] = 7;
	out->counters.drop[DROP_COUNT - 1] = 8;
}

/* --- shard.h --- */

uint16_t shard_index(const struct shard *shard)
{
	return shard->index;
}

struct mem *shard_mem(struct shard *shard)
{
	(void)shard;
	return (struct mem *)&the_mem;
}

int shard_socket(struct shard *shard, enum shard_socket_type type, int32_t *qd)
{
	(void)shard;
	fake.number = (int)type;
	*qd = 5;
	return saw("socket", -1);
}

int shard_bind(struct shard *shard, int32_t qd, const struct net_endpoint *local)
{
	(void)shard;
	fake.address = *local;
	return saw("bind", qd);
}

int shard_listen(struct shard *shard, int32_t qd, int backlog)
{
	(void)shard;
	fake.number = backlog;
	return saw("listen", qd);
}

int shard_accept(struct shard *shard, int32_t qd, uint64_t *out)
{
	(void)shard;
	return token("accept", qd, out);
}

int shard_connect(struct shard *shard, int32_t qd, const struct net_endpoint *remote, uint64_t *out)
{
	(void)shard;
	fake.address = *remote;
	return token("connect", qd, out);
}

int shard_push(struct shard *shard, int32_t qd, struct rte_mbuf *handle, const void *data,
	       uint32_t len, const struct net_endpoint *dest, uint64_t *out)
{
	(void)shard;
	(void)handle;
	fake.data = data;
	fake.len = len;
	fake.with_address = dest != NULL;
	if (dest != NULL)
		fake.address = *dest;
	return token("push", qd, out);
}

int shard_pop(struct shard *shard, int32_t qd, uint64_t *out)
{
	(void)shard;
	return token("pop", qd, out);
}

int shard_shutdown(struct shard *shard, int32_t qd, unsigned how)
{
	(void)shard;
	fake.number = (int)how;
	return saw("shutdown", qd);
}

int shard_close(struct shard *shard, int32_t qd)
{
	(void)shard;
	return saw("close", qd);
}

int shard_close_async(struct shard *shard, int32_t qd, uint64_t *out)
{
	(void)shard;
	return token("close_async", qd, out);
}

int shard_option_set(struct shard *shard, int32_t qd, int level, int name, const void *value,
		     uint32_t len)
{
	(void)shard;
	fake.level = level;
	fake.number = name;
	fake.data = value;
	fake.len = len;
	return saw("option_set", qd);
}

int shard_option_get(struct shard *shard, int32_t qd, int level, int name, void *value,
		     uint32_t *len)
{
	(void)shard;
	(void)value;
	fake.level = level;
	fake.number = name;
	fake.len = *len;
	*len = 4;
	return saw("option_get", qd);
}

int shard_local(struct shard *shard, int32_t qd, struct net_endpoint *out)
{
	(void)shard;
	*out = fake.endpoint;
	return saw("local", qd);
}

int shard_remote(struct shard *shard, int32_t qd, struct net_endpoint *out)
{
	(void)shard;
	*out = fake.endpoint;
	return saw("remote", qd);
}

int shard_channel(struct shard *shard, int peer, int32_t *qd)
{
	(void)shard;
	fake.number = peer;
	*qd = 6;
	return saw("channel", -1);
}

int shard_wait(struct shard *shard, uint64_t qt, uint64_t timeout_ns, struct shard_result *out)
{
	(void)shard;
	(void)qt;
	fake.timeout_ns = timeout_ns;
	*out = fake.results[0];
	return saw("wait", -1);
}

int shard_wait_any(struct shard *shard, const uint64_t tokens[], int count, uint64_t timeout_ns,
		   struct shard_result *out, int *offset)
{
	(void)shard;
	(void)tokens;
	fake.number = count;
	fake.timeout_ns = timeout_ns;
	*out = fake.results[0];
	*offset = 1;
	return saw("wait_any", -1);
}

int shard_wait_next_n(struct shard *shard, int count, uint64_t timeout_ns, struct shard_result *out,
		      int *done)
{
	(void)shard;
	if (fake.rounds++ == 0)
		fake.timeout_ns = timeout_ns;
	*done = count < fake.result_count ? count : fake.result_count;
	memcpy(out, fake.results, (size_t)*done * sizeof(*out));
	memmove(fake.results, fake.results + *done,
		(size_t)(fake.result_count - *done) * sizeof(*out));
	fake.result_count -= *done;
	saw("wait_next_n", -1);
	return *done == count ? fake.rc : -ETIMEDOUT;
}

uint64_t clock_now_ns_mt(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- mem.h: a handle is an mbuf header and its bytes --- */

enum { HANDLE_HEAD_LEN = 256, HANDLE_LEN_MAX = 65535 };

struct rte_mbuf *mem_handle_alloc_or_null(struct mem *mem, uint32_t len)
{
	struct rte_mbuf *m;

	(void)mem;
	if (fake.rc != 0)
		return NULL;
	m = calloc(1, HANDLE_HEAD_LEN + HANDLE_LEN_MAX);
	m->buf_addr = (char *)m + HANDLE_HEAD_LEN;
	m->buf_len = HANDLE_LEN_MAX;
	m->data_len = (uint16_t)len;
	return m;
}

struct rte_mbuf *mem_handle_check(struct mem *mem, const void *handle, const void *data,
				  uint32_t len)
{
	struct rte_mbuf *m = (struct rte_mbuf *)(uintptr_t)handle;
	const char *from = data;

	(void)mem;
	if (m == NULL || from < (char *)m->buf_addr ||
	    from + len > (char *)m->buf_addr + m->data_len)
		return NULL;
	return m;
}

int mem_handle_free(struct mem *mem, void *handle)
{
	const int rc = saw("handle_free", -1);

	(void)mem;
	if (rc == 0)
		free(handle);
	return rc;
}
