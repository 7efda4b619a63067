/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger_filter.h. */
#include "ledger_filter.h"

#include <string.h>

#include <sgwarden/clock.h>
#include <sgwarden/plan.h>

/* 2026-11-21T16:30:00Z, or a day: its beginning in UTC. */
static bool
time_read(const char *text, int64_t *ret_time)
{
	char whole[CLOCK_TEXT_LEN];

	if (strlen(text) == 10 && snprintf(whole, sizeof(whole), "%sT00:00:00Z", text) > 0)
		return clock_parse(whole, strlen(whole), ret_time) == 0;
	return clock_parse(text, strlen(text), ret_time) == 0;
}

static int
kind_read(const struct args *args, enum ledger_kind *ret_kind)
{
	char names[400] = "";
	struct buf b = buf_over(names, sizeof(names));

	for (size_t k = 0; k < LEDGER_KIND_MAX; k++) {
		if (strcmp(LEDGER_KINDS[k].name, args->kind) == 0) {
			*ret_kind = (enum ledger_kind)k;
			return 0;
		}
		buf_printf(&b, "%s%s", k ? " " : "", LEDGER_KINDS[k].name);
	}
	(void)buf_put_c(&b);
	return out_error(
	    args, SGW_ERR_BAD_ARGUMENT, "--kind", "there are records of the kinds %s", names);
}

int
ledger_filter_read(const struct args *args, struct ledger_filter *ret_filter)
{
	*ret_filter = (struct ledger_filter){
	    .since = INT64_MIN, .kind = LEDGER_KIND_MAX, .receipt = args->receipt};
	if (args->since && !time_read(args->since, &ret_filter->since))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--since",
		    "a time is written 2026-11-21T16:30:00Z, or 2026-11-21");
	if (args->receipt && !receipt_id_ok(args->receipt))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--receipt",
		    "a receipt is sgw- and 20 characters a-z, 2-7");
	return args->kind ? kind_read(args, &ret_filter->kind) : 0;
}

bool
ledger_of_receipt(const struct ledger_entry *entry, const char *receipt)
{
	const struct ledger_field *field = ledger_field(entry, "receipt");
	char own[SGW_RECEIPT_LEN + 1];

	if (field && field->len == strlen(receipt) &&
	    memcmp(field->value, receipt, field->len) == 0)
		return true;
	if (entry->kind != LEDGER_CLOSE)
		return false;
	receipt_id(entry->self, own);
	return strcmp(own, receipt) == 0;
}

bool
ledger_filter_takes(const struct ledger_filter *filter, const struct ledger_entry *entry)
{
	return entry->time >= filter->since &&
	       (filter->kind == LEDGER_KIND_MAX || entry->kind == filter->kind) &&
	       (!filter->receipt || ledger_of_receipt(entry, filter->receipt));
}
