#include "cmocka_all.h"
#include "link.h"
#include "netns.h"

#include <stdio.h>
#include <unistd.h>

/* A veth pair; Clowder reads the far end, on which the kernel has no address. */
void link_create(struct link *link, unsigned queue_count)
{
	link->near = netns_create();
	link->echo = netns_create();
	netns_enter(link->near);
	run("ip link add va type veth peer name vb");
	run("ethtool -K va tx off > /dev/null"); /* else checksums on a veth stay unfinished */
	run("ip address add 10.99.0.1/24 dev va && ip link set va up");
	run("ip link set vb netns /proc/%d/fd/%d", (int)getpid(), link->echo);
	netns_enter(link->echo);
	run("ip link set vb up");
	netns_enter(link->near);
	snprintf(link->port, sizeof(link->port),
		 "[[port]]\ndevice = \"net_af_packet0,iface=vb\"\naddress = \"10.99.0.2/24\"\n"
		 "queues = %u\n",
		 queue_count);
}

void link_destroy(struct link *link)
{
	close(link->near);
	close(link->echo);
}
