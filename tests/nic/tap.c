#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/nic/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char device[] = "net_tap0,iface=clowdertest";
static const char ifname[] = "clowdertest";

static void pass_both_ways(uint16_t shard_count)
{
	struct nic_port *port = frames_open(device, shard_count);
	int fd = frames_socket(ifname);

	assert_int_equal(nic_port_info(port)->queue_count, shard_count);
	frames_socket_send(fd, 0, 100);
	frames_receive(port, 100);
	for (uint16_t q = 0; q < shard_count; q++)
		frames_send(port, q, q * 50u, 50);
	frames_socket_receive(fd, shard_count * 50u);
	close(fd);
	nic_port_close(port);
	frames_expect_all_home();
	assert_int_equal(if_nametoindex(ifname), 0);
}

static void frames_pass_both_ways_with_one_queue(void **state)
{
	(void)state;
	pass_both_ways(1);
}

static void frames_pass_both_ways_with_two_queues(void **state)
{
	(void)state;
	pass_both_ways(2);
}

static void a_tap_opens_again_after_it_was_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		pass_both_ways(1 + i % 2);
}

static void two_taps_live_side_by_side(void **state)
{
	struct nic_port *a = frames_open("net_tap0,iface=clowdera", 1);
	struct nic_port *b = frames_open("net_tap1,iface=clowderb", 1);
	int fd = frames_socket("clowderb");

	(void)state;
	frames_socket_send(fd, 0, 10);
	frames_receive(b, 10);
	nic_port_close(a);
	frames_socket_send(fd, 0, 10);
	frames_receive(b, 10);
	close(fd);
	nic_port_close(b);
	frames_expect_all_home();
}

static void the_driver_is_left_without_a_signal(void **state)
{
	struct nic_port *port = frames_open(device, 2);
	struct sigaction sa;

	(void)state;
	/* That frames pass all the same is the proof that it polls: see the tests above. */
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++) {
		assert_int_equal(sigaction(signo, NULL, &sa), 0);
		assert_ptr_equal(sa.sa_handler, SIG_DFL);
	}
	nic_port_close(port);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void a_signal_of_the_program_is_left_alone(void **state)
{
	struct sigaction old, now, mine = {.sa_handler = on_signal};
	struct nic_port *port;

	(void)state;
	assert_int_equal(sigaction(SIGRTMIN + 2, &mine, &old), 0);
	port = frames_open(device, 1);
	assert_int_equal(sigaction(SIGRTMIN + 2, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, on_signal);
	nic_port_close(port);
	sigaction(SIGRTMIN + 2, &old, NULL);
}

static void the_kernel_side_gets_its_address_and_comes_up(void **state)
{
	struct nic_port_config config = frames_config(device);
	struct ifreq ifr = {0};
	struct nic_port *port;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	config.kernel_addr = inet_addr("10.77.0.1");
	config.kernel_prefix_len = 25;
	config.mtu = 1400;
	port = frames_open_config(&config, 1);
	strcpy(ifr.ifr_name, ifname);
	assert_int_equal(ioctl(fd, SIOCGIFADDR, &ifr), 0);
	assert_int_equal(((struct sockaddr_in *)&ifr.ifr_addr)->sin_addr.s_addr,
			 inet_addr("10.77.0.1"));
	assert_int_equal(ioctl(fd, SIOCGIFNETMASK, &ifr), 0);
	assert_int_equal(((struct sockaddr_in *)&ifr.ifr_netmask)->sin_addr.s_addr,
			 inet_addr("255.255.255.128"));
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &ifr), 0);
	assert_true(ifr.ifr_flags & IFF_UP);
	assert_int_equal(ioctl(fd, SIOCGIFMTU, &ifr), 0);
	assert_int_equal(ifr.ifr_mtu, 1400);
	assert_int_equal(nic_port_info(port)->mtu, 1400);
	/* The two ends of the wire are told apart. */
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	assert_memory_not_equal(ifr.ifr_hwaddr.sa_data, nic_port_info(port)->mac.addr_bytes, 6);
	close(fd);
	nic_port_close(port);
}

