#include "cmocka_all.h"
#include "link.h"
#include "netns.h"

#include <stdio.h>
#include <unistd.h>

/* The device makes the tap when the program starts, in the same namespace. */
void link_create(struct link *link, unsigned queue_count)
{
	link->near = netns_create();
	link->echo = link->near;
	netns_enter(link->near);
	snprintf(link->port, sizeof(link->port),
		 "[[port]]\ndevice = \"net_tap0,iface=clowder0\"\naddress = \"10.99.0.2/24\"\n"
		 "kernel_address = \"10.99.0.1/24\"\nqueues = %u\n",
		 queue_count);
}

void link_destroy(struct link *link)
{
	close(link->near);
}
