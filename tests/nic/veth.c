/* net_af_packet and net_af_xdp on one end of a veth pair, a raw socket of the kernel on the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/nic/frames.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* libxdp forgets a umem when its port is closed; LeakSanitizer asks this function. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create";
}

static int make_veth(void **state)
{
	(void)state;
	frames_command("ip link add clowder0 type veth peer name clowder1");
	frames_command("ip link set clowder0 up");
	frames_command("ip link set clowder1 up");
	return 0;
}

static int remove_veth(void **state)
{
	(void)state;
	frames_command("ip link del clowder0");
	return 0;
}

static void pass_both_ways(const char *device, uint16_t shard_count, uint16_t queue_count)
{
	struct nic_port *port = frames_open(device, shard_count);
	int fd = frames_socket("clowder1");

	assert_int_equal(nic_port_info(port)->queue_count, queue_count);
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
	frames_socket_send(fd, 0, 100);
	frames_receive(port, 100);
	for (uint16_t q = 0; q < queue_count; q++)
		frames_send(port, q, q * 50u, 50);
	frames_socket_receive(fd, queue_count * 50u);
	close(fd);
	nic_port_close(port);
	frames_expect_all_home();
	assert_int_not_equal(if_nametoindex("clowder0"), 0);
}

static void af_packet_passes_frames_both_ways_with_one_and_two_queues(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pass_both_ways("net_af_packet0,iface=clowder0", 1, 1);
		pass_both_ways("net_af_packet0,iface=clowder0", 2, 2);
		pass_both_ways("net_af_packet0,iface=clowder0,qpairs=1", 2, 1);
	}
}

static void af_packet_takes_the_mtu_of_its_interface(void **state)
{
	struct nic_port *port;

	(void)state;
	frames_command("ip link set clowder0 mtu 1280");
	port = frames_open("net_af_packet0,iface=clowder0", 1);
	assert_int_equal(nic_port_info(port)->mtu, 1280);
	nic_port_close(port);
}

static void af_packet_has_the_address_of_its_interface(void **state)
{
	struct nic_port *port;

	(void)state;
	frames_command("ip link set clowder0 address 02:00:00:00:00:77");
	port = frames_open("net_af_packet0,iface=clowder0", 1);
	assert_memory_equal(nic_port_info(port)->mac.addr_bytes, "\x02\x00\x00\x00\x00\x77", 6);
	nic_port_close(port);
}

static void af_packet_with_more_sockets_than_shards_is_refused(void **state)
{
	struct nic_port_config config = frames_config("net_af_packet0,iface=clowder0,qpairs=4");

	(void)state;
	frames_expect_refused(&config, 2, -EINVAL, "qpairs=4");
	frames_expect_all_home();
}

/* Last, because the driver keeps its buffers. */
static void af_xdp_passes_frames_both_ways_on_its_one_queue(void **state)
{
	struct nic_port *port;
	int fd;

	(void)state;
	if (!frames_is_root())
		skip(); /* the kernel lets only root load XDP programs */
	port = frames_open("net_af_xdp0,iface=clowder0", 2);
	fd = frames_socket("clowder1");
	assert_true(nic_port_info(port)->keeps_buffers);
	assert_int_equal(nic_port_info(port)->queue_count, 1);
	frames_socket_send(fd, 0, 100);
	frames_receive(port, 100);
	frames_send(port, 0, 0, 50);
	frames_socket_receive(fd, 50);
	close(fd);
	nic_port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			af_packet_passes_frames_both_ways_with_one_and_two_queues, make_veth,
			remove_veth),
		cmocka_unit_test_setup_teardown(af_packet_takes_the_mtu_of_its_interface, make_veth,
						remove_veth),
		cmocka_unit_test_setup_teardown(af_packet_has_the_address_of_its_interface,
						make_veth, remove_veth),
		cmocka_unit_test_setup_teardown(af_packet_with_more_sockets_than_shards_is_refused,
						make_veth, remove_veth),
		cmocka_unit_test_setup_teardown(af_xdp_passes_frames_both_ways_on_its_one_queue,
						make_veth, remove_veth),
	};

	frames_namespace();
	return cmocka_run_group_tests(tests, frames_setup, frames_teardown);
}