static void the_configured_mac_is_ours_and_not_the_kernels(void **state)
{
	struct nic_port_config config = frames_config(device);
	struct ifreq ifr = {0};
	struct nic_port *port;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	config.has_mac = true;
	memcpy(config.mac.addr_bytes, "\x02\x11\x22\x33\x44\x55", 6);
	port = frames_open_config(&config, 1);
	assert_memory_equal(nic_port_info(port)->mac.addr_bytes, config.mac.addr_bytes, 6);
	strcpy(ifr.ifr_name, ifname);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	assert_memory_not_equal(ifr.ifr_hwaddr.sa_data, config.mac.addr_bytes, 6);
	close(fd);
	nic_port_close(port);
}

static void an_interface_that_exists_is_refused(void **state)
{
	struct nic_port_config config = frames_config("net_tap1,iface=clowdertest");
	struct nic_port *port = frames_open(device, 1);
	int fd = frames_socket(ifname);

	(void)state;
	frames_expect_refused(&config, 1, -EEXIST, "exists already");
	frames_socket_send(fd, 0, 10);
	frames_receive(port, 10);
	close(fd);
	nic_port_close(port);
	frames_expect_all_home();
}

static void an_argument_that_the_driver_would_ignore_is_refused(void **state)
{
	struct nic_port_config config = frames_config("net_tap0,ifcae=clowdertest");

	(void)state;
	frames_expect_refused(&config, 1, -EINVAL, "ifcae");
}

static void a_tap_has_no_table_and_says_so(void **state)
{
	struct nic_port *port = frames_open(device, 2);

	(void)state;
	assert_int_equal(nic_port_info(port)->steering, NIC_STEER_SOFTWARE);
	assert_non_null(strstr(nic_port_info(port)->why, "reta size 0"));
	assert_non_null(strstr(nic_port_info(port)->why, "come home by themselves"));
	assert_false(nic_port_trusted_mt(port));
	nic_port_close(port);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, timeout_ms) == 1;
}

static void a_packet_wakes_who_sleeps_on_its_queue(void **state)
{
	struct nic_port *port = frames_open(device, 1);
	int fd = frames_socket(ifname), wake = nic_rx_interrupt_fd(port, 0);

	(void)state;
	assert_true(nic_port_info(port)->rx_interrupts);
	assert_true(wake >= 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(nic_rx_interrupt_arm(port, 0, true), 0);
		assert_false(readable(wake, 0));
		frames_socket_send(fd, 0, 1);
		assert_true(readable(wake, 5000));
		assert_int_equal(nic_rx_interrupt_arm(port, 0, false), 0);
		frames_receive(port, 1);
		/* What came while the shard was polling, and was taken, does not wake it later. */
		frames_socket_send(fd, 0, 1);
		frames_receive(port, 1);
	}
	assert_int_equal(nic_rx_interrupt_fd(port, 1), -1);
	assert_int_equal(nic_rx_interrupt_arm(port, 1, true), -ENOTSUP);
	close(fd);
	nic_port_close(port);
	frames_expect_all_home();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_pass_both_ways_with_one_queue),
		cmocka_unit_test(frames_pass_both_ways_with_two_queues),
		cmocka_unit_test(a_tap_opens_again_after_it_was_closed),
		cmocka_unit_test(two_taps_live_side_by_side),
		cmocka_unit_test(the_driver_is_left_without_a_signal),
		cmocka_unit_test(a_signal_of_the_program_is_left_alone),
		cmocka_unit_test(the_kernel_side_gets_its_address_and_comes_up),
		cmocka_unit_test(the_configured_mac_is_ours_and_not_the_kernels),
		cmocka_unit_test(an_interface_that_exists_is_refused),
		cmocka_unit_test(an_argument_that_the_driver_would_ignore_is_refused),
		cmocka_unit_test(a_tap_has_no_table_and_says_so),
		cmocka_unit_test(a_packet_wakes_who_sleeps_on_its_queue),
	};

	frames_namespace();
	return cmocka_run_group_tests(tests, frames_setup, frames_teardown);
}
