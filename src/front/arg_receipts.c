/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments about receipts and grants, and the words for what became of these. */
#include "arg_kinds.h"

#include <string.h>

#include "out.h"

const char *
receipt_kind_name(enum receipt_kind k)
{
	static const char *const names[RECEIPT_KIND_MAX] = {
	    [RECEIPT_OPENING] = "opening",
	    [RECEIPT_CLOSING] = "closing",
	    [RECEIPT_EXTENSION] = "extension",
	    [RECEIPT_REFRESH] = "refresh",
	    [RECEIPT_BULK] = "bulk",
	    [RECEIPT_ADMIN] = "administrative",
	};

	return k < RECEIPT_KIND_MAX ? names[k] : "?";
}

const char *
receipt_op_name(const struct rec_receipt_op *v)
{
	static const char *const names[OP_STATE_MAX] = {
	    [OP_UNTRIED] = "not_tried",
	    [OP_OPEN] = "open",
	    [OP_CLOSED] = "closed",
	    [OP_EXTENDED] = "extended",
	    [OP_AMBIGUOUS] = "ambiguous",
	    [OP_FAILED] = "failed",
	    [OP_TAKEN_BACK] = "taken_back",
	};

	if (v->state == OP_CLOSED && v->error != SGW_ERR_NONE)
		return "gone"; /* somebody else had taken it away */
	return v->state < OP_STATE_MAX ? names[v->state] : "?";
}

const char *
settle_state_name(enum settle_state s)
{
	static const char *const names[SETTLE_STATE_MAX] = {
	    [SETTLE_EARLY] = "too_early",
	    [SETTLE_READING] = "being_read",
	    [SETTLE_UNREADABLE] = "not_readable",
	    [SETTLE_THERE] = "there",
	    [SETTLE_ABSENT] = "absent",
	};

	return s < SETTLE_STATE_MAX ? names[s] : "?";
}

const char *
settle_sentence(const struct rec_unsettled *v)
{
	static const char *const sentences[SETTLE_STATE_MAX] = {
	    [SETTLE_EARLY] =
		"AWS may still accept it: it is read by itself once that is over, at known_at",
	    [SETTLE_READING] = "it is being read: ask again in a few seconds",
	    [SETTLE_UNREADABLE] = "AWS could not be read: it is tried again by itself",
	    [SETTLE_THERE] = "the rule is there: it was opened, and closes at its time",
	    [SETTLE_ABSENT] = "the rule is not there: it was never opened, or is closed again",
	};

	if (v->action == ACTION_CLOSE && v->state == SETTLE_THERE)
		return "the rule is still there: it was not closed; ask for it again if it shall "
		       "be";
	if (v->action == ACTION_CLOSE && v->state == SETTLE_ABSENT)
		return "the rule is gone: it was closed";
	return v->state < SETTLE_STATE_MAX ? sentences[v->state] : "?";
}

/* Each receipt_result once: its word in arguments, in their schema and in results. */
#define RESULTS(FIRST, NEXT)                                                                       \
	FIRST(RECEIPT_VOID, "void")                                                                \
	NEXT(RECEIPT_EXECUTED, "executed")                                                         \
	NEXT(RECEIPT_PARTLY, "partly")                                                             \
	NEXT(RECEIPT_FAILED, "failed")                                                             \
	NEXT(RECEIPT_AMBIGUOUS, "ambiguous")                                                       \
	NEXT(RECEIPT_COMPENSATED, "compensated")                                                   \
	NEXT(RECEIPT_UNDER_WAY, "under_way")

#define WORD_ROW(result, word) {word, result},
static const struct word RESULT_WORDS[] = {RESULTS(WORD_ROW, WORD_ROW){NULL, 0}};
#undef WORD_ROW
_Static_assert(sizeof(RESULT_WORDS) / sizeof(RESULT_WORDS[0]) == RECEIPT_RESULT_MAX + 1,
    "a word for each result");

#define QUOTED(result, word) "\"" word "\""
#define QUOTED_NEXT(result, word) ",\"" word "\""
const char RECEIPT_STATE_SCHEMA[] =
    "\"type\":\"string\",\"enum\":[" RESULTS(QUOTED, QUOTED_NEXT) "]";
#undef QUOTED
#undef QUOTED_NEXT

const char *
receipt_result_name(enum receipt_result r)
{
	for (const struct word *w = RESULT_WORDS; w->text != NULL; w++)
		if (w->value == (int)r)
			return w->text;
	return "?";
}

bool
arg_receipt_state(struct args *a, const cJSON *v, struct complaint *c)
{
	int value;

	if (!get_word(v, RESULT_WORDS, &value,
		"it must be void, executed, partly, failed, ambiguous, compensated or under_way",
		c))
		return false;
	a->results = (uint16_t)(1u << value);
	return true;
}

bool
arg_grant_state(struct args *a, const cJSON *v, struct complaint *c)
{
	static const struct word words[] = {{"open", GRANTS_OPEN}, {"closing", GRANTS_CLOSING},
	    {"ambiguous", GRANTS_AMBIGUOUS}, {"overdue", GRANTS_OVERDUE}, {"closed", GRANTS_CLOSED},
	    {NULL, 0}};
	int value;

	if (!get_word(
		v, words, &value, "it must be open, closing, ambiguous, overdue or closed", c))
		return false;
	a->grant_filter = (enum grant_filter)value;
	return true;
}

bool
arg_since(struct args *a, const cJSON *v, struct complaint *c)
{
	static const char allowed[] =
	    "it must be a time such as 2026-11-21T17:30:00Z or a day such as 2026-11-21";
	char text[64];

	if (!get_text(v, text, 10, 40, allowed, c))
		return false;
	if (strlen(text) == 10)
		memcpy(text + 10, "T00:00:00Z", sizeof("T00:00:00Z"));
	return time_parse(text, &a->since) || BAD(c, allowed);
}

bool
arg_receipt_id(struct args *a, const cJSON *v, struct complaint *c)
{
	return get_receipt(
	    v, a->receipt_id, "it must be a receipt: sgw- and 20 characters of a-z, 2-7", c);
}
