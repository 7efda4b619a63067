/* SPDX-License-Identifier: Apache-2.0 */
/* Wall and monotonic time, RFC 3339 text, and in test builds the offset that the test keeps in FD_TESTCLOCK. */
#include <sgwarden/clock.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if SGW_TESTCLOCK
#include <endian.h>
#include <sys/mman.h>

#include <sgwarden/topology.h>

static const int64_t *test_offset;

/*
 * May run before or after the sandbox is on: one read-only mapping, which every policy allows.  The test's file holds
 * two numbers of eight bytes: seconds for every clock, and seconds for the wall clock alone, as if somebody had set
 * it; the second may be missing.  Where FD_TESTCLOCK is not open both are zero.
 */
void
clock_open(void)
{
	void *map = mmap(NULL, 2 * sizeof(*test_offset), PROT_READ, MAP_SHARED, FD_TESTCLOCK, 0);

	test_offset = map == MAP_FAILED ? NULL : map;
}

static int64_t
offset_at(size_t i)
{
	if (test_offset == NULL)
		return 0;
	return (int64_t)le64toh((uint64_t)__atomic_load_n(test_offset + i, __ATOMIC_RELAXED));
}

static int64_t
clock_offset(void)
{
	return offset_at(0);
}

static int64_t
wall_offset(void)
{
	return offset_at(0) + offset_at(1);
}
#else
void
clock_open(void)
{
}

static int64_t
clock_offset(void)
{
	return 0;
}

static int64_t
wall_offset(void)
{
	return 0;
}
#endif

int64_t
clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec + wall_offset();
}

int64_t
clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ((int64_t)ts.tv_sec + clock_offset()) * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_machine(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
clock_wait(int64_t ms)
{
#if SGW_TESTCLOCK
	if (test_offset != NULL && (ms < 0 || ms > CLOCK_WAIT_MAX))
		return CLOCK_WAIT_MAX;
#endif
	if (ms < 0)
		return -1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, years counted from March. */
static int64_t
days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static void
date_from_days(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t doe = shifted - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t shifted_month = (5 * doy + 2) / 153;

	*ret_day = doy - (153 * shifted_month + 2) / 5 + 1;
	*ret_month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

#define CLOCK_FIRST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define CLOCK_LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define DAY 86400

void
clock_format(int64_t when, char ret_text[CLOCK_TEXT_LEN])
{
	int64_t year, month, day, days, rest;
	char text[8 * CLOCK_TEXT_LEN];

	/* Four digits of year are all that the form has: what lies outside is shown as its nearest end. */
	when = when < CLOCK_FIRST ? CLOCK_FIRST : when > CLOCK_LAST ? CLOCK_LAST : when;
	days = (when >= 0 ? when : when - (DAY - 1)) / DAY;
	rest = when - days * DAY;
	date_from_days(days, &year, &month, &day);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month,
	    (int)day, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
	memcpy(ret_text, text, CLOCK_TEXT_LEN - 1);
	ret_text[CLOCK_TEXT_LEN - 1] = 0;
}

static int64_t
number_at(const char *text, size_t digits)
{
	int64_t v = 0;

	for (size_t i = 0; i < digits; i++)
		v = v * 10 + (text[i] - '0');
	return v;
}

int
clock_parse(const char *text, size_t len, int64_t *ret_when)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	char again[CLOCK_TEXT_LEN];
	int64_t when;

	if (len != CLOCK_TEXT_LEN - 1)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return -1;
	}
	when = days_from_date(number_at(text, 4), number_at(text + 5, 2), number_at(text + 8, 2)) *
		   DAY +
	       number_at(text + 11, 2) * 3600 + number_at(text + 14, 2) * 60 +
	       number_at(text + 17, 2);
	/* A month 13 or a February 30 comes back as another date: only what we would write is taken. */
	clock_format(when, again);
	if (memcmp(again, text, len) != 0)
		return -1;
	*ret_when = when;
	return 0;
}
