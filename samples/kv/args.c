#include "kv/args.h"

#include "kv/heap.h"

#include <string.h>

struct args *args_copy_or_null(int argc, const struct arg *argv)
{
	size_t text_len = 0, kept_len = 0;
	struct args *args;
	char *text;

	for (int i = 0; i < argc; i++) {
		if (argv[i].bytes)
			kept_len += argv[i].text.len;
		else
			text_len += argv[i].text.len;
	}
	args = heap_alloc_or_null(sizeof(*args) + (size_t)argc * sizeof(*argv) + text_len);
	if (!args)
		return NULL;
	args->argc = argc;
	args->len = sizeof(*args) + (size_t)argc * sizeof(*argv) + text_len + kept_len;
	text = (char *)&args->argv[argc];
	for (int i = 0; i < argc; i++) {
		args->argv[i] = argv[i];
		if (argv[i].bytes) {
			bytes_get(argv[i].bytes);
			continue;
		}
		if (argv[i].text.len)
			memcpy(text, argv[i].text.data, argv[i].text.len);
		args->argv[i].text.data = text;
		text += argv[i].text.len;
	}
	return args;
}

void args_free(struct args *args)
{
	if (!args)
		return;
	for (int i = 0; i < args->argc; i++)
		bytes_put(args->argv[i].bytes);
	heap_free(args);
}
