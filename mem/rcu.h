/*
 * The one include of liburcu: the QSBR flavour, whose readers cost nothing. A shard's thread is
 * registered for as long as it runs; it is offline while it sleeps and says rcu_quiescent_state()
 * once a turn of its loop. Between two such calls it is inside a read section, and only there do
 * pointers taken with rcu_dereference() stay valid.
 */
#ifndef MEM_RCU_H
#define MEM_RCU_H

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE /* liburcu: inline the read side */
#endif
#ifndef URCU_API_MAP
#define URCU_API_MAP  /* the short names, of this flavour: rcu_quiescent_state(), synchronize_rcu() \
		       */
#endif
#include <stddef.h>
#include <urcu/urcu-qsbr.h>

/*
 * Memory that was unpublished but may still be read. rcu_retire_mt() never waits and never fails,
 * for its caller may hold a lock that readers wait for: the room for a link comes with the memory.
 * Whoever owns the list (the control thread, a test) later calls rcu_reclaim(), which waits a grace
 * period and frees.
 */
struct rcu_retired;

struct rcu_retired *rcu_retired_create(void); /* NULL: out of memory */
/* Frees what is left without a grace period: nobody may read any more. */
void rcu_retired_destroy(struct rcu_retired *list);
/* Zeroed memory that can be retired; NULL: out of memory. */
void *rcu_alloc_or_null(size_t size);
/* Frees what nobody can have read, or can read any more. */
void rcu_free(void *ptr);
/* Takes over ptr, which came from rcu_alloc_or_null(); NULL: no-op. Any thread. */
void rcu_retire_mt(struct rcu_retired *list, void *ptr);
/* Waits one grace period if anything is retired, frees it, returns how much there was. */
unsigned rcu_reclaim(struct rcu_retired *list);

#endif
