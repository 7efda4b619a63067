/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts and ports net will talk to, and the lines of an answer's head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sgwarden/ports.h>

#include "header.h"
#include "host.h"

static struct rec_config config;

static int
setup(void **state)
{
	struct rec_profile_conf *profile = &config.profiles[0];

	memset(&config, 0, sizeof(config));
	config.n_profiles = 1;
	profile->n_regions = 3;
	snprintf(profile->regions[0].name, sizeof(profile->regions[0].name), "eu-west-1");
	snprintf(profile->regions[1].name, sizeof(profile->regions[1].name), "cn-north-1");
	snprintf(profile->regions[2].name, sizeof(profile->regions[2].name), "nowhere");
	return 0;
}

static void
set_ec2(const char *endpoint)
{
	snprintf(config.profiles[0].ec2_endpoint, sizeof(config.profiles[0].ec2_endpoint), "%s",
	    endpoint);
}

static void
test_regional(void **state)
{
	assert_true(host_possible(&config, "ec2.eu-west-1.amazonaws.com", true));
	assert_true(host_possible(&config, "sts.eu-west-1.amazonaws.com", true));
	assert_true(host_possible(&config, "ec2.cn-north-1.amazonaws.com.cn", true));
	assert_false(host_possible(&config, "ec2.eu-west-1.amazonaws.com", false));
	assert_false(host_possible(&config, "ec2.us-east-1.amazonaws.com", true));
	assert_false(host_possible(&config, "s3.eu-west-1.amazonaws.com", true));
	assert_false(host_possible(&config, "ec2.eu-west-1.amazonaws.com:8443", true));
	assert_false(host_possible(&config, "ec2.eu-west-1.amazonaws.com.evil.example", true));
	assert_false(host_possible(&config, "x@ec2.eu-west-1.amazonaws.com", true));
	assert_false(host_possible(&config, "ec2.nowhere.(null)", true));
	assert_false(host_possible(&config, "", true));
}

/* An override takes the place of the regional name of its service, and of that alone. */
static void
test_override(void **state)
{
	set_ec2("https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com:8443/");
	assert_true(host_possible(&config, "vpce-1.ec2.eu-west-1.vpce.amazonaws.com:8443", true));
	assert_false(host_possible(&config, "vpce-1.ec2.eu-west-1.vpce.amazonaws.com", true));
	assert_false(host_possible(&config, "vpce-1.ec2.eu-west-1.vpce.amazonaws.com:844", true));
	assert_false(host_possible(&config, "ec2.eu-west-1.amazonaws.com", true));
	assert_true(host_possible(&config, "sts.eu-west-1.amazonaws.com", true));
	set_ec2("https://a.example/path");
	assert_false(host_possible(&config, "a.example", true));
	assert_false(host_possible(&config, "a.example/path", false));
}

static void
test_http_is_for_loopback(void **state)
{
	set_ec2("http://127.0.0.1:4566");
	assert_false(host_possible(&config, "127.0.0.1:4566", false));
	config.http_loopback = true;
	assert_true(host_possible(&config, "127.0.0.1:4566", false));
	assert_false(host_possible(&config, "127.0.0.1:4566", true));
	assert_false(host_possible(&config, "127.0.0.1:4567", false));
	set_ec2("http://[::1]:4566");
	assert_true(host_possible(&config, "[::1]:4566", false));
	set_ec2("http://192.0.2.1:4566");
	assert_false(host_possible(&config, "192.0.2.1:4566", false));
	set_ec2("http://localhost:4566");
	assert_false(host_possible(&config, "localhost:4566", false));
}

