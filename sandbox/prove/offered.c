/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine offers to every process, by the lockdown's own account of it. */
#include "probe.h"

#include <sys/wait.h>

void
suite_offered(const struct setting *s)
{
	uint32_t all = 0;

	for (unsigned which = ROLE_FRONT; which < ROLE_MAX; which++) {
		struct probe p = probe_for(s, which);
		uint32_t degraded = 0;
		int status = probe_run(&p, &degraded);

		report("work", status == 0, "%s: comes up (status 0x%x)", probe_name(which),
		    (unsigned)status);
		all |= degraded;
	}
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if (degraded_name(bit) == NULL)
			continue;
		if (all & bit)
			report_missing(degraded_name(bit), "%s", degraded_why(bit));
		else
			report(degraded_name(bit), true, "%s", degraded_why(bit));
	}
}
