/*
 * The configuration: a TOML file turned into struct runtime_config by the one list of keys in
 * sdk/config_keys.h.
 */
#ifndef SDK_CONFIG_H
#define SDK_CONFIG_H

#include "shard/runtime.h"

#include <stddef.h>

/*
 * Reads the file, or takes the built-in configuration if path is NULL or empty. 0, or -EINVAL and
 * one line in why: file, line, key, what was found, what is allowed. *config is then undefined.
 */
int config_load(const char *path, struct runtime_config *config, char why[RUNTIME_WHY_LEN]);

/* The same from memory; name stands for the file in messages. */
int config_parse(const char *name, const char *text, size_t len, struct runtime_config *config,
		 char why[RUNTIME_WHY_LEN]);

/* What a file is laid over: keys instead of the defaults, and the [[port]] of a file without one.
 */
struct config_base {
	const char *keys, *port; /* TOML */
};
int config_parse_over(const struct config_base *base, const char *name, const char *text,
		      size_t len, struct runtime_config *config, char why[RUNTIME_WHY_LEN]);
/* The file's bytes, the caller's to free, at most 1 MiB; NULL: *error says why, a positive errno.
 */
char *config_slurp_or_null(const char *path, size_t *len, int *error);

/* One shard, whatever the file says: what demi_init() runs. */
void config_single(struct runtime_config *config);

#endif
