/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes the parameters of makeCredential and getAssertion: see request.h. */
#include "request.h"

#include "ctap.h"

typedef bool (*field_fn)(struct cbor_in *in, struct request *r);

struct field {
	const char *name;
	field_fn parse;
};

/* A map with text keys: the fields that the table knows are parsed, all others skipped. */
static bool
text_map(struct cbor_in *in, struct request *r, const struct field *fields, size_t n)
{
	struct cbor_span key;
	size_t pairs;

	if (!cbor_get_map(in, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++) {
		field_fn parse = NULL;

		if (!cbor_get_text(in, &key))
			return false;
		for (size_t j = 0; j < n; j++)
			if (cbor_span_is(&key, fields[j].name))
				parse = fields[j].parse;
		if (!(parse != NULL ? parse(in, r) : cbor_skip(in)))
			return false;
	}
	return true;
}

static bool
client_data_hash(struct cbor_in *in, struct request *r)
{
	return cbor_get_bytes(in, &r->client_data_hash) && r->client_data_hash.len == 32;
}

static bool
rp_id(struct cbor_in *in, struct request *r)
{
	return cbor_get_text(in, &r->rp_id);
}

static bool
rp_entity(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"id", rp_id}};

	return text_map(in, r, fields, 1);
}

static bool
user_id(struct cbor_in *in, struct request *r)
{
	struct cbor_span id;

	r->have_user = true;
	return cbor_get_bytes(in, &id);
}

static bool
user_entity(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"id", user_id}};

	return text_map(in, r, fields, 1);
}

static bool
alg(struct cbor_in *in, struct request *r)
{
	int64_t v;

	if (!cbor_get_int(in, &v))
		return false;
	r->es256 |= v == -7;
	return true;
}

static bool
algs(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"alg", alg}};
	size_t n;

	if (!cbor_get_array(in, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!text_map(in, r, fields, 1))
			return false;
	r->have_algs = true;
	return true;
}

static bool
cred_list(struct cbor_in *in, struct request *r)
{
	if (!cbor_get_array(in, &r->list_items))
		return false;
	r->list = *in;
	r->have_list = true;
	for (size_t i = 0; i < r->list_items; i++)
		if (!cbor_skip(in))
			return false;
	return true;
}

static bool
hmac_make(struct cbor_in *in, struct request *r)
{
	return cbor_get_bool(in, &r->hmac_make);
}

static bool
make_extensions(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"hmac-secret", hmac_make}};

	return text_map(in, r, fields, 1);
}

static bool
hmac_get(struct cbor_in *in, struct request *r)
{
	uint64_t key;
	size_t pairs;
	bool ok;

	r->hmac_asked = true;
	if (!cbor_get_map(in, &pairs))
		return false;
	for (size_t i = 0; i < pairs; i++) {
		if (!cbor_get_uint(in, &key))
			return false;
		if (key == 1)
			ok = cose_get_point(in, r->hmac_peer);
		else if (key == 2)
			ok = cbor_get_bytes(in, &r->hmac_salt_enc);
		else if (key == 3)
			ok = cbor_get_bytes(in, &r->hmac_salt_tag);
		else
			ok = key == 4 ? cbor_get_uint(in, &r->hmac_protocol) : cbor_skip(in);
		if (!ok)
			return false;
	}
	return true;
}

static bool
assert_extensions(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"hmac-secret", hmac_get}};

	return text_map(in, r, fields, 1);
}

static bool
opt_up(struct cbor_in *in, struct request *r)
{
	return cbor_get_bool(in, &r->up);
}

static bool
opt_rk(struct cbor_in *in, struct request *r)
{
	return cbor_get_bool(in, &r->rk);
}

static bool
opt_uv(struct cbor_in *in, struct request *r)
{
	return cbor_get_bool(in, &r->uv);
}

static bool
options(struct cbor_in *in, struct request *r)
{
	static const struct field fields[] = {{"up", opt_up}, {"rk", opt_rk}, {"uv", opt_uv}};

	return text_map(in, r, fields, 3);
}

static bool
pin_tag(struct cbor_in *in, struct request *r)
{
	return cbor_get_bytes(in, &r->pin_tag);
}

static bool
pin_protocol(struct cbor_in *in, struct request *r)
{
	return cbor_get_uint(in, &r->pin_protocol);
}

/* Parameters by number; fns[0] is unused. */
static uint8_t
numbered(struct cbor_in *in, struct request *r, const field_fn *fns, size_t n)
{
	uint64_t key;
	size_t pairs;

	*r = (struct request){.up = true, .hmac_protocol = 1};
	if (!cbor_get_map(in, &pairs))
		return CTAP_INVALID_CBOR;
	for (size_t i = 0; i < pairs; i++) {
		if (!cbor_get_uint(in, &key))
			return CTAP_INVALID_CBOR;
		if (!(key > 0 && key < n ? fns[key](in, r) : cbor_skip(in)))
			return CTAP_INVALID_CBOR;
	}
	return in->left == 0 ? CTAP_OK : CTAP_INVALID_CBOR;
}

uint8_t
request_make_parse(struct cbor_in msg, struct request *ret)
{
	static const field_fn fns[] = {NULL, client_data_hash, rp_entity, user_entity, algs,
	    cred_list, make_extensions, options, pin_tag, pin_protocol};
	uint8_t status = numbered(&msg, ret, fns, sizeof fns / sizeof fns[0]);

	if (status != CTAP_OK)
		return status;
	if (ret->client_data_hash.p == NULL || ret->rp_id.p == NULL || !ret->have_user ||
	    !ret->have_algs)
		return CTAP_MISSING_PARAMETER;
	return CTAP_OK;
}

uint8_t
request_assert_parse(struct cbor_in msg, struct request *ret)
{
	static const field_fn fns[] = {NULL, rp_id, client_data_hash, cred_list, assert_extensions,
	    options, pin_tag, pin_protocol};
	uint8_t status = numbered(&msg, ret, fns, sizeof fns / sizeof fns[0]);

	if (status != CTAP_OK)
		return status;
	if (ret->client_data_hash.p == NULL || ret->rp_id.p == NULL ||
	    (ret->hmac_asked && (ret->hmac_salt_enc.p == NULL || ret->hmac_salt_tag.p == NULL)))
		return CTAP_MISSING_PARAMETER;
	return CTAP_OK;
}

bool
request_list_next(struct request *r, struct cbor_span *ret_id)
{
	struct cbor_span key;
	size_t pairs;
	bool found = false;

	if (r->list_items == 0 || !cbor_get_map(&r->list, &pairs))
		return false;
	r->list_items--;
	for (size_t i = 0; i < pairs; i++) {
		if (!cbor_get_text(&r->list, &key))
			return false;
		if (cbor_span_is(&key, "id"))
			found = cbor_get_bytes(&r->list, ret_id);
		else if (!cbor_skip(&r->list))
			return false;
	}
	return found;
}
