/* SPDX-License-Identifier: Apache-2.0 */
/* Old and new policy, field by field; see policy_diff.h.  The lists are policy_diff_lists.c's. */
#include "policy_diff_into.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
diff_add(struct policy_diff *d, enum policy_change_kind kind, const char *format, ...)
{
	struct policy_change *c = &d->change[d->n];
	va_list args;

	if (d->n == POLICY_CHANGES_MAX)
		return;
	d->n++;
	c->kind = kind;
	va_start(args, format);
	(void)vsnprintf(c->text, sizeof(c->text), format, args);
	va_end(args);
}

/* ---- numbers ---- */

enum number_form {
	NUMBER,
	SPAN, /* seconds */
};

/* %1$s is the new value, %2$s the old one. */
struct number_row {
	size_t offset, size;
	enum number_form form;
	bool more_is_wider;
	const char *wider, *narrower;
};

#define AT(member) offsetof(struct rec_policy, member), sizeof(((struct rec_policy *)0)->member)

#define PREFIX_ROWS(v, name)                                                                       \
	{AT(v##_forbidden), NUMBER, false, name " sources from /%1$s on (so far from /%2$s on)",   \
	    name " sources wider than /%1$s (so far from /%2$s on)"},                              \
	{                                                                                          \
		AT(v##_wide), NUMBER, false,                                                       \
		    name                                                                           \
		    " sources from /%1$s on without being class open-wide (so far from /%2$s "     \
		    "on)",                                                                         \
		    name " sources wider than /%1$s without being class open-wide (so far from "   \
			 "/%2$s on)"                                                               \
	}

#define TIME_ROWS(member, class)                                                                   \
	{AT(member.lifetime_max), SPAN, true, "class " class " for up to %1$s (so far %2$s)",      \
	    "class " class " for more than %1$s (so far up to %2$s)"},                             \
	    {AT(member.lifetime_min), SPAN, false,                                                 \
		"class " class " for as little as %1$s (so far at least %2$s)",                    \
		"class " class " for less than %1$s (so far from %2$s on)"},                       \
	{                                                                                          \
		AT(member.lifetime_default), SPAN, true,                                           \
		    "class " class " for %1$s where no time is asked for (so far %2$s)",           \
		    "class " class " for more than %1$s where no time is asked for (so far %2$s)"  \
	}

static const struct number_row NUMBERS[] = {
    PREFIX_ROWS(v4, "IPv4"),
    PREFIX_ROWS(v6, "IPv6"),
    {AT(bulk_ops), NUMBER, true,
	"plans of up to %1$s rules without being class open-wide (so far up to %2$s)",
	"plans of more than %1$s rules without being class open-wide (so far up to %2$s)"},
    {AT(v4_union_max), NUMBER, true, "up to %1$s IPv4 addresses per port (so far up to %2$s)",
	"more than %1$s IPv4 addresses per port (so far up to %2$s)"},
    {AT(v6_union_max), NUMBER, true, "up to %1$s IPv6 /64 networks per port (so far up to %2$s)",
	"more than %1$s IPv6 /64 networks per port (so far up to %2$s)"},
    TIME_ROWS(on_open, "open"),
    TIME_ROWS(on_sensitive, "open-sensitive"),
    TIME_ROWS(on_wide, "open-wide"),
    {AT(prompts_per_hour), NUMBER, true,
	"up to %1$s consent screens an hour for one user (so far up to %2$s)",
	"more than %1$s consent screens an hour for one user (so far up to %2$s)"},
    {AT(rules_per_group), NUMBER, true,
	"up to %1$s rules in a group, per family (so far up to %2$s)",
	"more than %1$s rules in a group, per family (so far up to %2$s)"},
    {AT(open_most), NUMBER, true, "up to %1$s rules open at once (so far up to %2$s)",
	"more than %1$s rules open at once (so far up to %2$s)"},
    {AT(open_most_client), NUMBER, true,
	"up to %1$s rules open at once for one user (so far up to %2$s)",
	"more than %1$s rules open at once for one user (so far up to %2$s)"},
};

static uint32_t
number_at(const struct rec_policy *p, const struct number_row *row)
{
	const char *at = (const char *)p + row->offset;
	uint16_t two;
	uint32_t four;

	if (row->size == 1)
		return *(const uint8_t *)at;
	if (row->size == 2) {
		memcpy(&two, at, 2);
		return two;
	}
	memcpy(&four, at, 4);
	return four;
}

static void
number_text(enum number_form form, uint32_t value, char ret_text[24])
{
	if (form == SPAN)
		policy_span_text(value, ret_text);
	else
		(void)snprintf(ret_text, 24, "%u", (unsigned)value);
}

/* The rows' own formats, each with %1$s and %2$s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
numbers_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
		const struct number_row *row = &NUMBERS[i];
		uint32_t was = number_at(a, row), is = number_at(b, row);
		bool wider = (is > was) == row->more_is_wider;
		char from[24], to[24];

		if (was == is)
			continue;
		number_text(row->form, was, from);
		number_text(row->form, is, to);
		diff_add(d, wider ? POLICY_WIDER : POLICY_NARROWER,
		    wider ? row->wider : row->narrower, to, from);
	}
}
#pragma GCC diagnostic pop

/* ---- switches ---- */

struct switch_row {
	size_t offset;
	bool allows; /* the value that allows it */
	const char *what;
};

#define CLASS_ROWS(member, class)                                                                  \
	{offsetof(struct rec_policy, member.pin), false, "class " class " without the PIN"},       \
	{                                                                                          \
		offsetof(struct rec_policy, member.trusted_display), false,                        \
		    "class " class " on a screen of the client's own user, where the policy lets " \
				   "such screens approve"                                          \
	}

static const struct switch_row SWITCHES[] = {
    CLASS_ROWS(on_foreign, "close-foreign"),
    CLASS_ROWS(on_open, "open"),
    CLASS_ROWS(on_sensitive, "open-sensitive"),
    CLASS_ROWS(on_wide, "open-wide"),
    {offsetof(struct rec_policy, require_opt_in), false,
	"changes in groups without the tag sgwarden:managed=true"},
    {offsetof(struct rec_policy, require_reason), false, "changes without a reason"},
    {offsetof(struct rec_policy, allow_private), true,
	"private ranges as sources: RFC 1918, fc00::/7, 100.64.0.0/10"},
    {offsetof(struct rec_policy, allow_documentation), true,
	"documentation ranges as sources, such as 203.0.113.0/24"},
    {offsetof(struct rec_policy, allow_shared_display), true,
	"approvals on a screen of the client's own user"},
    {offsetof(struct rec_policy, allow_permanent), true,
	"permanent openings, which never close by themselves, as class open-wide"},
    {offsetof(struct rec_policy, client_lockdown), true,
	"lockdown at a client's request: all that is open here is closed"},
};

static void
switches_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	for (size_t i = 0; i < sizeof(SWITCHES) / sizeof(SWITCHES[0]); i++) {
		const struct switch_row *row = &SWITCHES[i];
		bool was = *((const bool *)((const char *)a + row->offset));
		bool is = *((const bool *)((const char *)b + row->offset));

		if (was != is)
			diff_add(
			    d, is == row->allows ? POLICY_WIDER : POLICY_NARROWER, "%s", row->what);
	}
}

/* Another prefix is another set of tickets: for whoever has those, it widens. */
static void
ticket_diff(const struct rec_policy *a, const struct rec_policy *b, struct policy_diff *d)
{
	if (strcmp(a->ticket_prefix, b->ticket_prefix) == 0)
		return;
	if (b->ticket_prefix[0] == 0)
		diff_add(d, POLICY_WIDER, "changes without a ticket (so far %s and a number)",
		    a->ticket_prefix);
	else if (a->ticket_prefix[0] == 0)
		diff_add(d, POLICY_NARROWER, "changes without a ticket: %s and a number",
		    b->ticket_prefix);
	else
		diff_add(d, POLICY_WIDER,
		    "changes with a ticket of the form %s and a number (so far %s)",
		    b->ticket_prefix, a->ticket_prefix);
}

/* ---- all of it ---- */

static void
sort(struct policy_diff *d)
{
	for (size_t i = 1; i < d->n; i++)
		for (size_t k = i; k > 0 && d->change[k].kind < d->change[k - 1].kind; k--) {
			struct policy_change c = d->change[k];

			d->change[k] = d->change[k - 1];
			d->change[k - 1] = c;
		}
}

void
policy_diff(const struct rec_policy *old_policy, const struct rec_policy *new_policy,
    struct policy_diff *ret_diff)
{
	ret_diff->n = 0;
	numbers_diff(old_policy, new_policy, ret_diff);
	switches_diff(old_policy, new_policy, ret_diff);
	ticket_diff(old_policy, new_policy, ret_diff);
	sensitive_diff(old_policy, new_policy, ret_diff);
	services_diff(old_policy, new_policy, ret_diff);
	askers_diff(old_policy, new_policy, ret_diff);
	scopes_diff(old_policy, new_policy, ret_diff);
	sort(ret_diff);
}
