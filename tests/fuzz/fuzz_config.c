/* Any text as the configuration: taken, or refused with one line that says why; never an end. */
#include "mem/check.h"
#include "sdk/config.h"
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct runtime_config config;
	char why[RUNTIME_WHY_LEN] = "", *text = malloc(len + !len);
	int rc;

	CHECK(text);
	if (len > 0)
		memcpy(text, input, len);
	rc = config_parse("fuzz.toml", text, len, &config, why);
	free(text);
	CHECK(rc == 0 || rc == -EINVAL);
	CHECK(memchr(why, '\0', sizeof(why)) && !strchr(why, '\n'));
	CHECK((rc == 0) == (why[0] == '\0'));
	if (rc == 0)
		config_single(&config);
	return 0;
}
