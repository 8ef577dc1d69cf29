/*
 * The wire between the kernel and the program under test: one kind of device, with Clowder as
 * 10.99.0.2 on it and the kernel as 10.99.0.1. Each kind is a file that the test program is linked
 * with.
 */
#ifndef TESTS_KERNEL_LINK_H
#define TESTS_KERNEL_LINK_H

struct link {
	int near;	/* namespace of the kernel's end; tests run in it */
	int echo;	/* namespace in which the program under test runs */
	char port[512]; /* [[port]] of the configuration */
};

/* queue_count 0: one per shard. */
void link_create(struct link *link, unsigned queue_count);
void link_destroy(struct link *link);

#endif
