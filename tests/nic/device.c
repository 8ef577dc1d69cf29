#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nic/device.h"

#include <errno.h>
#include <string.h>

static char why[NIC_WHY_LEN];
static struct device device;

static void a_virtual_device_is_a_name_and_arguments(void **state)
{
	char value[32];

	(void)state;
	assert_int_equal(device_parse(&device, "net_tap0,iface=clowder0,mac=fixed", why), 0);
	assert_string_equal(device.name, "net_tap0");
	assert_string_equal(device.args, "iface=clowder0,mac=fixed");
	assert_false(device.pci);
	assert_true(device_is(&device, "net_tap"));
	assert_true(device_arg(&device, "mac", value, sizeof(value)));
	assert_string_equal(value, "fixed");
	assert_false(device_arg(&device, "remote", value, sizeof(value)));
	assert_int_equal(device_parse(&device, "net_null0", why), 0);
	assert_string_equal(device.args, "");
	assert_false(device_arg(&device, "size", value, sizeof(value)));
}

static void a_pci_address_is_written_in_full(void **state)
{
	(void)state;
	assert_int_equal(device_parse(&device, "0000:01:00.0", why), 0);
	assert_true(device.pci);
	assert_string_equal(device.name, "0000:01:00.0");
	assert_int_equal(device_parse(&device, "0000:0A:00.1,key=value", why), 0);
	assert_true(device.pci);
	assert_string_equal(device.name, "0000:0a:00.1");
	assert_string_equal(device.args, "key=value");
	assert_false(device_lacks_queue_count(&device));
	assert_int_equal(device_parse(&device, "0a:00.1", why), -EINVAL);
	assert_non_null(strstr(why, "write it as 0000:0a:00.1"));
}

static void a_driver_that_clowder_does_not_know_is_passed_on(void **state)
{
	(void)state;
	assert_int_equal(device_parse(&device, "net_bonding0,mode=1", why), 0);
	assert_null(device.driver);
	assert_false(device_lacks_queue_count(&device));
}

static void the_number_of_queues_is_added_where_the_driver_wants_it(void **state)
{
	static const struct {
		const char *text, *args;
	} cases[] = {
		{"net_af_packet0,iface=eth0", "iface=eth0,qpairs=3"},
		{"net_vhost0,iface=/tmp/x", "iface=/tmp/x,queues=3"},
		{"net_virtio_user0,path=/tmp/x", "path=/tmp/x,queues=3"},
		{"net_virtio_user0", "queues=3"},
		{"net_vhost0,iface=/tmp/x,queues=1", NULL},
		{"net_tap0,iface=x", NULL},
		{"net_af_xdp0,iface=x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(device_parse(&device, cases[i].text, why), 0);
		assert_int_equal(device_lacks_queue_count(&device), cases[i].args != NULL);
		if (!cases[i].args)
			continue;
		device_set_queue_count(&device, 3);
		assert_string_equal(device.args, cases[i].args);
		assert_false(device_lacks_queue_count(&device));
	}
}

static void the_longest_device_still_has_room_for_its_queues(void **state)
{
	char text[NIC_DEVICE_LEN];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "net_vhost0,iface=/", 18);
	assert_int_equal(device_parse(&device, text, why), 0);
	device_set_queue_count(&device, 64);
	assert_string_equal(device.args + strlen(device.args) - 10, ",queues=64");
}

static void what_is_no_device_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		",iface=x",
		"tap0",
		"net",
		"0000:01:00",
		"net_tap0,ifname=x",
		"net_tap0,iface=x,mtu=9000",
		"net_ring0,x=y",
		"net_tap0,iface=0123456789abcdef",
		"net_tap0,=",
		"net_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why[0] = '\0';
		assert_int_equal(device_parse(&device, wrong[i], why), -EINVAL);
		assert_true(strlen(why) > 10);
	}
}

/* As the EAL does it. */
static void what_begins_with_a_drivers_name_is_its_device(void **state)
{
	(void)state;
	assert_int_equal(device_parse(&device, "net_ring_peer", why), 0);
	assert_true(device_is(&device, "net_ring"));
	assert_false(device_is(&device, "net_rin"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_virtual_device_is_a_name_and_arguments),
		cmocka_unit_test(a_pci_address_is_written_in_full),
		cmocka_unit_test(a_driver_that_clowder_does_not_know_is_passed_on),
		cmocka_unit_test(the_number_of_queues_is_added_where_the_driver_wants_it),
		cmocka_unit_test(the_longest_device_still_has_room_for_its_queues),
		cmocka_unit_test(what_is_no_device_is_refused),
		cmocka_unit_test(what_begins_with_a_drivers_name_is_its_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
