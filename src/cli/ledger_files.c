/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's files as one stream; see ledger.h. */
#include "ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/segments.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* ---- a directory ---- */

/* How many segments there are, and the highest number; -1: it cannot be read. */
static int
directory_count(int dir, uint32_t *ret_n, uint32_t *ret_last)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	*ret_n = *ret_last = 0;
	if (!list)
		return -1;
	while ((e = readdir(list)) != NULL) {
		uint32_t number = segment_number(e->d_name);

		*ret_n += number != 0;
		if (number > *ret_last)
			*ret_last = number;
	}
	closedir(list);
	return 0;
}

static int
missing(const struct args *args, const struct ledger_files *f)
{
	char name[SEGMENT_NAME_LEN + 1];
	struct stat st;
	uint32_t number = 1;

	for (segment_name(1, name); number < f->last && fstatat(f->dir, name, &st, 0) == 0;
	     segment_name(++number, name))
		;
	return out_error(args, SGW_ERR_VERIFY_FAILED, NULL,
	    "%s/%s is missing, and later segments are there: put it back", f->path, name);
}

/* Their sizes.  An empty last one has been made and holds nothing yet. */
static int
sizes_take(const struct args *args, struct ledger_files *f)
{
	for (uint32_t number = 1; number <= f->last; number++) {
		char name[SEGMENT_NAME_LEN + 1];
		struct stat st;

		segment_name(number, name);
		if (fstatat(f->dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
			return out_error(args, SGW_ERR_BAD_ARGUMENT, "PATH",
			    "%s/%s is not a regular file", f->path, name);
		f->bytes += (uint64_t)st.st_size;
		if (number == f->last && number > 1 && st.st_size == 0)
			f->last--;
	}
	return 0;
}

static int
directory_take(const struct args *args, struct ledger_files *f)
{
	uint32_t n = 0;

	if (directory_count(f->dir, &n, &f->last) < 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "PATH", "%s: %s", f->path, strerror(errno));
	if (f->last == 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "PATH", "%s holds no 00000001.log", f->path);
	if (n != f->last)
		return missing(args, f);
	return sizes_take(args, f);
}

static int
next_segment(void *context, uint32_t number)
{
	struct ledger_files *f = context;
	char name[SEGMENT_NAME_LEN + 1];
	int fd;

	if (number > f->last)
		return STREAM_NO_MORE;
	segment_name(number, name);
	fd = openat(f->dir, name, OPEN_FLAGS);
	if (fd < 0)
		return STREAM_NOT_HAD;
	if (f->fd >= 0)
		close(f->fd);
	return f->fd = fd;
}

/* ---- both ---- */

static int
path_take(const struct args *args, const char *path, struct ledger_files *f)
{
	char state[CLI_PATH_MAX];
	bool named = path ? (size_t)snprintf(f->path, sizeof(f->path), "%s", path) < sizeof(f->path)
			  : path_state_dir(args, state) && path_join(f->path, state, "ledger");

	return named ? 0 : out_error(args, SGW_ERR_BAD_ARGUMENT, "PATH", "no such path");
}

int
ledger_open(const struct args *args, const char *path, struct ledger_files *ret_files)
{
	struct ledger_files *f = ret_files;
	struct stat st;
	int r = path_take(args, path, f);

	f->dir = -1;
	f->last = 1;
	f->bytes = 0;
	if (r != 0)
		return r;
	f->fd = open(f->path, OPEN_FLAGS);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return out_error(
		    args, SGW_ERR_BAD_ARGUMENT, "PATH", "%s: %s", f->path, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		f->dir = f->fd;
		f->fd = -1;
		r = directory_take(args, f);
		if (r == 0 && next_segment(f, 1) < 0)
			r = out_error(
			    args, SGW_ERR_BAD_ARGUMENT, "PATH", "%s: %s", f->path, strerror(errno));
	} else if (!S_ISREG(st.st_mode))
		r = out_error(args, SGW_ERR_BAD_ARGUMENT, "PATH",
		    "%s is neither a directory nor a regular file", f->path);
	else
		f->bytes = (uint64_t)st.st_size;
	if (r != 0) {
		ledger_close(f);
		return r;
	}
	stream_open(&f->stream, f->fd, read);
	if (f->dir >= 0)
		stream_follow(&f->stream, next_segment, f);
	return 0;
}

void
ledger_close(struct ledger_files *files)
{
	if (files->fd >= 0)
		close(files->fd);
	if (files->dir >= 0)
		close(files->dir);
	files->fd = files->dir = -1;
}

void
ledger_where(
    const struct stream *s, uint64_t number, uint64_t offset, char ret_text[LEDGER_WHERE_MAX])
{
	int n = snprintf(ret_text, LEDGER_WHERE_MAX, "record %llu at byte %llu",
	    (unsigned long long)number, (unsigned long long)offset);

	if (s->segment > 1)
		snprintf(ret_text + n, LEDGER_WHERE_MAX - (size_t)n, " of segment %u",
		    (unsigned)s->segment);
}

int
ledger_stopped(const struct args *args, const struct ledger_files *files, enum stream_event event)
{
	const struct stream *s = &files->stream;
	char where[LEDGER_WHERE_MAX];

	if (event == STREAM_ERROR)
		return out_error(args, SGW_ERR_INTERNAL, NULL, "segment %u of %s cannot be read",
		    (unsigned)s->segment, files->path);
	ledger_where(s, s->chain.number + 1, s->offset, where);
	return out_error(args, SGW_ERR_VERIFY_FAILED, NULL, "%s: %s", where, s->problem);
}

void
ledger_text(const struct ledger_entry *entry, const char *key, char *ret_text, size_t size)
{
	const struct ledger_field *field = ledger_field(entry, key);
	size_t len = field ? field->len : 0;

	if (len > size - 1)
		len = size - 1;
	if (len > 0)
		memcpy(ret_text, field->value, len);
	ret_text[len] = 0;
}
