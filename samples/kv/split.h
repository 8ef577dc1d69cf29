/* A line's words, by the rules of Redis's inline commands and configuration: a word may be quoted
 * in part, "with \n \x41 escapes" or 'with \' only'. */
#ifndef KV_SPLIT_H
#define KV_SPLIT_H

#include "kv/slice.h"

enum split_status { SPLIT_WORD, SPLIT_END, SPLIT_UNBALANCED };

/*
 * Takes the next word from *at, writes it unquoted to *to, and moves both behind it. It takes no
 * more room there than it took, so that a line may be unquoted in its place.
 */
enum split_status split_next(const char **at, const char *end, char **to, struct slice *word);

#endif
