/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden ledger verify`: from the first byte to the last, then against a head from outside. */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <sgwarden/mutate.h>

#include "keys_file.h"
#include "ledger.h"

struct judged {
	const struct ledger_files *files;
	char head[2 * HASH_LEN + 1];
};

/* ---- what comes from outside ---- */

static int
head_read(const struct args *args, uint8_t ret_head[HASH_LEN])
{
	if (hex_decode(args->head, strlen(args->head), ret_head, HASH_LEN))
		return 0;
	return out_error(
	    args, SGW_ERR_BAD_ARGUMENT, "--head", "a head is 64 digits of lower-case hexadecimal");
}

/* ---- what is said ---- */

/* The record that does not hold, of that number and kind, which begins at `offset` of the segment being read. */
static int
refuse(const struct args *args, const struct stream *s, const char *kind, uint64_t number,
    uint64_t offset, const char *why)
{
	char text[VERIFY_WHY_MAX + LEDGER_WHERE_MAX + 40], segment[32] = "";
	cJSON *tree, *error;

	if (s->segment > 1)
		snprintf(segment, sizeof(segment), " of segment %u", (unsigned)s->segment);
	snprintf(text, sizeof(text), "record %llu (%s) at byte %llu%s: %s",
	    (unsigned long long)number, kind, (unsigned long long)offset, segment, why);
	if (!args->json)
		return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s", text);
	tree = cJSON_CreateObject();
	error = out_error_json(SGW_ERR_VERIFY_FAILED, NULL, text);
	cJSON_AddStringToObject(tree, "status", "failed");
	cJSON_AddItemToObject(tree, "error", error);
	cJSON_AddNumberToObject(error, "record", (double)number);
	cJSON_AddStringToObject(error, "kind", kind);
	cJSON_AddNumberToObject(error, "segment", (double)s->segment);
	cJSON_AddNumberToObject(error, "offset", (double)offset);
	cJSON_AddStringToObject(error, "why", why);
	out_json(tree);
	return error_row(SGW_ERR_VERIFY_FAILED)->exit_status;
}

static void
tell(const struct verify *v, const struct judged *j)
{
	fputs("ledger    ", stdout);
	out_vis(stdout, j->files->path, strlen(j->files->path), 1000);
	if (j->files->last > 1)
		printf("\nsegments  %u", (unsigned)j->files->last);
	printf("\nrecords   %zu\nhead      %s\n", v->n_heads, j->head);
	printf("keys      %zu enrolled%s", v->n_keys, v->n_keys ? ":" : "");
	for (size_t i = 0; i < v->n_keys; i++)
		printf(" %s", v->key[i].name);
	printf("%s\n", v->outside ? " (all of them in the key list given)" : "");
	if (v->unlisted)
		printf("          %u more removed since and not in that list: what they touched\n"
		       "          for rests on the ledger alone\n",
		    v->unlisted);
	if (v->touches > 0)
		printf("touches   %llu, the last in record %llu: it fixes all before it\n",
		    (unsigned long long)v->touches, (unsigned long long)v->last_touch);
	else
		puts("touches   none yet");
	if (v->anchored)
		printf("anchored: yes, at record %llu of %zu\n", (unsigned long long)v->anchored,
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
	cJSON_AddStringToObject(data, "file", j->files->path);
	cJSON_AddNumberToObject(data, "segments", (double)j->files->last);
	cJSON_AddNumberToObject(data, "records", (double)v->n_heads);
	cJSON_AddStringToObject(data, "head", j->head);
	for (size_t i = 0; i < v->n_keys; i++)
		cJSON_AddItemToArray(keys, cJSON_CreateString(v->key[i].name));
	cJSON_AddItemToObject(data, "keys", keys);
	cJSON_AddBoolToObject(data, "keys_from_outside", v->outside != NULL);
	cJSON_AddNumberToObject(data, "keys_removed_unlisted", (double)v->unlisted);
	cJSON_AddNumberToObject(data, "touches", (double)v->touches);
	cJSON_AddNumberToObject(data, "last_touch", (double)v->last_touch);
	cJSON_AddBoolToObject(data, "anchored", v->anchored != 0);
	if (v->anchored)
		cJSON_AddNumberToObject(data, "anchored_at", (double)v->anchored);
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

/* ---- how far it is: for a person who waits at a terminal, and for nobody else ---- */

#define PROGRESS_STEP 16384 /* records */

static void
progress(const struct ledger_files *files, uint64_t done)
{
	unsigned long long percent = files->bytes ? done * 100 / files->bytes : 100;

	if (files->stream.chain.number % PROGRESS_STEP == 0 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu records, %llu%% ",
		    (unsigned long long)files->stream.chain.number, percent < 100 ? percent : 100);
}

static void
progress_end(const struct ledger_files *files)
{
	if (files->stream.chain.number >= PROGRESS_STEP && isatty(STDERR_FILENO))
		fputs("\r\33[K", stderr);
}

/* All records; 0, or the exit status, having named the first that does not hold. */
static int
walk(const struct args *args, struct ledger_files *files, struct verify *v)
{
	struct stream *s = &files->stream;
	uint64_t done = 0;

	for (;;) {
		uint64_t offset = s->offset;
		uint32_t segment = s->segment;
		enum stream_event event = stream_next(s);
		const char *why;

		switch (event) {
		case STREAM_ENTRY:
			offset = s->segment == segment ? offset : 0;
			done += s->offset - offset;
			why = verify_entry(v, &s->entry);
			progress(files, done);
			if (why)
				return refuse(args, s, LEDGER_KINDS[s->entry.kind].name,
				    s->entry.number, offset, why);
			break;
		case STREAM_END:
			if (s->torn_len == 0)
				return 0;
			return refuse(args, s, kind_claimed(s), s->chain.number + 1, s->offset,
			    "the file ends inside it: a crash, which the daemon names when it "
			    "starts, or a cut");
		case STREAM_BROKEN:
			return refuse(
			    args, s, kind_claimed(s), s->chain.number + 1, s->offset, s->problem);
		case STREAM_ERROR:
			return ledger_stopped(args, files, event);
		}
	}
}

static int
judge(const struct args *args, struct ledger_files *files, struct verify *v)
{
	struct stream *s = &files->stream;
	struct judged j = {.files = files};
	struct buf b = buf_over(j.head, sizeof(j.head));
	int r = walk(args, files, v);
	const char *why = r == 0 ? verify_keys_end(v) : NULL;

	progress_end(files);
	if (r != 0)
		return r;
	if (why)
		return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s", why);
	(void)(buf_put_hex(&b, s->chain.head, HASH_LEN) && buf_put_c(&b));
	if (v->anchor && v->anchored == 0 && !MUTATE(VERIFY_ANCHOR))
		return refuse(args, s, "missing", v->n_heads + 1, s->offset,
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
	static struct ledger_files files;
	static struct verify verify;
	static struct rec_key_list outside;
	uint8_t head[HASH_LEN];
	int r = args->keys ? keys_read(args, &outside) : 0;

	if (r == 0 && args->head)
		r = head_read(args, head);
	if (r == 0)
		r = ledger_open(args, args->n_rest ? args->rest[0] : NULL, &files);
	if (r != 0)
		return r;
	verify.outside = args->keys ? &outside : NULL;
	verify.anchor = args->head ? head : NULL;
	r = judge(args, &files, &verify);
	ledger_close(&files);
	verify_end(&verify);
	return r;
}
