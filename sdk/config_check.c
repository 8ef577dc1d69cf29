#include "sdk/config_check.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct complaint {
	struct config_place *place;
	char *found;
	const char **allowed;
};

static bool complain(struct complaint *to, const char *section, int index, const char *key,
		     const char *allowed, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

static bool complain(struct complaint *to, const char *section, int index, const char *key,
		     const char *allowed, const char *fmt, ...)
{
	va_list args;

	*to->place = (struct config_place){section, index, key};
	*to->allowed = allowed;
	va_start(args, fmt);
	vsnprintf(to->found, RUNTIME_WHY_LEN, fmt, args);
	va_end(args);
	return false;
}

struct addr_text {
	char text[INET_ADDRSTRLEN];
};

static struct addr_text addr_text(struct ip_addr addr)
{
	struct addr_text out;

	inet_ntop(AF_INET, &addr.v4, out.text, sizeof(out.text));
	return out;
}

/* Network order, as addresses are. */
static uint32_t mask(uint8_t prefix_len)
{
	return prefix_len == 0 ? 0 : htonl(UINT32_MAX << (32 - prefix_len));
}

static bool same_net(struct ip_addr a, struct ip_addr b, uint8_t prefix_len)
{
	return ((a.v4 ^ b.v4) & mask(prefix_len)) == 0;
}

/* A host can have the address: no group, no loopback, not the network itself, not its broadcast. */
static bool is_host(struct ip_addr addr, uint8_t prefix_len)
{
	const uint32_t host = ~mask(prefix_len);

	if (ip_addr_is_any(addr) || ip_addr_is_multicast(addr) || ip_addr_is_loopback(addr) ||
	    ip_addr_is_reserved(addr))
		return false;
	return prefix_len > 30 || ((addr.v4 & host) != 0 && (addr.v4 & host) != host);
}

/* The port in whose network the address is; -1: none. */
static int port_of(const struct runtime_config *config, struct ip_addr addr)
{
	for (int i = 0; i < config->port_count; i++) {
		if (same_net(config->ports[i].addr, addr, config->ports[i].prefix_len))
			return i;
	}
	return -1;
}

static bool check_kernel(const struct runtime_port *port, int i, struct complaint *to)
{
	const struct ip_addr kernel = {.v4 = port->nic.kernel_addr};

	if (port->nic.kernel_prefix_len == 0)
		return true;
	if (strncmp(port->nic.device, "net_tap", strlen("net_tap")) != 0)
		return complain(to, "port", i, "kernel_address",
				"nothing here: only a net_tap device has a kernel side",
				"device \"%.80s\"", port->nic.device);
	if (!is_host(kernel, port->nic.kernel_prefix_len) || ip_addr_eq(kernel, port->addr) ||
	    !same_net(kernel, port->addr, port->prefix_len))
		return complain(to, "port", i, "kernel_address",
				"a host's address in the port's network, other than the port's own",
				"\"%s/%u\" beside \"%s/%u\"", addr_text(kernel).text,
				port->nic.kernel_prefix_len, addr_text(port->addr).text,
				port->prefix_len);
	return true;
}

/* net_tap0 and net_tap0,iface=x are one device to DPDK. */
static bool same_device(const char *a, const char *b)
{
	const size_t len = strcspn(a, ",");

	return len == strcspn(b, ",") && memcmp(a, b, len) == 0;
}

static bool check_unlike(const struct runtime_config *config, int i, struct complaint *to)
{
	const struct runtime_port *port = &config->ports[i];

	for (int j = 0; j < i; j++) {
		const struct runtime_port *other = &config->ports[j];

		if (same_device(port->nic.device, other->nic.device))
			return complain(to, "port", i, "device",
					"a device that no other [[port]] has", "\"%.80s\" twice",
					port->nic.device);
		if (ip_addr_eq(port->addr, other->addr))
			return complain(to, "port", i, "address",
					"an address that no other [[port]] has", "\"%s\" twice",
					addr_text(port->addr).text);
	}
	return true;
}

static bool check_port(const struct runtime_config *config, int i, struct complaint *to)
{
	const struct runtime_port *port = &config->ports[i];

	if (!is_host(port->addr, port->prefix_len))
		return complain(
			to, "port", i, "address",
			"a host's address: not the network's own, broadcast, multicast or loopback",
			"\"%s/%u\"", addr_text(port->addr).text, port->prefix_len);
	if (port->nic.mtu != 0 && port->nic.mtu < 576)
		return complain(to, "port", i, "mtu", "0 (the device's), or 576 to 9216 bytes",
				"%u", port->nic.mtu);
	if (config->data_room != 0 && port->nic.mtu > 0 && port->nic.mtu + 18 > config->data_room)
		return complain(to, "memory", -1, "data_room",
				"0, or at least the mtu of every [[port]] + 18 bytes",
				"%u with an mtu of %u", config->data_room, port->nic.mtu);
	if (config->shard_count != 0 && port->nic.queue_count > config->shard_count)
		return complain(to, "port", i, "queues",
				"at most one queue pair per shard of [runtime] shards",
				"%u with %u shards", port->nic.queue_count, config->shard_count);
	return check_kernel(port, i, to) && check_unlike(config, i, to);
}

enum { ROUTE_MTU_MIN = 576, ROUTE_MSS_MIN = 88 };

static bool check_route(struct runtime_config *config, int i, struct complaint *to)
{
	struct net_route *route = &config->routes[i];
	int port;

	if (route->mtu != 0 && route->mtu < ROUTE_MTU_MIN)
		return complain(to, "route", i, "mtu", "0, or 576 to 9216", "%u", route->mtu);
	if (route->mss != 0 && route->mss < ROUTE_MSS_MIN)
		return complain(to, "route", i, "mss", "0, or 88 to 9176", "%u", route->mss);
	if ((route->dst.v4 & ~mask(route->prefix_len)) != 0)
		return complain(to, "route", i, "destination", "a network: zeros after the prefix",
				"\"%s/%u\"", addr_text(route->dst).text, route->prefix_len);
	if (ip_addr_is_any(route->gateway)) {
		if (route->iface < config->port_count)
			return true;
		return complain(to, "route", i, "port", "the number of a [[port]], from 0", "%u",
				route->iface);
	}
	port = port_of(config, route->gateway);
	if (port < 0)
		return complain(to, "route", i, "gateway",
				"an address in the network of a [[port]]", "\"%s\"",
				addr_text(route->gateway).text);
	route->iface = (uint16_t)port;
	return true;
}

static bool check_neighbour(struct runtime_config *config, int i, struct complaint *to)
{
	struct net_neigh *neigh = &config->neighbours[i];
	const int port = port_of(config, neigh->addr);

	if (port < 0)
		return complain(to, "neighbour", i, "address",
				"an address in the network of a [[port]]", "\"%s\"",
				addr_text(neigh->addr).text);
	neigh->iface = (uint16_t)port;
	return true;
}

static bool check_runtime(const struct runtime_config *config, struct complaint *to)
{
	if (config->cpu_count != 0 && config->shard_count > config->cpu_count)
		return complain(to, "runtime", -1, "cpus", "a cpu for every shard, or no such line",
				"%u cpus for %u shards", config->cpu_count, config->shard_count);
	if ((config->mailbox_len & (config->mailbox_len - 1)) != 0)
		return complain(to, "runtime", -1, "mailbox_entries", "a power of two", "%u",
				config->mailbox_len);
	return true;
}

static bool check_tcp(const struct tcp_config *tcp, struct complaint *to)
{
	if (tcp->rto_ns_min > tcp->rto_ns_max)
		return complain(to, "tcp", -1, "rto_min_ms", "at most rto_max_ms", "%lu",
				tcp->rto_ns_min / 1000000);
	if (tcp->rto_ns_initial < tcp->rto_ns_min || tcp->rto_ns_initial > tcp->rto_ns_max)
		return complain(to, "tcp", -1, "rto_initial_ms", "rto_min_ms to rto_max_ms", "%lu",
				tcp->rto_ns_initial / 1000000);
	if (tcp->port_low > tcp->port_high)
		return complain(to, "tcp", -1, "port_low", "at most port_high", "%u",
				tcp->port_low);
	if ((tcp->tos & 3) != 0)
		return complain(to, "tcp", -1, "tos",
				"a multiple of 4: the last two bits are ECN's", "%u", tcp->tos);
	return true;
}

bool config_check(struct runtime_config *config, struct config_place *place,
		  char found[static RUNTIME_WHY_LEN], const char **allowed)
{
	struct complaint to = {place, found, allowed};

	if (!check_runtime(config, &to) || !check_tcp(&config->net.tcp, &to))
		return false;
	for (int i = 0; i < config->port_count; i++) {
		if (!check_port(config, i, &to))
			return false;
	}
	for (int i = 0; i < config->route_count; i++) {
		if (!check_route(config, i, &to))
			return false;
	}
	for (int i = 0; i < config->neighbour_count; i++) {
		if (!check_neighbour(config, i, &to))
			return false;
	}
	return true;
}
