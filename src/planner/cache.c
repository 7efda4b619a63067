/* SPDX-License-Identifier: Apache-2.0 */
/* The read cache: bounded in entries and bytes; the one unused for longest goes first. */
#include "cache.h"

#include <string.h>

#include "snap.h"

static uint64_t
hash_text(uint64_t h, const char *text)
{
	for (; *text != 0; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

/* FNV-1a: to find quickly what is then compared in full.  Never 0. */
static uint64_t
key_hash(const struct read_key *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)key->what;

	h = hash_text(h, key->group_id);
	h = hash_text(h, key->region);
	h = hash_text(h, key->profile);
	return h | 1;
}

bool
key_equal(const struct read_key *a, const struct read_key *b)
{
	return a->what == b->what && strcmp(a->group_id, b->group_id) == 0 &&
	       strcmp(a->region, b->region) == 0 && strcmp(a->profile, b->profile) == 0;
}

bool
key_touched(
    const struct read_key *key, const char *profile, const char *region, const char *group_id)
{
	if (key->what == AWS_CALLER_IDENTITY || strcmp(key->profile, profile) != 0 ||
	    strcmp(key->region, region) != 0)
		return false;
	return key->group_id[0] == 0 || strcmp(key->group_id, group_id) == 0;
}

static void
entry_drop(struct planner *p, struct cache_entry *e)
{
	p->cache_bytes -= e->snap->bytes;
	snap_unref(p, e->snap);
	*e = (struct cache_entry){0};
}

struct snap *
cache_get(struct planner *p, const struct read_key *key)
{
	uint64_t hash = key_hash(key);

	for (size_t i = 0; i < CACHE_ENTRIES_MAX; i++) {
		struct cache_entry *e = &p->cache[i];

		if (e->hash != hash || !key_equal(&e->key, key))
			continue;
		if (e->expires <= p->now) {
			entry_drop(p, e);
			return NULL;
		}
		e->used = p->tick;
		return e->snap;
	}
	return NULL;
}

static struct cache_entry *
oldest(struct planner *p)
{
	struct cache_entry *found = NULL;

	for (size_t i = 0; i < CACHE_ENTRIES_MAX; i++) {
		struct cache_entry *e = &p->cache[i];

		if (e->hash != 0 && (found == NULL || e->used < found->used))
			found = e;
	}
	return found;
}

/* The entry of this key, a free one, or the oldest emptied. */
static struct cache_entry *
entry_for(struct planner *p, const struct read_key *key, uint64_t hash)
{
	struct cache_entry *spare = NULL;

	for (size_t i = 0; i < CACHE_ENTRIES_MAX; i++) {
		struct cache_entry *e = &p->cache[i];

		if (e->hash == hash && key_equal(&e->key, key)) {
			entry_drop(p, e);
			return e;
		}
		if (e->hash == 0 && spare == NULL)
			spare = e;
	}
	if (spare == NULL) {
		spare = oldest(p);
		entry_drop(p, spare);
	}
	return spare;
}

void
cache_put(struct planner *p, const struct read_key *key, struct snap *s)
{
	uint64_t hash = key_hash(key);
	struct cache_entry *e;

	if (p->config.cache_ttl == 0)
		return;
	e = entry_for(p, key, hash);
	while (p->cache_bytes + s->bytes > CACHE_BYTES_MAX && oldest(p) != NULL)
		entry_drop(p, oldest(p));
	*e = (struct cache_entry){
	    .key = *key,
	    .hash = hash,
	    .snap = snap_ref(s),
	    .expires = p->now + (int64_t)p->config.cache_ttl * 1000,
	    .used = p->tick,
	};
	p->cache_bytes += s->bytes;
}

void
cache_forget(struct planner *p, const char *profile, const char *region, const char *group_id)
{
	for (size_t i = 0; i < CACHE_ENTRIES_MAX; i++)
		if (p->cache[i].hash != 0 &&
		    key_touched(&p->cache[i].key, profile, region, group_id))
			entry_drop(p, &p->cache[i]);
}
