/* Coroutines by ucontext; AddressSanitizer is told of every change of stacks. */
#include "sim/sim.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
enum { STACK_LEN = 1 << 20 };
static void leave_stack(void **fake, const void *to, size_t len)
{
	__sanitizer_start_switch_fiber(fake, to, len);
}
static void arrive_on_stack(void *fake, const void **from, size_t *len)
{
	__sanitizer_finish_switch_fiber(fake, from, len);
}
#else
enum { STACK_LEN = 1 << 18 };
static void leave_stack(void **fake, const void *to, size_t len)
{
	(void)fake, (void)to, (void)len;
}
static void arrive_on_stack(void *fake, const void **from, size_t *len)
{
	(void)fake, (void)from, (void)len;
}
#endif

enum { PAGE_LEN = 4096, SPARE_MAX = 64 };

struct sim_fiber {
	ucontext_t own, main;
	char *stack; /* above one page that nobody may touch */
	const void *main_stack;
	size_t main_stack_len;
	void *own_fake, *main_fake;
	void (*fn)(void *arg);
	void *arg;
	bool ended;
};

/* Stacks of fibers that ended, for the next: making one is dear. */
static char *spare[SPARE_MAX];
static unsigned spare_count;

static char *stack_or_null(void)
{
	char *stack;

	if (spare_count)
		return spare[--spare_count];
	stack = mmap(NULL, PAGE_LEN + STACK_LEN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	mprotect(stack, PAGE_LEN, PROT_NONE);
	return stack;
}

static void stack_put(char *stack)
{
	if (spare_count < SPARE_MAX)
		spare[spare_count++] = stack;
	else
		munmap(stack, PAGE_LEN + STACK_LEN);
}

/* makecontext() passes ints. */
static void start(unsigned high, unsigned low)
{
	struct sim_fiber *fiber =
		(struct sim_fiber *)(uintptr_t)((uint64_t)high << 32 | (uint64_t)low);

	arrive_on_stack(NULL, &fiber->main_stack, &fiber->main_stack_len);
	fiber->fn(fiber->arg);
	fiber->ended = true;
	leave_stack(NULL, fiber->main_stack, fiber->main_stack_len);
	swapcontext(&fiber->own, &fiber->main);
}

/* A function of its own: getcontext() may return twice, as far as the compiler knows. */
static void __attribute__((noinline)) prepare(struct sim_fiber *fiber)
{
	getcontext(&fiber->own);
	fiber->own.uc_stack.ss_sp = fiber->stack + PAGE_LEN;
	fiber->own.uc_stack.ss_size = STACK_LEN;
	fiber->own.uc_link = NULL;
	makecontext(&fiber->own, (void (*)(void))start, 2, (unsigned)((uintptr_t)fiber >> 32),
		    (unsigned)(uintptr_t)fiber);
}

struct sim_fiber *fiber_create_or_null(void (*fn)(void *arg), void *arg)
{
	struct sim_fiber *fiber = calloc(1, sizeof(*fiber));

	if (!fiber)
		return NULL;
	fiber->stack = stack_or_null();
	if (!fiber->stack) {
		free(fiber);
		return NULL;
	}
	fiber->fn = fn;
	fiber->arg = arg;
	prepare(fiber);
	return fiber;
}

bool fiber_resume(struct sim_fiber *fiber)
{
	leave_stack(&fiber->main_fake, fiber->stack + PAGE_LEN, STACK_LEN);
	swapcontext(&fiber->main, &fiber->own);
	arrive_on_stack(fiber->main_fake, NULL, NULL);
	return fiber->ended;
}

void fiber_give_way(struct sim_fiber *fiber)
{
	leave_stack(&fiber->own_fake, fiber->main_stack, fiber->main_stack_len);
	swapcontext(&fiber->own, &fiber->main);
	arrive_on_stack(fiber->own_fake, &fiber->main_stack, &fiber->main_stack_len);
}

void fiber_destroy(struct sim_fiber *fiber)
{
	stack_put(fiber->stack);
	free(fiber);
}
