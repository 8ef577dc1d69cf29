#include "kv/errand.h"

#include "kv/heap.h"

void errand_spares_free(struct errand_spares *spares)
{
	while (spares->first) {
		void *block = spares->first;

		spares->first = *(void **)block;
		heap_free(block);
	}
	spares->count = 0;
}

/* Of errand_create_or_null(): what arguments are asked for. */
struct wish {
	const struct arg *argv;
	const int *pick;
	int count;
};

static const struct arg *wished(const struct wish *wish, int i)
{
	return &wish->argv[wish->pick ? wish->pick[i] : i];
}

static bool by_reference(const struct arg *arg)
{
	return arg->bytes && arg->text.len >= BYTES_LEN_MIN;
}

/* What is copied, and what is not. */
static size_t text_len(const struct wish *wish, size_t *referred_len)
{
	size_t len = 0;

	*referred_len = 0;
	for (int i = 0; i < wish->count; i++) {
		const struct arg *arg = wished(wish, i);

		*(by_reference(arg) ? referred_len : &len) += arg->text.len;
	}
	return len;
}

static void copy_args(struct errand *errand, const struct wish *wish, char *text)
{
	errand->argc = wish->count;
	for (int i = 0; i < wish->count; i++) {
		const struct arg *from = wished(wish, i);
		struct arg *arg = &errand->argv[i];

		*arg = *from;
		if (by_reference(from)) {
			bytes_get(from->bytes);
			continue;
		}
		arg->bytes = NULL;
		arg->text.data = text;
		if (from->text.len)
			memcpy(text, from->text.data, from->text.len);
		text += from->text.len;
	}
}

static struct errand *block_or_null(struct errand_spares *spares, size_t len)
{
	void *block = spares->first;

	if (len > ERRAND_BLOCK_LEN)
		return heap_alloc_or_null(len);
	if (!block)
		return heap_alloc_or_null(ERRAND_BLOCK_LEN);
	spares->first = *(void **)block;
	spares->count--;
	return block;
}

struct errand *errand_create_or_null(struct errand_spares *spares, enum errand_task task, int resp,
				     const struct arg *argv, const int *pick, int count,
				     int part_count)
{
	const struct wish wish = {argv, pick, count};
	const size_t parts_len = (size_t)part_count * sizeof(size_t);
	const size_t args_len = (size_t)count * sizeof(struct arg);
	size_t referred_len;
	const size_t len =
		sizeof(struct errand) + parts_len + args_len + text_len(&wish, &referred_len);
	struct errand *errand;

	if (len > UINT32_MAX)
		return NULL;
	errand = block_or_null(spares, len);
	if (!errand)
		return NULL;
	*errand = (struct errand){
		.task = task, .block_len = (uint32_t)len, .len = len + referred_len};
	errand->part_lens = (size_t *)(errand + 1);
	errand->part_count = part_count;
	memset(errand->part_lens, 0, parts_len);
	errand->argv = (struct arg *)((char *)errand->part_lens + parts_len);
	copy_args(errand, &wish, (char *)errand->argv + args_len);
	out_init(&errand->reply, resp);
	return errand;
}

void errand_destroy(struct errand_spares *spares, struct errand *errand)
{
	if (!errand)
		return;
	for (int i = 0; i < errand->argc; i++)
		bytes_put(errand->argv[i].bytes);
	out_fini(&errand->reply);
	bytes_put(errand->value);
	heap_free(errand->baggage);
	if (!spares || errand->block_len > ERRAND_BLOCK_LEN ||
	    spares->count >= ERRAND_SPARE_COUNT) {
		heap_free(errand);
		return;
	}
	*(void **)(void *)errand = spares->first;
	spares->first = errand;
	spares->count++;
}
