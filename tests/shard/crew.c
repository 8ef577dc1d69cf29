#include "tests/shard/crew.h"

#include "shard/clock.h"
#include "shard/loop.h"
#include "tests/shard/cm.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

struct hand {
	pthread_t thread;
	sem_t work, done;
	bool running, returned;
	uint16_t index;
	struct shard *shard;
	int (*fn)(struct shard *shard, void *arg);
	void *arg;
	int result;
};

static struct runtime *runtime;
static struct hand hands[CREW_MAX];
uint64_t crew_linger_ns;

void crew_config(struct runtime_config *config, uint16_t shard_count)
{
	*config = (struct runtime_config){.shard_count = shard_count,
					  .idle = SHARD_IDLE_YIELD,
					  .spin_ns = 1000,
					  .nap_ns = 1000,
					  .sleep_ns_max = 1000000,
					  .rx_budget_ns = 20000,
					  .token_max = 256,
					  .queue_max = 32,
					  .mailbox_len = 8,
					  .data_count = 511,
					  .small_count = 511,
					  .large_count = 3,
					  .port_count = 1,
					  .log_level = LOG_LEVEL_ERROR,
					  .seed = 7,
					  .name = "test"};
	config->net.tcp.port_low = 32768;
	config->net.tcp.port_high = 60999;
	config->ports[0].addr.v4 = RTE_BE32(0x0a000001);
	config->ports[0].prefix_len = 24;
	snprintf(config->ports[0].nic.device, NIC_DEVICE_LEN, "fake0");
}

static void *run(void *arg)
{
	struct hand *hand = arg;

	hand->result = runtime_enter(runtime, hand->index, false, &hand->shard);
	sem_post(&hand->done);
	while (!sem_wait(&hand->work) && hand->fn) {
		hand->result = hand->fn(hand->shard, hand->arg);
		sem_post(&hand->done);
	}
	runtime_leave(hand->shard, crew_linger_ns);
	return NULL;
}

void crew_start(const struct runtime_config *config)
{
	char why[RUNTIME_WHY_LEN] = "";
	int rc;

	crew_linger_ns = 0;
	rc = runtime_start(config, &runtime, why);

	if (rc)
		print_error("%s\n", why);
	assert_int_equal(rc, 0);
	for (uint16_t i = 0; i < runtime_shard_count(runtime); i++) {
		struct hand *hand = &hands[i];

		*hand = (struct hand){.index = i, .running = true};
		sem_init(&hand->work, 0, 0);
		sem_init(&hand->done, 0, 0);
		assert_int_equal(pthread_create(&hand->thread, NULL, run, hand), 0);
		sem_wait(&hand->done);
		assert_int_equal(hand->result, 0);
	}
}

void crew_begin(unsigned index, int (*fn)(struct shard *shard, void *arg), void *arg)
{
	hands[index].fn = fn;
	hands[index].arg = arg;
	sem_post(&hands[index].work);
}

int crew_finish(unsigned index)
{
	sem_wait(&hands[index].done);
	return hands[index].result;
}

int crew_call(unsigned index, int (*fn)(struct shard *shard, void *arg), void *arg)
{
	crew_begin(index, fn, arg);
	return crew_finish(index);
}

static void begin_leaving(unsigned index)
{
	if (hands[index].returned)
		return;
	hands[index].returned = true;
	hands[index].fn = NULL;
	sem_post(&hands[index].work);
}

void crew_return(unsigned index)
{
	assert_true(crew_linger_ns > 0);
	begin_leaving(index);
}

static void finish_leaving(unsigned index)
{
	struct hand *hand = &hands[index];

	pthread_join(hand->thread, NULL);
	sem_destroy(&hand->work);
	sem_destroy(&hand->done);
	hand->running = false;
}

void crew_leave(unsigned index)
{
	assert_true(crew_linger_ns == 0);
	begin_leaving(index);
	finish_leaving(index);
}

unsigned crew_end(void)
{
	for (unsigned i = 0; i < runtime_shard_count(runtime); i++)
		if (hands[i].running)
			begin_leaving(i);
	for (unsigned i = 0; i < runtime_shard_count(runtime); i++)
		if (hands[i].running)
			finish_leaving(i);
	return runtime_end(runtime);
}

struct runtime *crew_runtime(void)
{
	return runtime;
}

struct shard *crew_shard(unsigned index)
{
	return &runtime->shards[index];
}

static int turn(struct shard *shard, void *arg)
{
	(void)arg;
	return shard_turn(shard, clock_now_ns_mt());
}

void crew_turn(unsigned index)
{
	crew_call(index, turn, NULL);
}

struct push_call {
	int32_t qd;
	struct rte_mbuf *handle;
	const char *text;
	uint64_t token;
	struct shard_result *result;
};

static int make_sga(struct shard *shard, void *arg)
{
	struct push_call *call = arg;

	call->handle = mem_handle_alloc_or_null(shard_mem(shard), (uint32_t)strlen(call->text));
	if (call->handle)
		memcpy(rte_pktmbuf_mtod(call->handle, char *), call->text, strlen(call->text));
	return 0;
}

struct rte_mbuf *crew_sga(unsigned index, const char *text)
{
	struct push_call call = {.text = text};

	crew_call(index, make_sga, &call);
	assert_non_null(call.handle);
	return call.handle;
}

static int push(struct shard *shard, void *arg)
{
	struct push_call *call = arg;

	return shard_push(shard, call->qd, call->handle, rte_pktmbuf_mtod(call->handle, void *),
			  call->handle->data_len, NULL, &call->token);
}

int crew_push(unsigned index, int32_t qd, struct rte_mbuf *handle, uint64_t *token)
{
	struct push_call call = {.qd = qd, .handle = handle};
	int rc = crew_call(index, push, &call);

	*token = call.token;
	return rc;
}

static int pop(struct shard *shard, void *arg)
{
	struct push_call *call = arg;

	return shard_pop(shard, call->qd, &call->token);
}

int crew_pop(unsigned index, int32_t qd, uint64_t *token)
{
	struct push_call call = {.qd = qd};
	int rc = crew_call(index, pop, &call);

	*token = call.token;
	return rc;
}

static int close_qd(struct shard *shard, void *arg)
{
	return shard_close(shard, ((struct push_call *)arg)->qd);
}

int crew_close(unsigned index, int32_t qd)
{
	struct push_call call = {.qd = qd};

	return crew_call(index, close_qd, &call);
}

static int free_sga(struct shard *shard, void *arg)
{
	return mem_handle_free(shard_mem(shard), ((struct push_call *)arg)->handle);
}

int crew_free(unsigned index, struct rte_mbuf *handle)
{
	struct push_call call = {.handle = handle};

	return crew_call(index, free_sga, &call);
}

static int poll_once(struct shard *shard, void *arg)
{
	struct push_call *call = arg;

	return shard_wait(shard, call->token, 0, call->result);
}

int crew_poll(unsigned index, uint64_t token, struct shard_result *out)
{
	struct push_call call = {.token = token, .result = out};

	return crew_call(index, poll_once, &call);
}
