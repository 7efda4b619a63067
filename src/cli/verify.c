/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden ledger verify`: from the first byte to the last, then against a head from outside. */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "ledger.h"

struct judged {
	const char *path;
	uint64_t anchored; /* number of the record whose hash is --head; 0: none */
	char head[2 * HASH_LEN + 1];
};

/* ---- what comes from outside ---- */

/* A key list as the daemon's state file `keys` holds it.  0, or the exit status. */
static int
keys_read(const struct args *args, struct rec_key_list *ret_list)
{
	static uint8_t data[SGW_COMMIT_MAX + 1];
	struct cur c;
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(args->keys, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "--keys", "%s: %s", args->keys, strerror(errno));
	while (n > 0 && len < sizeof(data)) {
		n = read(fd, data + len, sizeof(data) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	c = cur_over(data, len);
	if (n < 0 || !rec_key_list_decode(&c, ret_list) || !cur_done(&c))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--keys",
		    "%s is no key list: give a copy of the file `keys` of the state directory",
		    args->keys);
	return 0;
}

static int
head_read(const struct args *args, uint8_t ret_head[HASH_LEN])
{
	if (hex_decode(args->head, strlen(args->head), ret_head, HASH_LEN))
		return 0;
	return out_error(
	    args, SGW_ERR_BAD_ARGUMENT, "--head", "a head is 64 digits of lower-case hexadecimal");
}

/* ---- what is said ---- */

static int
refuse(const struct args *args, const char *kind, uint64_t number, uint64_t offset, const char *why)
{
	char text[VERIFY_WHY_MAX + 80];
	cJSON *tree, *error;

	snprintf(text, sizeof(text), "record %llu (%s) at byte %llu: %s",
	    (unsigned long long)number, kind, (unsigned long long)offset, why);
	if (!args->json)
		return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s", text);
	tree = cJSON_CreateObject();
	error = out_error_json(SGW_ERR_VERIFY_FAILED, NULL, text);
	cJSON_AddStringToObject(tree, "status", "failed");
	cJSON_AddItemToObject(tree, "error", error);
	cJSON_AddNumberToObject(error, "record", (double)number);
	cJSON_AddStringToObject(error, "kind", kind);
	cJSON_AddNumberToObject(error, "offset", (double)offset);
	cJSON_AddStringToObject(error, "why", why);
	out_json(tree);
	return error_row(SGW_ERR_VERIFY_FAILED)->exit_status;
}

static void
tell(const struct verify *v, const struct judged *j)
{
	fputs("ledger    ", stdout);
	out_vis(stdout, j->path, strlen(j->path), 1000);
	printf("\nrecords   %zu\nhead      %s\n", v->n_heads, j->head);
	printf("keys      %zu enrolled%s", v->n_keys, v->n_keys ? ":" : "");
	for (size_t i = 0; i < v->n_keys; i++)
		printf(" %s", v->key[i].name);
	printf("%s\n", v->outside ? " (all of them in the key list given)" : "");
	if (v->touches > 0)
		printf("touches   %llu, the last in record %llu: it fixes all before it\n",
		    (unsigned long long)v->touches, (unsigned long long)v->last_touch);
	else
		puts("touches   none yet");
	if (j->anchored)
		printf("anchored: yes, at record %llu of %zu\n", (unsigned long long)j->anchored,
		    v->n_heads);
	else {
		fputs("anchored: no. ", stdout);
		out_wrapped(stdout, 10,
		    "Whether records were cut off the end, only a head from outside can show: "
		    "--head HASH, as the journal has it.");
	}
	puts("verified: yes");
}

static void
tell_json(const struct verify *v, const struct judged *j)
{
	cJSON *tree = cJSON_CreateObject(), *data = cJSON_CreateObject(),
	      *keys = cJSON_CreateArray();

	cJSON_AddStringToObject(tree, "status", "ok");
	cJSON_AddItemToObject(tree, "data", data);
	cJSON_AddStringToObject(data, "file", j->path);
	cJSON_AddNumberToObject(data, "records", (double)v->n_heads);
	cJSON_AddStringToObject(data, "head", j->head);
	for (size_t i = 0; i < v->n_keys; i++)
		cJSON_AddItemToArray(keys, cJSON_CreateString(v->key[i].name));
	cJSON_AddItemToObject(data, "keys", keys);
	cJSON_AddBoolToObject(data, "keys_from_outside", v->outside != NULL);
	cJSON_AddNumberToObject(data, "touches", (double)v->touches);
	cJSON_AddNumberToObject(data, "last_touch", (double)v->last_touch);
	cJSON_AddBoolToObject(data, "anchored", j->anchored != 0);
	if (j->anchored)
		cJSON_AddNumberToObject(data, "anchored_at", (double)j->anchored);
	out_json(tree);
}

/* ---- the walk ---- */

/* What the bytes that could not be taken say they are. */
static const char *
kind_claimed(const struct stream *s)
{
	for (size_t i = 0; i < LEDGER_KIND_MAX; i++) {
		char head[40];
		int n = snprintf(head, sizeof(head), "ledger %s ", LEDGER_KINDS[i].name);

		if (s->len > (size_t)n && memcmp(s->window + s->start, head, (size_t)n) == 0)
			return LEDGER_KINDS[i].name;
	}
	return "unreadable";
}

/* All records; 0, or the exit status, having named the first that does not hold. */
static int
walk(const struct args *args, struct stream *s, struct verify *v)
{
	for (;;) {
		uint64_t offset = s->offset;
		const char *why;

		switch (stream_next(s)) {
		case STREAM_ENTRY:
			why = verify_entry(v, &s->entry);
			if (why)
				return refuse(args, LEDGER_KINDS[s->entry.kind].name,
				    s->entry.number, offset, why);
			break;
		case STREAM_END:
			if (s->torn_len == 0)
				return 0;
			return refuse(args, kind_claimed(s), s->chain.number + 1, offset,
			    "the file ends inside it: a crash, which the daemon names when it "
			    "starts, or a cut");
		case STREAM_BROKEN:
			return refuse(
			    args, kind_claimed(s), s->chain.number + 1, offset, s->problem);
		case STREAM_ERROR:
			return out_error(args, SGW_ERR_INTERNAL, NULL, "the file cannot be read");
		}
	}
}

/* The record whose hash this is; 0: none. */
static uint64_t
anchor(const struct verify *v, const uint8_t head[HASH_LEN])
{
	for (size_t i = v->n_heads; i > 0; i--)
		if (memcmp(v->head[i - 1], head, HASH_LEN) == 0)
			return i;
	return 0;
}

static int
judge(const struct args *args, struct stream *s, struct verify *v, const char *path)
{
	struct judged j = {.path = path};
	struct buf b = buf_over(j.head, sizeof(j.head));
	uint8_t head[HASH_LEN];
	int r = args->head ? head_read(args, head) : 0;

	if (r == 0)
		r = walk(args, s, v);
	if (r != 0)
		return r;
	(void)(buf_put_hex(&b, s->chain.head, HASH_LEN) && buf_put_c(&b));
	if (args->head)
		j.anchored = anchor(v, head);
	if (args->head && j.anchored == 0)
		return refuse(args, "missing", v->n_heads + 1, s->offset,
		    "no record has the hash given as --head: the end was cut off, or all of it is "
		    "another ledger");
	if (args->json)
		tell_json(v, &j);
	else
		tell(v, &j);
	return 0;
}

int
ledger_verify_run(const struct args *args)
{
	static struct stream stream;
	static struct verify verify;
	static struct rec_key_list outside;
	char path[CLI_PATH_MAX];
	int r;

	if (args->keys) {
		r = keys_read(args, &outside);
		if (r != 0)
			return r;
		verify.outside = &outside;
	}
	r = ledger_open(args, &stream, path);
	if (r != 0)
		return r;
	r = judge(args, &stream, &verify, path);
	close(stream.fd);
	verify_end(&verify);
	return r;
}
