#include "routed.h"

#include "cmocka_all.h"
#include "netns.h"

#include <stdio.h>
#include <unistd.h>

#define ROUTE "[[route]]\ndestination = \"10.98.0.0/24\"\ngateway = \"10.99.0.1\"\n"

int routed_attach(const char *here, const char *there, unsigned subnet)
{
	int router = netns_current(), ns = netns_create();

	run("ip link add %s type veth peer name %s", here, there);
	run("ip link set %s netns /proc/%d/fd/%d", there, (int)getpid(), ns);
	run("ip address add 10.%u.0.1/24 dev %s && ip link set %s up", subnet, here, here);
	run("ethtool -K %s tx off > /dev/null", here);
	run("echo 1 > /proc/sys/net/ipv4/ip_forward");
	netns_enter(ns);
	run("ip address add 10.%u.0.2/24 dev %s && ip link set %s up", subnet, there, there);
	run("ethtool -K %s tx off > /dev/null", there);
	run("ip route add default via 10.%u.0.1", subnet);
	netns_enter(router);
	close(router);
	return ns;
}

void routed_create(struct routed *routed)
{
	link_create(&routed->link, 0);
	routed->far = routed_attach("ra", "rb", 98);
	snprintf(routed->config, sizeof(routed->config), "%s" ROUTE, routed->link.port);
}

void routed_destroy(struct routed *routed)
{
	netns_enter(routed->link.near);
	close(routed->far);
	link_destroy(&routed->link);
}
