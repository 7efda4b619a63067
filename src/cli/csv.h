/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <cjson/cJSON.h>

/* The list of that name ("rules", "grants", "receipts") on stdout, a heading first. */
void csv_print(const char *name, const cJSON *entries);

#endif
