/* SPDX-License-Identifier: Apache-2.0 */
/* What a difference between the ledger and AWS means, and what to do next. */
#include "out.h"

struct drift_words {
	const char *name, *says, *next_step;
};

static const struct drift_words WORDS[DRIFT_KIND_MAX] = {
    [DRIFT_MISSING] = {"missing",
	"the ledger says that it is open; AWS has no such rule: somebody else removed it",
	"nothing is open there; ask for it anew if it is still wanted, it is closed in the ledger "
	"at "
	"its time"},
    [DRIFT_GROUP_GONE] = {"group_gone",
	"the ledger says that it is open; AWS has no such group any more",
	"nothing is open there; it is closed in the ledger at its time"},
    [DRIFT_REPLACED] = {"replaced",
	"the rule that was opened is gone; one with its tag has other ports or another source: "
	"somebody changed it in AWS",
	"look at at_aws: nobody agreed to that, and nothing closes it by itself; ask for it to be "
	"closed with whitelist_remove and its rule_id"},
    [DRIFT_MARKS] = {"marks",
	"the rule is as it was opened; its description or tags are not what was written then",
	"it closes at its time all the same; ask who changes tags in this account"},
    [DRIFT_OVERDUE] = {"overdue", "it should be closed by now and is still there",
	"health says why; it is tried again until it is closed"},
    [DRIFT_UNKNOWN] = {"unknown",
	"the rule carries our tag, and no opening of that receipt is known to be open: a copied "
	"tag, "
	"another machine's, or an older ledger",
	"`sgwarden ledger show --receipt` says what the receipt was for; nothing closes the rule "
	"by "
	"itself: ask for it with whitelist_remove and its rule_id"},
    [DRIFT_COPIED] = {"copied",
	"the rule carries the tag of an opening that is there as well: the tag was copied",
	"nothing closes it by itself; ask for it with whitelist_remove and its rule_id if nobody "
	"knows it"},
};

const char *
drift_kind_name(enum drift_kind k)
{
	return k < DRIFT_KIND_MAX ? WORDS[k].name : "?";
}

const char *
drift_sentence(enum drift_kind k)
{
	return k < DRIFT_KIND_MAX ? WORDS[k].says : "?";
}

const char *
drift_next_step(enum drift_kind k)
{
	return k < DRIFT_KIND_MAX ? WORDS[k].next_step : "?";
}

/* A rule that carries a tag of ours may have any source. */
void
show_drift_source(struct jw *w, const struct rec_drift *drift)
{
	if (drift->kind == DRIFT_UNKNOWN || drift->kind == DRIFT_COPIED)
		show_source(w, &drift->now);
	else
		show_cidr(w, &drift->source);
}
