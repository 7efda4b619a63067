/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's files: 1, 2, 3 …, of which the last alone is written on. */
#include "supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/log.h>
#include <sgwarden/segments.h>

static int
segment_open(const struct supervisor *s, uint32_t number, int flags)
{
	char name[SEGMENT_NAME_LEN + 1];
	int fd;

	segment_name(number, name);
	fd = openat(s->ledger_dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int error = errno;

		log_error("cannot open the ledger's file %s: %s; %s", name, strerror(error),
		    advice(error));
		errno = error;
	}
	return fd;
}

/* How many files have a segment's name, and the highest number among them; -1: the directory cannot be read. */
static int
directory_count(const struct supervisor *s, uint32_t *ret_n, uint32_t *ret_last)
{
	int copy = openat(s->ledger_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	*ret_n = *ret_last = 0;
	if (!list) {
		log_error("cannot read the directory of the ledger: %s; %s", strerror(errno),
		    advice(errno));
		return -1;
	}
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
missing(struct supervisor *s, uint32_t last)
{
	char name[SEGMENT_NAME_LEN + 1];
	struct stat st;
	uint32_t number = 1;

	for (segment_name(1, name);
	     number < last && fstatat(s->ledger_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	     segment_name(++number, name))
		;
	s->mend = true;
	log_error(
	    "the ledger's file %s is missing, and later ones are there: put it back; a ledger "
	    "whose first part was taken away cannot be served",
	    name);
	return -1;
}

/* The first file is made where there is none.  A last one that is empty was made before a crash, and is made again. */
int
segments_count(struct supervisor *s)
{
	char name[SEGMENT_NAME_LEN + 1];
	uint32_t n, last;
	struct stat st;

	if (directory_count(s, &n, &last) < 0)
		return -1;
	if (n != last)
		return missing(s, last);
	s->segments = last > 0 ? last : 1;
	segment_name(s->segments, name);
	if (last > 1 && fstatat(s->ledger_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size == 0)
		s->segments--;
	return 0;
}

int
segments_last(struct supervisor *s)
{
	int fd = segment_open(s, s->segments, O_WRONLY | O_APPEND | O_CREAT);

	if (fd < 0)
		s->mend |= stays(errno);
	else if (fsync(s->ledger_dir) < 0)
		log_error("the directory of the ledger cannot be synced: %s; %s", strerror(errno),
		    advice(errno));
	return fd;
}

int
segments_first(struct supervisor *s)
{
	int fd = segment_open(s, 1, O_RDONLY);

	if (fd < 0)
		s->mend |= stays(errno);
	return fd;
}

/* An empty file behind the last one, whose name is on the disk before a byte can be: -1 where it cannot be had. */
static int
segment_make(struct supervisor *s, uint32_t number)
{
	struct stat st;
	int fd;

	if (number != s->segments && number != s->segments + 1)
		return -1;
	fd = segment_open(s, number, O_WRONLY | O_APPEND | O_CREAT);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != 0 ||
	    fsync(s->ledger_dir) < 0) {
		log_error("the ledger's next file, number %u, cannot be made", (unsigned)number);
		close(fd);
		return -1;
	}
	s->segments = number;
	return fd;
}

void
segments_next(struct supervisor *s, struct child *c, uint32_t number)
{
	bool reads = c->role == ROLE_LOADER;
	int fd = -1;

	if (!reads)
		fd = segment_make(s, number);
	else if (number <= s->segments) {
		fd = segment_open(s, number, O_RDONLY);
		if (fd < 0) { /* no answer is better than one that says that there is none */
			child_end(c);
			c->ending = false;
			return;
		}
	}
	s->msg.id = MSG_SEGMENT;
	s->msg.segment.number = number;
	cell_send(s, c->role, &s->msg, fd);
	if (fd >= 0)
		close(fd);
}
