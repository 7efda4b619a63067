/* SPDX-License-Identifier: Apache-2.0 */
/* Removing an enrolled key, and trying one out. */
#include "admin.h"

#include <stdio.h>

#include <sgwarden/clock.h>
#include <sgwarden/mutate.h>

static const struct rec_key_entry *
key_named(const struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (strcmp(b->keys.keys[i].name, name) == 0)
			return &b->keys.keys[i];
	return NULL;
}

static void
say_key(struct admin *a, const struct rec_key_entry *k)
{
	char when[CLOCK_TEXT_LEN], hex[2 * HASH_LEN + 1];
	struct buf out = buf_over(hex, sizeof(hex));
	uint8_t digest[HASH_LEN];

	hash_sha256(k->public_key, sizeof(k->public_key), digest);
	(void)buf_put_hex(&out, digest, sizeof(digest));
	(void)buf_put_c(&out);
	clock_format(k->enrolled, when);
	admin_say(a, "fingerprint %.32s", hex);
	admin_say(a, "            %s", hex + 32);
	admin_say(a, "enrolled %s", when);
}

/* ---- removal ---- */

static void
list_without(struct broker *b, const struct rec_key_entry *gone)
{
	struct rec_key_list *list = &b->keys_new;
	size_t n = 0;

	*list = b->keys;
	memset(list->keys, 0, sizeof(list->keys));
	for (size_t i = 0; i < b->keys.n_keys; i++)
		if (&b->keys.keys[i] != gone)
			list->keys[n++] = b->keys.keys[i];
	list->n_keys = (uint16_t)n;
}

enum sgw_error
key_remove_prepare(struct broker *b, const char **ret_detail)
{
	const struct rec_key_entry *gone = key_named(b, b->active->subject);
	struct buf out = buf_over(b->scratch, sizeof(b->scratch));

	*ret_detail = "no key of this name is enrolled";
	if (!gone)
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "it is the last one: enrol another key first";
	if (b->keys.n_keys == 1 && !MUTATE(LAST_KEY))
		return SGW_ERR_BAD_ARGUMENT;
	*ret_detail = "";
	list_without(b, gone);
	if (!rec_key_list_encode(&out, &b->keys_new))
		return SGW_ERR_INTERNAL;
	hash_sha256(out.data, out.len, b->keys_new_digest);
	memcpy(b->admin->digest, b->keys_new_digest, HASH_LEN);
	memcpy(b->admin->removed, gone->cred_id, gone->cred_id_len);
	b->admin->removed_len = gone->cred_id_len;
	say_key(b->admin, gone);
	admin_say(b->admin, "%u enrolled now, %u afterwards", (unsigned)b->keys.n_keys,
	    (unsigned)b->keys_new.n_keys);
	return SGW_ERR_NONE;
}

void
key_remove_commit(struct broker *b, bool both)
{
	if (!keys_commit(b, both))
		die("the key list has no form"); /* it had one a moment ago */
}

void
key_remove_applied(struct broker *b)
{
	size_t gone = 0;

	if (key_find(b, b->admin->removed, b->admin->removed_len, &gone))
		for (size_t i = gone; i + 1 < b->keys.n_keys; i++)
			b->counters[i] = b->counters[i + 1];
	b->counters[b->keys.n_keys - 1] = 0;
	b->keys = b->keys_new;
	memcpy(b->keys_digest, b->keys_new_digest, HASH_LEN);
	profiles_tell(b); /* who opens what is sealed */
	(void)snprintf(b->admin->detail, sizeof(b->admin->detail), "removed; %u left",
	    (unsigned)b->keys.n_keys);
}

/* ---- a try ---- */

enum sgw_error
key_test_prepare(struct broker *b, const char **ret_detail)
{
	const char *name = b->active->subject;

	*ret_detail = "no key of this name is enrolled";
	if (name[0] != 0) {
		b->admin->only = key_named(b, name);
		if (!b->admin->only)
			return SGW_ERR_BAD_ARGUMENT;
		say_key(b->admin, b->admin->only);
	}
	*ret_detail = "";
	admin_say(b->admin, "Nothing is changed: it shows that the key answers.");
	return SGW_ERR_NONE;
}

void
key_test_applied(struct broker *b)
{
	size_t index = 0;
	const struct rec_key_entry *k =
	    key_find(b, b->admin->touch.cred_id, b->admin->touch.cred_id_len, &index);

	(void)snprintf(b->admin->detail, sizeof(b->admin->detail), "the key \"%s\" answered, %s",
	    k ? k->name : "?", b->ceremony.record.pin ? "with its PIN" : "with a touch");
}
