#include "tests/sdk/quiet.h"

#include "tests/mem/cmocka_all.h"

#include <arpa/inet.h>
#include <demi/libos.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char config_path[64];

int quiet_config(void)
{
	static const char text[] = "[runtime]\nshards = 2\ntokens = 4096\nqueues = 64\n"
				   "[memory]\nhugepages = \"never\"\nreceive_budget_mib = 1\n"
				   "[[port]]\ndevice = \"net_null0,no-rx=1\"\n"
				   "address = \"10.0.0.1/24\"\n"
				   "[[neighbour]]\naddress = \"10.0.0.2\"\n"
				   "mac = \"02:00:00:00:00:02\"\n"
				   "[tcp]\nconn_max = 64\ntimewait_max = 64\nreassembly_mib = 1\n"
				   "[udp]\nsocket_max = 8\nqueue_packets = 8\n"
				   "[telemetry]\nenabled = false\n";
	const ssize_t len = (ssize_t)strlen(text);
	int fd;

	snprintf(config_path, sizeof(config_path), "/tmp/clowder-quiet-%d", (int)getpid());
	fd = open(config_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len || close(fd) != 0)
		return -1;
	return setenv("CONFIG_PATH", config_path, 1);
}

void quiet_config_remove(void)
{
	unlink(config_path);
}

struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	return in;
}

int socket_of(int type)
{
	int qd = -1;

	assert_int_equal(demi_socket(&qd, AF_INET, type, 0), 0);
	assert_true(qd >= 0);
	return qd;
}

int bind_to(int qd, const char *text, uint16_t port)
{
	const struct sockaddr_in in = address(text, port);

	return demi_bind(qd, (const struct sockaddr *)&in, sizeof(in));
}

int connect_to(uint64_t *qt, int qd, const char *text, uint16_t port)
{
	const struct sockaddr_in in = address(text, port);

	return demi_connect(qt, qd, (const struct sockaddr *)&in, sizeof(in));
}
