#include "sdk/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LEN_MAX = 1 << 20 };

char *config_slurp_or_null(const char *path, size_t *len, int *error)
{
	FILE *file = fopen(path, "re");
	char *text;

	*len = 0;
	*error = errno;
	if (file == NULL)
		return NULL;
	text = malloc(FILE_LEN_MAX + 1);
	*error = ENOMEM;
	if (text != NULL) {
		*len = fread(text, 1, FILE_LEN_MAX + 1, file);
		*error = ferror(file) ? errno : *len > FILE_LEN_MAX ? EFBIG : 0;
	}
	fclose(file);
	if (*error == 0)
		return text;
	free(text);
	return NULL;
}

int config_load(const char *path, struct runtime_config *config, char why[RUNTIME_WHY_LEN])
{
	size_t len;
	char *text;
	int error, rc;

	if (path == NULL || path[0] == '\0')
		return config_parse("built-in configuration", "", 0, config, why);
	text = config_slurp_or_null(path, &len, &error);
	if (text == NULL) {
		snprintf(why, RUNTIME_WHY_LEN,
			 "%.160s: found no readable file: %s; allowed: a TOML file of at most 1 "
			 "MiB, "
			 "or no CONFIG_PATH",
			 path, strerrordesc_np(error));
		return -EINVAL;
	}
	rc = config_parse(path, text, len, config, why);
	free(text);
	return rc;
}

void config_single(struct runtime_config *config)
{
	config->shard_count = 1;
	if (config->cpu_count > 1)
		config->cpu_count = 1;
	for (uint16_t i = 0; i < config->port_count; i++) {
		if (config->ports[i].nic.queue_count > 1)
			config->ports[i].nic.queue_count = 1;
	}
}
