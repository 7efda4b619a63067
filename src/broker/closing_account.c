/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose answer a closing gets.  AWS knows nothing of another account's groups: to the keys of one it says "not found" of
 * every rule that stands open in the other, and a rule that was forgotten for that would stay open for good.
 */
#include "broker.h"

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

#define ACCOUNT_WAIT 5000 /* ms that a closing gives STS */

/* STS has been asked, or is as soon as it has said whose another profile's are. */
static bool
is_asked(const struct broker *b, const struct profile *p)
{
	return b->calls[CALL_IDENTITY].number && identity_wanted(p) &&
	       (&b->profiles[b->identity_of] == p || !p->asking);
}

int64_t
closing_soonest(const struct broker *b, const struct grant *g)
{
	for (size_t i = 0; i < b->n_profiles; i++)
		if (strcmp(b->profiles[i].conf->name, g->g.profile) == 0 &&
		    is_asked(b, &b->profiles[i]))
			return b->calls[CALL_IDENTITY].deadline - CALL_TIMEOUT - CALL_GRACE +
			       ACCOUNT_WAIT;
	return INT64_MIN;
}

/*
 * What AWS takes away it takes from whoever has the group: that is believed of any keys.  An owned net may have named
 * another account when the rule was opened, so the revoke is tried whatever STS says now.
 */
enum sgw_error
closing_absent(struct broker *b, const struct grant *g)
{
	struct profile *p = profile_find(b, g->g.profile);

	if (g->taken || !p || MUTATE(CLOSING_ACCOUNT))
		return SGW_ERR_NONE;
	if (is_asked(b, p))
		return SGW_ERR_ACCOUNT_UNKNOWN;
	if (p->account[0])
		return strcmp(p->account, g->g.account) == 0 ? SGW_ERR_NONE : SGW_ERR_OTHER_ACCOUNT;
	p->asking = false; /* once a try: these come less and less often */
	identity_next(b);
	return SGW_ERR_ACCOUNT_UNKNOWN;
}
