/* SPDX-License-Identifier: Apache-2.0 */
/* `sgwarden receipt show`, `export` and `verify`: a receipt out of the ledger, or out of a file. */
#include "receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys_file.h"
#include "ledger.h"
#include "ledger_filter.h"

static char text[RECEIPT_FILE_MAX + 1];

/* ---- out of the ledger ---- */

static struct collect {
	struct ledger_files files;
	struct receipt r;
	bool found;
	struct buf body;
	char memory[RECEIPT_FILE_MAX];
} C;

/* What each pass does with a record; true: nothing more is to be read. */
typedef bool take_entry(struct collect *c, const struct ledger_entry *e);

static int
pass(const struct args *args, struct collect *c, take_entry *take)
{
	enum stream_event event;
	int r = ledger_open(args, NULL, &c->files);

	if (r != 0)
		return r;
	while ((event = stream_next(&c->files.stream)) == STREAM_ENTRY)
		if (take(c, &c->files.stream.entry))
			break;
	if (event == STREAM_BROKEN || event == STREAM_ERROR)
		r = ledger_stopped(args, &c->files, event);
	ledger_close(&c->files);
	return r;
}

/* The record that was touched for under this receipt; a closing's own receipt leads to its opening's. */
static bool
take_touched(struct collect *c, const struct ledger_entry *e)
{
	char receipt[SGW_RECEIPT_LEN + 1];

	if (!ledger_of_receipt(e, c->r.receipt))
		return false;
	ledger_text(e, "receipt", receipt, sizeof(receipt));
	if (strcmp(receipt, c->r.receipt) != 0)
		memcpy(c->r.receipt, receipt, sizeof(receipt));
	else if (receipt_touched(e->kind))
		c->found = field_bytes(
		    e, "credential", c->r.key.id, sizeof(c->r.key.id), &c->r.key.id_len);
	else
		return false;
	return true;
}

/* The key as it was enrolled last before the touch, and every record of the receipt. */
static bool
take_all(struct collect *c, const struct ledger_entry *e)
{
	struct ledger_entry again = *e;
	uint8_t id[SGW_CRED_ID_MAX];
	size_t len;

	if (e->kind == LEDGER_START && c->r.n_records == 0)
		ledger_text(e, "appliance", c->r.appliance, sizeof(c->r.appliance));
	if (e->kind == LEDGER_ENROLL && c->r.n_records == 0 &&
	    field_bytes(e, "credential", id, sizeof(id), &len) && len == c->r.key.id_len &&
	    memcmp(id, c->r.key.id, len) == 0) {
		(void)field_hex(e, "key", c->r.key.key, sizeof(c->r.key.key));
	}
	if (!ledger_field_is(e, "receipt", c->r.receipt))
		return false;
	c->r.n_records++;
	return !ledger_encode(&again, &c->body);
}

/* The receipt that the first argument names, as a file's text. */
static int
collect(const struct args *args, size_t *ret_len)
{
	struct buf out = buf_over(text, RECEIPT_FILE_MAX);
	int r = 0;

	if (!receipt_id_ok(args->rest[0]))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "RECEIPT",
		    "a receipt is sgw- and 20 characters a-z, 2-7");
	memcpy(C.r.receipt, args->rest[0], sizeof(C.r.receipt));
	for (unsigned i = 0; i < 2 && r == 0 && !C.found; i++)
		r = pass(args, &C, take_touched);
	if (r == 0 && !C.found)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "RECEIPT",
		    "the ledger holds no touch of that receipt (enrolments have none of their "
		    "own)");
	C.body = buf_over(C.memory, sizeof(C.memory));
	if (r == 0)
		r = pass(args, &C, take_all);
	if (r != 0)
		return r;
	if (C.body.failed || C.r.n_records > RECEIPT_RECORDS_MAX || !receipt_head(&C.r, &out) ||
	    !buf_put(&out, C.body.data, C.body.len))
		return out_error(args, SGW_ERR_INTERNAL, NULL, "the receipt is larger than 4 MiB");
	*ret_len = out.len;
	return 0;
}

int
receipt_show_run(const struct args *args)
{
	static struct rec_key_list outside;
	size_t len = 0;
	int r = args->keys ? keys_read(args, &outside) : 0;

	if (r == 0)
		r = collect(args, &len);
	return r != 0 ? r : receipt_tell(args, text, len, args->keys ? &outside : NULL);
}

/* ---- to a file ---- */

static int
file_write(const struct args *args, const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
	bool ok = fd >= 0;

	for (size_t at = 0; ok && at < len;) {
		ssize_t n = write(fd, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		ok = n > 0;
		at += ok ? (size_t)n : 0;
	}
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	if (ok)
		return 0;
	return out_error(args, SGW_ERR_BAD_ARGUMENT, "FILE", "%s: %s", path, strerror(errno));
}

int
receipt_export_run(const struct args *args)
{
	size_t len = 0;
	int r = collect(args, &len);

	if (r != 0)
		return r;
	if (args->n_rest > 1)
		return file_write(args, args->rest[1], text, len);
	return fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0
		   ? 0
		   : out_error(args, SGW_ERR_INTERNAL, NULL, "standard output cannot be written");
}

/* ---- out of a file ---- */

static int
file_read(const struct args *args, const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		const char *why = fd < 0 ? strerror(errno) : "not a regular file";

		if (fd >= 0)
			close(fd);
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "FILE", "%s: %s", path, why);
	}
	while (n != 0 && len < sizeof(text)) {
		n = read(fd, text + len, sizeof(text) - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	*ret_len = len;
	if (n < 0)
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "FILE", "%s cannot be read", path);
	return len <= RECEIPT_FILE_MAX ? 0
				       : out_error(args, SGW_ERR_VERIFY_FAILED, NULL,
					     "%s is no receipt: larger than 4 MiB", path);
}

int
receipt_verify_run(const struct args *args)
{
	static struct rec_key_list outside;
	size_t len = 0;
	int r = args->keys ? keys_read(args, &outside) : 0;

	if (r == 0)
		r = file_read(args, args->rest[0], &len);
	return r != 0 ? r : receipt_tell(args, text, len, args->keys ? &outside : NULL);
}
