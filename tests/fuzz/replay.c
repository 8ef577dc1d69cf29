/*
 * A fuzz target without a fuzzer: every input of its corpus, and every one that once broke it.
 *      test_fuzz_x corpus/x regressions/x
 */
#include "target.h"

#include "mem/check.h"
#include "tests/mem/cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **folders;

static void replay_file(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;
	char *input = NULL;
	size_t len = 0, room = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	assert_non_null(file);
	do {
		room += 65536;
		input = realloc(input, room);
		assert_non_null(input);
		len += fread(input + len, 1, room - len, file);
	} while (len == room);
	assert_false(ferror(file));
	fclose(file);
	/* A block of its own length, so that a read behind it is seen. */
	input = realloc(input, len + !len);
	assert_non_null(input);
	/* Whoever does not come back is found by what was last said. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput((const uint8_t *)input, len);
	free(input);
}

/* How many; a folder that is not there has none. */
static unsigned replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	unsigned count = 0;

	if (!dir) {
		assert_int_equal(errno, ENOENT);
		return 0;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		replay_file(folder, entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

static void every_input_of_the_corpus_passes(void **state)
{
	(void)state;
	assert_true(replay_folder(folders[1]) > 0);
}

static void what_once_broke_it_passes(void **state)
{
	(void)state;
	if (folders[2])
		replay_folder(folders[2]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_input_of_the_corpus_passes),
		cmocka_unit_test(what_once_broke_it_passes),
	};

	if (argc < 2)
		return 2;
	folders = argv;
	LLVMFuzzerInitialize(&argc, &argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
