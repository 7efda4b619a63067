/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt shows, for a person or a program, once it holds. */
#include "receipt.h"

#include <string.h>

#include <cjson/cJSON.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>
#include <sgwarden/render.h>

#include "ledger.h"

struct told {
	struct receipt r;
	struct record record;
	const char *name; /* the key's in the list from elsewhere; NULL: there is no list */
	char fingerprint[2 * HASH_LEN + 1];
	char screen[SGW_RENDER_MAX + 1]; /* what was read before the touch */
	struct receipt_walk walk;
};

/* ---- for a person ---- */

/* What of each kind is said in its line. */
static const char *const SAID[LEDGER_KIND_MAX][6] = {
    [LEDGER_INTENT] = {"action", "host"},
    [LEDGER_OUTCOME] = {"action", "status", "error", "rules", "aws-request", "detail"},
    [LEDGER_CLOSE] = {"why", "status", "aws-request"},
    [LEDGER_AMBIGUOUS] = {"action", "until"},
    [LEDGER_RECONCILE] = {"action", "found"},
    [LEDGER_DUE] = {"why"},
};

static void
put_record(const struct ledger_entry *e)
{
	char line[1200], value[900], when[CLOCK_TEXT_LEN], hex[2 * HASH_LEN + 1];
	struct buf b = buf_over(line, sizeof(line)), h = buf_over(hex, sizeof(hex));

	clock_format(e->time, when);
	(void)(buf_put_hex(&h, e->self, HASH_LEN) && buf_put_c(&h));
	buf_printf(&b, "%s %s", when, LEDGER_KINDS[e->kind].name);
	for (size_t i = 0; i < 6 && SAID[e->kind][i]; i++) {
		ledger_text(e, SAID[e->kind][i], value, sizeof(value));
		if (value[0] && strcmp(value, "none") != 0)
			buf_printf(&b, " %s", value);
	}
	(void)buf_put_c(&b);
	printf("%-9llu ", (unsigned long long)e->number);
	out_wrapped(stdout, 10, line);
	printf("          %s\n", hex);
}

static void
tell_anchor(const struct told *t)
{
	char line[200];

	if (t->name) {
		snprintf(
		    line, sizeof(line), "yes, its key is \"%s\" of the key list given", t->name);
		fputs("anchored: ", stdout);
		out_wrapped(stdout, 10, line);
		return;
	}
	fputs("anchored: no. ", stdout);
	out_wrapped(stdout, 10,
	    "The key is the one that the receipt itself names; whether it was enrolled, only a key "
	    "list from elsewhere can show: --keys FILE.");
}

static void
tell(struct told *t)
{
	printf("receipt   %s\nappliance %s\nkey       ", t->r.receipt, t->r.appliance);
	out_fingerprint(10, t->fingerprint);
	printf("\n%s\n", t->screen);
	puts("The records of it in the ledger: number, time, kind, hash");
	t->walk.at = 0;
	for (unsigned i = 0; i < t->r.n_records && receipt_next(&t->walk); i++)
		put_record(&t->walk.entry);
	tell_anchor(t);
	puts("verified: yes");
}

/* ---- for a program ---- */

static void
add_hex(cJSON *object, const char *name, const uint8_t *data, size_t len)
{
	char hex[2 * SGW_CRED_ID_MAX + 1];
	struct buf b = buf_over(hex, sizeof(hex));

	(void)(buf_put_hex(&b, data, len) && buf_put_c(&b));
	cJSON_AddStringToObject(object, name, hex);
}

static void
tell_json(struct told *t)
{
	cJSON *tree = cJSON_CreateObject(), *data = cJSON_CreateObject(),
	      *key = cJSON_CreateObject(), *records = cJSON_CreateArray();

	cJSON_AddStringToObject(tree, "status", "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddStringToObject(data, "receipt", t->r.receipt);
	cJSON_AddStringToObject(data, "appliance", t->r.appliance);
	cJSON_AddItemToObject(data, "key", key);
	if (t->name)
		cJSON_AddStringToObject(key, "name", t->name);
	cJSON_AddStringToObject(key, "fingerprint", t->fingerprint);
	add_hex(key, "credential", t->r.key.id, t->r.key.id_len);
	add_hex(key, "public", t->r.key.key, sizeof(t->r.key.key));
	cJSON_AddBoolToObject(data, "anchored", t->name != NULL);
	cJSON_AddStringToObject(data, "shown", t->screen);
	cJSON_AddItemToObject(data, "records", records);
	t->walk.at = 0;
	for (unsigned i = 0; i < t->r.n_records && receipt_next(&t->walk); i++)
		cJSON_AddItemToArray(records, ledger_json(&t->walk.entry));
	out_json(tree);
}

/* ---- both ---- */

static int
refuse(const struct args *args, const char *why)
{
	return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s", why);
}

/* The key of the receipt in the list; NULL: it is not there, or the list is of another appliance. */
static const struct rec_key_entry *
key_listed(const struct receipt *r, const struct rec_key_list *list)
{
	if (strcmp(list->appliance, r->appliance) != 0 || !verify_key_known(list, &r->key))
		return NULL;
	for (size_t i = 0; i < list->n_keys; i++)
		if (list->keys[i].cred_id_len == r->key.id_len &&
		    memcmp(list->keys[i].cred_id, r->key.id, r->key.id_len) == 0)
			return &list->keys[i];
	return NULL;
}

static int
key_take(const struct args *args, const struct rec_key_list *outside, struct told *t)
{
	struct buf b = buf_over(t->fingerprint, sizeof(t->fingerprint));
	const struct rec_key_entry *entry = outside ? key_listed(&t->r, outside) : NULL;
	uint8_t digest[HASH_LEN];

	hash_sha256(t->r.key.key, sizeof(t->r.key.key), digest);
	(void)(buf_put_hex(&b, digest, sizeof(digest)) && buf_put_c(&b));
	if (outside && !entry && !MUTATE(RECEIPT_KEY))
		return refuse(args, strcmp(outside->appliance, t->r.appliance) != 0
					? "the key list given is another appliance's"
					: "the key that touched is not in the key list given");
	t->name = entry ? entry->name : NULL;
	return 0;
}

int
receipt_tell(
    const struct args *args, const char *text, size_t len, const struct rec_key_list *outside)
{
	static struct told t;
	struct buf screen = buf_over(t.screen, sizeof(t.screen));
	const char *why;
	int r;

	if (!receipt_decode(text, len, &t.r))
		return refuse(args, "this is no receipt, or not in the form that `receipt export` "
				    "writes");
	why = receipt_check(&t.r, &t.record);
	if (why)
		return refuse(args, why);
	r = key_take(args, outside, &t);
	if (r != 0)
		return r;
	t.walk.of = &t.r;
	if (!render_record(&t.record, &screen) || !buf_put_c(&screen))
		return refuse(args, "its record cannot be shown");
	if (args->json)
		tell_json(&t);
	else
		tell(&t);
	return 0;
}
