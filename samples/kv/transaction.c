#include "kv/transaction.h"

#include "kv/heap.h"

#include <limits.h>

enum { ROOM_MIN = 8 };

void transaction_open(struct transaction *transaction, int db)
{
	*transaction = (struct transaction){.open = true, .db = db};
}

void transaction_clear(struct transaction *transaction)
{
	for (int i = 0; i < transaction->count; i++)
		args_free(transaction->args[i]);
	heap_free(transaction->steps);
	heap_free(transaction->args);
	*transaction = (struct transaction){0};
}

static bool make_room(struct transaction *transaction)
{
	size_t room = transaction->room ? 2 * (size_t)transaction->room : ROOM_MIN;
	struct router_step *steps;
	struct args **args;

	if (transaction->count < transaction->room)
		return true;
	if (room > INT_MAX)
		return false;
	steps = heap_grow_or_null(transaction->steps, room * sizeof(*steps));
	if (!steps)
		return false;
	transaction->steps = steps;
	args = heap_grow_or_null(transaction->args, room * sizeof(*args));
	if (!args)
		return false;
	transaction->args = args;
	transaction->room = (int)room;
	return true;
}

bool transaction_add(struct transaction *transaction, const struct command *command, int argc,
		     const struct arg *argv)
{
	struct args *args = NULL;

	if (make_room(transaction))
		args = args_copy_or_null(argc, argv);
	if (!args) {
		transaction->failed = true;
		return false;
	}
	transaction->steps[transaction->count] = (struct router_step){
		.command = command, .argc = argc, .argv = args->argv, .db = transaction->db};
	transaction->args[transaction->count++] = args;
	transaction->len += sizeof(*transaction->steps) + args->len;
	return true;
}
