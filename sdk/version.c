#include <demi/ext.h>

#include <string.h>

const char *demi_version(void)
{
	return CLOWDER_VERSION;
}

const char *demi_strerror(int error)
{
	const char *text = strerrordesc_np(error);

	return text != NULL ? text : "Unknown error";
}
