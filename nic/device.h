/*
 * A port's device as the user writes it ("net_tap0,iface=clowder0", "0000:01:00.0"), taken apart,
 * checked for what its driver would swallow silently, and completed with the driver's argument for
 * the number of queues. Facts about drivers that are not visible through ethdev live here.
 */
#ifndef NIC_DEVICE_H
#define NIC_DEVICE_H

#include "nic/nic.h"

enum { DEVICE_NAME_LEN = 64, DEVICE_ARGS_LEN = NIC_DEVICE_LEN + 32 };

struct device_driver {
	const char *name;
	const char *queue_arg; /* how it is told the number of queue pairs; NULL: by configure() */
	const char *keys;      /* all it knows, if it ignores others; NULL: it checks itself */
	const char
		*homing; /* why a flow's packets come to the queue that it is sent from; or NULL */
	uint16_t queue_max; /* pairs, where it claims more than it survives; 0: what it says */
	bool keeps_buffers; /* those of its rx rings are not given back when it is closed */
	/* Its checksum offloads are this cpu's work, and more of it than net/ has with them. */
	bool sums_in_software;
	const char *hint; /* logged when the port starts; or NULL */
};

struct device {
	char name[DEVICE_NAME_LEN]; /* "net_tap0" */
	char args[DEVICE_ARGS_LEN]; /* "iface=clowder0" */
	bool pci;
	const struct device_driver *driver; /* of a virtual device that is known here; or NULL */
};

/* 0 or -EINVAL, and why says what is wrong with the text. */
int device_parse(struct device *device, const char *text, char why[NIC_WHY_LEN]);
/* The value of an argument into value; false if it was not given. */
bool device_arg(const struct device *device, const char *key, char *value, size_t len);
/* The driver wants to be told the number of queues before it is probed, and the user did not say.
 */
bool device_lacks_queue_count(const struct device *device);
/* Adds that argument. */
void device_set_queue_count(struct device *device, uint16_t count);
bool device_is(const struct device *device, const char *driver);
/* Removes the socket file that a dead process left where the device wants to listen. */
void device_unlink_stale_socket(const struct device *device);

#endif
