/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen, a line each, for people or for `sgwarden doctor`. */
#include "probe.h"

#include <stdarg.h>
#include <stdio.h>

static bool lines;
static unsigned all_run, all_failed;

void
report_lines(bool on)
{
	lines = on;
}

unsigned
report_run(void)
{
	return all_run;
}

unsigned
report_failed(void)
{
	return all_failed;
}

static void __attribute__((format(printf, 4, 0)))
put(const char *state, const char *mark, const char *layer, const char *format, va_list args)
{
	if (lines)
		printf("%s\t%s\t", state, layer);
	else
		printf("%s ", mark);
	vprintf(format, args);
	putchar('\n');
}

void
report(const char *layer, bool ok, const char *format, ...)
{
	va_list args;

	all_run++;
	all_failed += !ok;
	va_start(args, format);
	put(ok ? "held" : "FAILED", ok ? "ok    " : "NOT OK", layer, format, args);
	va_end(args);
}

void
report_missing(const char *layer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put("missing", "skip  ", layer, format, args);
	va_end(args);
}
