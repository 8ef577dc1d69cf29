#include "nic/device.h"

#include "mem/log.h"

#include <errno.h>
#include <net/if.h>
#include <rte_eal.h>
#include <rte_kvargs.h>
#include <rte_pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char sender_picks[] = "the sender picks the queue";

static const struct device_driver drivers[] = {
	{
		.name = "net_tap",
		.keys = "iface mac remote persist",
		/* It tells secondary processes of two descriptors a pair, in one message that it
		 * writes over the end of. */
		.queue_max = RTE_MP_MAX_FD_NUM / 2,
		.homing = "the kernel follows the queue last transmitted on",
		/* Of what is sent it copies the headers first, and after a segment of odd length
		 * it is wrong. */
		.sums_in_software = true,
	},
	{
		.name = "net_af_packet",
		.queue_arg = "qpairs",
		.hint = "if its peer is a veth, let that one compute checksums: ethtool -K <peer> "
			"tx off",
	},
	{.name = "net_af_xdp", .keeps_buffers = true},
	{.name = "net_memif", .homing = sender_picks},
	{
		.name = "net_vhost",
		.queue_arg = "queues",
		.homing = sender_picks,
	},
	{
		.name = "net_virtio_user",
		.queue_arg = "queues",
		.homing = sender_picks,
	},
	{.name = "net_ring", .keys = "nodeaction internal", .homing = sender_picks},
	{.name = "net_null"},
	{.name = "net_pcap"},
};

/* "net_tap" of "net_tap0": a driver's instance is its name and a number, or anything else. */
static const struct device_driver *find_driver(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		size_t len = strlen(drivers[i].name);

		if (strncmp(name, drivers[i].name, len) == 0)
			return &drivers[i];
	}
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *w = words; len && (w = strstr(w, word)); w += len)
		if ((w == words || w[-1] == ' ') && (w[len] == ' ' || w[len] == '\0'))
			return true;
	return false;
}

static int check_args(const struct device *device, char why[NIC_WHY_LEN])
{
	struct rte_kvargs *kv;
	int rc = 0;

	if (!device->args[0])
		return 0;
	kv = rte_kvargs_parse(device->args, NULL);
	if (!kv) {
		snprintf(why, NIC_WHY_LEN, "%s: arguments \"%.80s\" are not key=value,...",
			 device->name, device->args);
		return -EINVAL;
	}
	for (unsigned i = 0; i < kv->count && rc == 0; i++) {
		const char *key = kv->pairs[i].key, *value = kv->pairs[i].value;

		if (device->driver && device->driver->keys &&
		    !has_word(device->driver->keys, key)) {
			snprintf(why, NIC_WHY_LEN, "%s: unknown argument \"%.40s\"; it knows: %s",
				 device->name, key, device->driver->keys);
			rc = -EINVAL;
		} else if (!device->pci && strcmp(key, "iface") == 0 && value &&
			   !strchr(value, '/') && strlen(value) >= IFNAMSIZ) {
			snprintf(why, NIC_WHY_LEN, "%s: interface name \"%.40s\" is longer than %d",
				 device->name, value, IFNAMSIZ - 1);
			rc = -EINVAL;
		}
	}
	rte_kvargs_free(kv);
	return rc;
}

int device_parse(struct device *device, const char *text, char why[NIC_WHY_LEN])
{
	size_t len = strcspn(text, ",");
	struct rte_pci_addr addr;

	memset(device, 0, sizeof(*device));
	if (len == 0 || len >= sizeof(device->name) || strlen(text) >= NIC_DEVICE_LEN) {
		snprintf(why, NIC_WHY_LEN, "device \"%.80s\": %s", text,
			 len ? "too long" : "no name");
		return -EINVAL;
	}
	memcpy(device->name, text, len);
	if (text[len] == ',')
		snprintf(device->args, sizeof(device->args), "%s", text + len + 1);
	device->pci = rte_pci_addr_parse(device->name, &addr) == 0;
	if (device->pci) {
		char full[PCI_PRI_STR_SIZE];

		/* The bus knows it by this name, and so does everyone else who looks at the text.
		 */
		rte_pci_device_name(&addr, full, sizeof(full));
		if (strcasecmp(full, device->name) != 0) {
			snprintf(why, NIC_WHY_LEN, "PCI device \"%.40s\": write it as %s",
				 device->name, full);
			return -EINVAL;
		}
		memcpy(device->name, full, sizeof(full));
		return check_args(device, why);
	}
	if (strncmp(device->name, "net_", 4) != 0 && strncmp(device->name, "eth_", 4) != 0) {
		snprintf(why, NIC_WHY_LEN,
			 "device \"%.60s\" is neither a PCI address (0000:01:00.0) nor a virtual "
			 "device (net_tap0,iface=...)",
			 device->name);
		return -EINVAL;
	}
	device->driver = find_driver(device->name);
	return check_args(device, why);
}

bool device_arg(const struct device *device, const char *key, char *value, size_t len)
{
	struct rte_kvargs *kv = device->args[0] ? rte_kvargs_parse(device->args, NULL) : NULL;
	const char *found = kv ? rte_kvargs_get(kv, key) : NULL;

	if (found)
		snprintf(value, len, "%s", found);
	rte_kvargs_free(kv);
	return found != NULL;
}

bool device_lacks_queue_count(const struct device *device)
{
	char value[16];

	return device->driver && device->driver->queue_arg &&
	       !device_arg(device, device->driver->queue_arg, value, sizeof(value));
}

void device_set_queue_count(struct device *device, uint16_t count)
{
	size_t len = strlen(device->args);

	snprintf(device->args + len, sizeof(device->args) - len, "%s%s=%u", len ? "," : "",
		 device->driver->queue_arg, count);
}

bool device_is(const struct device *device, const char *driver)
{
	return device->driver && strcmp(device->driver->name, driver) == 0;
}

static bool is_given(const struct device *device, const char *key, const char *wanted)
{
	char value[32];

	return device_arg(device, key, value, sizeof(value)) && strcmp(value, wanted) == 0;
}

/* The path that the device will listen on, if it is the one who listens. */
static bool listens_on(const struct device *device, char *path, size_t len)
{
	if (device_is(device, "net_vhost"))
		return !is_given(device, "client", "1") && device_arg(device, "iface", path, len);
	if (device_is(device, "net_virtio_user"))
		return is_given(device, "server", "1") && device_arg(device, "path", path, len);
	if (device_is(device, "net_memif"))
		return (is_given(device, "role", "server") || is_given(device, "role", "master")) &&
		       is_given(device, "socket-abstract", "no") &&
		       device_arg(device, "socket", path, len);
	return false;
}

void device_unlink_stale_socket(const struct device *device)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	if (!listens_on(device, sun.sun_path, sizeof(sun.sun_path)) || stat(sun.sun_path, &st) ||
	    !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Refused: nobody listens there any more. */
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) && errno == ECONNREFUSED) {
		log_info("%s: removing the stale socket %s", device->name, sun.sun_path);
		unlink(sun.sun_path);
	}
	close(fd);
}
