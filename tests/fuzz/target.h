/*
 * What every fuzz target is: libFuzzer's two functions. libFuzzer calls them with inputs that it
 * makes up, replay.c with those of the corpus. An input that shows a bug ends the process.
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

#endif
