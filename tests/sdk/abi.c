/*
 * The binary interface of Demikernel 1.5.13: sizes, offsets, numbers, types of calls. Compiled as
 * the C99 that such programs are written in.
 */
#include <demi/cc.h>
#include <demi/ext.h>
#include <demi/libos.h>
#include <demi/sga.h>
#include <demi/shard.h>
#include <demi/types.h>
#include <demi/wait.h>

#include "tests/mem/cmocka_all.h"

#define FIELD(type, field, at, bytes)                                                              \
	do {                                                                                       \
		assert_int_equal(offsetof(type, field), at);                                       \
		assert_int_equal(sizeof(((type *)0)->field), bytes);                               \
	} while (0)

static void structs_are_laid_out_as_published(void **state)
{
	(void)state;
	FIELD(struct demi_args, argc, 0, 4);
	FIELD(struct demi_args, argv, 4, 8);
	FIELD(struct demi_args, callback, 12, 8);
	FIELD(demi_sgaseg_t, sgaseg_buf, 0, 8);
	FIELD(demi_sgaseg_t, sgaseg_len, 8, 4);
	FIELD(demi_sgarray_t, sga_buf, 0, 8);
	FIELD(demi_sgarray_t, sga_numsegs, 8, 4);
	FIELD(demi_sgarray_t, sga_segs, 12, 12);
	FIELD(demi_sgarray_t, sga_addr, 24, 16);
	FIELD(demi_accept_result_t, qd, 0, 4);
	FIELD(demi_accept_result_t, addr, 4, 16);
	FIELD(demi_qresult_t, qr_opcode, 0, 4);
	FIELD(demi_qresult_t, qr_qd, 4, 4);
	FIELD(demi_qresult_t, qr_qt, 8, 8);
	FIELD(demi_qresult_t, qr_ret, 16, 8);
	FIELD(demi_qresult_t, qr_value, 24, 40);
	FIELD(demi_qresult_t, qr_value.sga, 24, 40);
	FIELD(demi_qresult_t, qr_value.ares, 24, 20);
}

static void sizes_are_as_published(void **state)
{
	(void)state;
	assert_int_equal(sizeof(demi_qtoken_t), 8);
	assert_int_equal(sizeof(struct demi_args), 20);
	assert_int_equal(sizeof(demi_sgaseg_t), 12);
	assert_int_equal(sizeof(demi_sgarray_t), 40);
	assert_int_equal(sizeof(demi_accept_result_t), 20);
	assert_int_equal(sizeof(demi_qresult_t), 64);
	assert_int_equal(sizeof(demi_opcode_t), 4);
	assert_int_equal(DEMI_SGARRAY_MAXSIZE, 1);
}

static void opcodes_have_their_numbers(void **state)
{
	(void)state;
	assert_int_equal(DEMI_OPC_INVALID, 0);
	assert_int_equal(DEMI_OPC_PUSH, 1);
	assert_int_equal(DEMI_OPC_POP, 2);
	assert_int_equal(DEMI_OPC_ACCEPT, 3);
	assert_int_equal(DEMI_OPC_CONNECT, 4);
	assert_int_equal(DEMI_OPC_CLOSE, 5);
	assert_int_equal(DEMI_OPC_FAILED, 6);
}

static void figures_have_no_hidden_padding(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct demi_shard_figures, accepted), 24);
	assert_int_equal(offsetof(struct demi_shard_figures, turns_idle) + 8,
			 sizeof(struct demi_shard_figures));
	assert_int_equal(sizeof(struct demi_shard_figures), 24 + 11 * 8 + 16 + 16);
}

/* A call whose type differs from the published one does not compile here. */
struct calls {
	int (*init)(const struct demi_args *);
	int (*create_pipe)(int *, const char *);
	int (*open_pipe)(int *, const char *);
	int (*socket)(int *, int, int, int);
	int (*bind)(int, const struct sockaddr *, socklen_t);
	int (*listen)(int, int);
	int (*accept)(demi_qtoken_t *, int);
	int (*connect)(demi_qtoken_t *, int, const struct sockaddr *, socklen_t);
	int (*close)(int);
	int (*push)(demi_qtoken_t *, int, const demi_sgarray_t *);
	int (*pushto)(demi_qtoken_t *, int, const demi_sgarray_t *, const struct sockaddr *,
		      socklen_t);
	int (*pop)(demi_qtoken_t *, int);
	int (*setsockopt)(int, int, int, const void *, socklen_t);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	int (*getpeername)(int, struct sockaddr *, socklen_t *);
	demi_sgarray_t (*sgaalloc)(size_t);
	int (*sgafree)(demi_sgarray_t *);
	int (*wait)(demi_qresult_t *, demi_qtoken_t, const struct timespec *);
	int (*wait_any)(demi_qresult_t *, int *, const demi_qtoken_t[], int,
			const struct timespec *);
	int (*wait_next_n)(demi_qresult_t *, int, int *, const struct timespec *);
	demi_callback_t callback;
};

static void callback(const char *name, uint32_t number, uint64_t value)
{
	(void)name;
	(void)number;
	(void)value;
}

static void calls_have_their_types(void **state)
{
	const struct calls calls = {
		demi_init,     demi_create_pipe, demi_open_pipe,  demi_socket,	   demi_bind,
		demi_listen,   demi_accept,	 demi_connect,	  demi_close,	   demi_push,
		demi_pushto,   demi_pop,	 demi_setsockopt, demi_getsockopt, demi_getpeername,
		demi_sgaalloc, demi_sgafree,	 demi_wait,	  demi_wait_any,   demi_wait_next_n,
		callback,
	};
	void *const *all = (void *const *)&calls;

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*all); i++)
		assert_non_null(all[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structs_are_laid_out_as_published),
		cmocka_unit_test(sizes_are_as_published),
		cmocka_unit_test(opcodes_have_their_numbers),
		cmocka_unit_test(figures_have_no_hidden_padding),
		cmocka_unit_test(calls_have_their_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
