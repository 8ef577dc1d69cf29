/* As little as shows that headers and library were found and belong together. */
#include <demi/ext.h>
#include <demi/libos.h>
#include <errno.h>
#include <stdio.h>

int main(void)
{
	int qd;
	const int error = demi_socket(&qd, AF_INET, SOCK_STREAM, 0);

	printf("clowder %s: %s\n", demi_version(), demi_strerror(error));
	return error != ENOSYS;
}