static void
test_loopback(void **state)
{
	static const char *const yes[] = {
	    "127.0.0.1", "127.0.0.1:1", "127.255.255.254:65535", "[::1]", "[::1]:80"};
	static const char *const no[] = {"", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:123456",
	    "127.0.0.1.example", "127.1", "0x7f.0.0.1", "127.0.0.1/8", "128.0.0.1", "::1", "[::1",
	    "[::2]", "[::1]x", "[::1]:", "127.0.0.1:80@evil", "localhost"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(host_is_loopback(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(host_is_loopback(no[i]));
}

static void
test_date(void **state)
{
	static const char *const no[] = {"", "Sun, 06 Nov 1994 08:49:37 UTC",
	    "Sun, 06 Nov 1994 08:49:37 GMT+", "Sun, 31 Feb 1994 08:49:37 GMT",
	    "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun. 06 Nov 1994 08:49:37 GMT"};
	int64_t when = 0;

	assert_true(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT", 29, &when));
	assert_int_equal(when, 784111777);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(http_date_parse(no[i], strlen(no[i]), &when));
	assert_int_equal(when, 784111777);
}

static void
test_header(void **state)
{
	static const char line[] = "dAtE:  x y \r\n";
	const char *value = NULL;
	size_t len = 0;

	assert_true(header_is(line, strlen(line), "Date", &value, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(value, "x y", 3);
	assert_false(header_is(line, strlen(line), "Dat", &value, &len));
	assert_false(header_is("Date\r\n", 6, "Date", &value, &len));
	assert_false(header_is("Da", 2, "Date", &value, &len));
	assert_true(header_is("Date:\r\n", 7, "Date", &value, &len));
	assert_int_equal(len, 0);
}

static void
test_port_of_a_url(void **state)
{
	static const struct {
		const char *url;
		uint16_t port;
	} URLS[] = {
	    {"https://ec2.eu-west-1.amazonaws.com", 443},
	    {"https://checkip.example/ip", 443},
	    {"https://a.example:8443/x:99", 8443},
	    {"http://127.0.0.1:4566", 4566},
	    {"http://127.0.0.1", 80},
	    {"http://[::1]:65535", 65535},
	    {"https://[::1]", 443},
	    {"https://[::1", 0},
	    {"https://a.example:", 0},
	    {"https://a.example:0443", 0},
	    {"https://a.example:65536", 0},
	    {"https://a.example:4 43", 0},
	    {"ftp://a.example:443", 0},
	    {"", 0},
	};

	for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++)
		assert_int_equal(ports_url(URLS[i].url), URLS[i].port);
}

static void
test_ports_as_text(void **state)
{
	static const char *const BAD[] = {"", ",", "53,", ",53", "443,53", "53,53", "0", "053",
	    "65536", "53, 443", "53;443", "-1", "100000"};
	struct ports ports = {0}, again = {.n = 1, .port = {7}};
	char text[PORTS_TEXT_MAX];

	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		assert_false(ports_parse(BAD[i], &again));
	assert_true(again.n == 1 && again.port[0] == 7);
	assert_false(ports_add(&ports, 0));
	for (unsigned i = 0; i < SGW_PORTS_MAX; i++)
		assert_true(ports_add(&ports, (uint16_t)(65535 - i)));
	assert_true(ports_add(&ports, 65535));
	assert_false(ports_add(&ports, 443));
	ports_print(&ports, text);
	assert_int_equal(strlen(text), PORTS_TEXT_MAX - 1);
	assert_true(ports_parse(text, &again));
	assert_memory_equal(&ports, &again, sizeof(ports));
	snprintf(text, sizeof(text), "1,");
	assert_false(ports_parse(text, &again));
}

/* AWS's own port, name servers, and what the configuration names besides. */
static void
test_ports_of_the_configuration(void **state)
{
	struct ports ports;
	char text[PORTS_TEXT_MAX];

	ports_of_config(&config, &ports);
	ports_print(&ports, text);
	assert_string_equal(text, "53,443");
	set_ec2("http://127.0.0.1:4566");
	config.n_address_sources = 2;
	snprintf(config.address_sources[0].url, SGW_HOST_MAX, "https://checkip.amazonaws.com");
	snprintf(config.address_sources[1].url, SGW_HOST_MAX, "https://ip.example:8443/me");
	snprintf(config.proxy, sizeof(config.proxy), "http://proxy.example:3128");
	ports_of_config(&config, &ports);
	ports_print(&ports, text);
	assert_string_equal(text, "53,443,3128,4566,8443");
	snprintf(config.profiles[0].sts_endpoint, SGW_HOST_MAX, "http://127.0.0.1:4566");
	config.n_address_sources = 0;
	config.proxy[0] = 0;
	ports_of_config(&config, &ports);
	ports_print(&ports, text);
	assert_string_equal(text, "53,4566");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_regional, setup),
	    cmocka_unit_test_setup(test_override, setup),
	    cmocka_unit_test_setup(test_http_is_for_loopback, setup),
	    cmocka_unit_test(test_loopback),
	    cmocka_unit_test(test_port_of_a_url),
	    cmocka_unit_test(test_ports_as_text),
	    cmocka_unit_test_setup(test_ports_of_the_configuration, setup),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests_name("net: hosts and heads", tests, NULL, NULL);
}
