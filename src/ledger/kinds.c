/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of ledger record says, in its order. */
#include <sgwarden/ledger.h>

/* What every administrative act leaves: see src/broker/admin.c. */
#define ADMIN_KEYS                                                                                 \
	"receipt", "plan", "uid", "act", "?subject", "digest", "?removed", "credential",           \
	    "counter", "authdata", "signature", "text"

const struct ledger_kind_row LEDGER_KINDS[LEDGER_KIND_MAX] = {
    [LEDGER_START] = {LEDGER_START, "start",
	{"version", "appliance", "boot", "mode", "policy", "degraded"}},
    [LEDGER_POLICY] = {LEDGER_POLICY, "policy", {ADMIN_KEYS}},
    [LEDGER_ENROLL] = {LEDGER_ENROLL, "enroll",
	{"receipt", "uid", "name", "credential", "key", "aaguid", "zero", "format", "authdata",
	    "?attestation", "keys", "?by", "?by-authdata", "?by-signature", "text"}},
    [LEDGER_REMOVE] = {LEDGER_REMOVE, "remove", {ADMIN_KEYS}},
    [LEDGER_SEAL] = {LEDGER_SEAL, "seal",
	{"receipt", "plan", "uid", "act", "subject", "digest", "sealed", "text"}},
    [LEDGER_TOUCH] = {LEDGER_TOUCH, "touch",
	{"receipt", "credential", "counter", "authdata", "signature", "text"}},
    [LEDGER_LOCKDOWN] = {LEDGER_LOCKDOWN, "lockdown", {"scope", "uid", "by"}},
    [LEDGER_ENABLE] = {LEDGER_ENABLE, "enable", {ADMIN_KEYS}},
    [LEDGER_PHRASE] = {LEDGER_PHRASE, "phrase", {ADMIN_KEYS}},
    [LEDGER_CODE] = {LEDGER_CODE, "code", {ADMIN_KEYS}},
    [LEDGER_RECOVERY] = {LEDGER_RECOVERY, "recovery",
	{"receipt", "plan", "uid", "code", "code-signature", "text"}},
    [LEDGER_TEST] = {LEDGER_TEST, "test",
	{"receipt", "plan", "uid", "act", "?subject", "digest", "?sealed", "credential", "counter",
	    "authdata", "signature", "text"}},
    [LEDGER_REQUEST] = {LEDGER_REQUEST, "request",
	{"plan", "uid", "class", "line", "?detail", "?by"}},
    [LEDGER_REFUSAL] = {LEDGER_REFUSAL, "refusal",
	{"plan", "uid", "class", "error", "line", "?detail"}},
    [LEDGER_CONSENT] = {LEDGER_CONSENT, "consent",
	{"receipt", "plan", "class", "display", "?sealed", "credential", "counter", "authdata",
	    "signature", "text"}},
    [LEDGER_DENIAL] = {LEDGER_DENIAL, "denial", {"receipt", "plan", "reason"}},
    [LEDGER_TIMEOUT] = {LEDGER_TIMEOUT, "timeout", {"receipt", "plan", "stage"}},
    [LEDGER_INTENT] = {LEDGER_INTENT, "intent",
	{"receipt", "action", "op", "ops", "host", "date", "body"}},
    [LEDGER_OUTCOME] = {LEDGER_OUTCOME, "outcome",
	{"receipt", "action", "op", "ops", "status", "error", "?http", "?aws-request", "?rules",
	    "?detail"}},
    [LEDGER_CLOSE] = {LEDGER_CLOSE, "close",
	{"receipt", "op", "why", "status", "?aws-request", "?detail"}},
    [LEDGER_AMBIGUOUS] = {LEDGER_AMBIGUOUS, "ambiguous",
	{"receipt", "action", "op", "ops", "until"}},
    [LEDGER_RECONCILE] = {LEDGER_RECONCILE, "reconcile", {"receipt", "action", "op", "found"}},
    [LEDGER_DUE] = {LEDGER_DUE, "due", {"receipt", "op", "why"}},
    [LEDGER_TORN] = {LEDGER_TORN, "torn", {"length", "sha256"}},
    [LEDGER_SEGMENT] = {LEDGER_SEGMENT, "segment", {"segment", "last", "head"}},
    [LEDGER_STOP] = {LEDGER_STOP, "stop", {"reason"}},
};
