#include "mem/rcu.h"

#include <stdbool.h>
#include <stdlib.h>

/* In front of all memory that can be retired. A stack that is pushed one by one and taken whole, so
 * that it needs no ABA protection. */
struct retired {
	_Alignas(max_align_t) struct retired *next;
};

struct rcu_retired {
	struct retired *head;
};

static unsigned free_all(struct retired *node)
{
	unsigned count = 0;

	while (node) {
		struct retired *next = node->next;

		free(node);
		node = next;
		count++;
	}
	return count;
}

static struct retired *take_all(struct rcu_retired *list)
{
	/* acquire; pairs with the release in rcu_retire_mt() */
	return __atomic_exchange_n(&list->head, NULL, __ATOMIC_ACQUIRE);
}

struct rcu_retired *rcu_retired_create(void)
{
	return calloc(1, sizeof(struct rcu_retired));
}

void rcu_retired_destroy(struct rcu_retired *list)
{
	if (!list)
		return;
	free_all(take_all(list));
	free(list);
}

void *rcu_alloc_or_null(size_t size)
{
	struct retired *node = calloc(1, sizeof(*node) + size);

	return node ? node + 1 : NULL;
}

void rcu_free(void *ptr)
{
	if (ptr)
		free((struct retired *)ptr - 1);
}

void rcu_retire_mt(struct rcu_retired *list, void *ptr)
{
	struct retired *node;

	if (!ptr)
		return;
	node = (struct retired *)ptr - 1;
	node->next = __atomic_load_n(&list->head, __ATOMIC_RELAXED);
	/* release; pairs with the acquire in take_all() */
	while (!__atomic_compare_exchange_n(&list->head, &node->next, node, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

unsigned rcu_reclaim(struct rcu_retired *list)
{
	struct retired *taken = take_all(list);

	if (!taken)
		return 0;
	synchronize_rcu();
	return free_all(taken);
}
