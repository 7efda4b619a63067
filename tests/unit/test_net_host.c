/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts net will talk to, and the lines of an answer's head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_regional, setup),
	    cmocka_unit_test_setup(test_override, setup),
	    cmocka_unit_test_setup(test_http_is_for_loopback, setup),
	    cmocka_unit_test(test_loopback),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests_name("net: hosts and heads", tests, NULL, NULL);
}
