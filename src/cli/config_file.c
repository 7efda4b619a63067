/* SPDX-License-Identifier: Apache-2.0 */
/* config.json is read only where nobody else can have written it; config.bin is replaced whole. */
#include "cli.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Could somebody other than this user and root have changed it? */
static const char *
file_problem(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "belongs to another user: chown it to yourself";
	if (st->st_mode & 0022)
		return "others may write to it: chmod it 0600";
	if (st->st_size > CONFIG_FILE_MAX)
		return "longer than 256 KiB";
	return NULL;
}

static const char *
config_dir_problem(const struct stat *st)
{
	if (st->st_uid == 0 && !(st->st_mode & 0022))
		return NULL;
	if (st->st_uid != geteuid())
		return "belongs to another user: chown it to yourself";
	return st->st_mode & 0077 ? "open to others: chmod it 0700" : NULL;
}

static int
dir_check(const struct args *args, const char *dir)
{
	const char *problem;
	struct stat st;

	if (stat(dir, &st) < 0)
		return out_error(args, SGW_ERR_BAD_CONFIG, NULL,
		    "%s: %s; make it (mode 0700) and write the file there", dir, strerror(errno));
	problem = config_dir_problem(&st);
	return problem ? out_error(args, SGW_ERR_BAD_CONFIG, NULL, "%s: %s", dir, problem) : 0;
}

/* The whole file behind fd, closed here; NULL and errno. */
static char *
read_all(int fd, size_t size, size_t *ret_len)
{
	char *text = malloc(size + 2);
	size_t len = 0;

	for (ssize_t n = 1; text && n != 0 && len <= size;) {
		n = read(fd, text + len, size + 1 - len);
		if (n < 0 && errno != EINTR) {
			free(text);
			text = NULL;
		}
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (text)
		text[len] = 0;
	*ret_len = len;
	return text;
}

int
config_read(const struct args *args, const char *name, struct config_source *ret_source)
{
	char dir[CLI_PATH_MAX];
	const char *problem;
	struct stat st;
	int fd, r;

	if (args->n_rest > 0) {
		if (snprintf(ret_source->path, sizeof(ret_source->path), "%s", args->rest[0]) >=
		    CLI_PATH_MAX)
			return out_error(
			    args, SGW_ERR_BAD_ARGUMENT, "FILE", "the path is too long");
	} else {
		if (!path_config_dir(args, dir) || !path_join(ret_source->path, dir, name))
			return out_error(args, SGW_ERR_BAD_ARGUMENT, "--config", "no such path");
		r = dir_check(args, dir);
		if (r != 0)
			return r;
	}
	fd = open(ret_source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = out_error(
		    args, SGW_ERR_BAD_CONFIG, NULL, "%s: %s", ret_source->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	problem = file_problem(&st);
	if (problem) {
		close(fd);
		return out_error(
		    args, SGW_ERR_BAD_CONFIG, NULL, "%s: %s", ret_source->path, problem);
	}
	ret_source->text = read_all(fd, CONFIG_FILE_MAX, &ret_source->len);
	if (!ret_source->text || ret_source->len > CONFIG_FILE_MAX)
		return out_error(
		    args, SGW_ERR_BAD_CONFIG, NULL, "%s could not be read", ret_source->path);
	return 0;
}

/* ---- config.bin ---- */

/* Makes the directory and what leads to it; what is there already is not touched. */
static int
make_dirs(const char *dir)
{
	char path[CLI_PATH_MAX];

	for (size_t i = 1; dir[i - 1]; i++) {
		if (dir[i] != '/' && dir[i] != 0)
			continue;
		memcpy(path, dir, i);
		path[i] = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static const char *
state_dir_problem(const struct stat *st)
{
	if (st->st_uid != geteuid() && geteuid() != 0)
		return "belongs to another user: run this as that user";
	return st->st_mode & 0077 ? "open to others: chmod it 0700" : NULL;
}

/* The file belongs to whoever the directory belongs to: root may compile for the daemon's own account. */
static bool
replace(int dir, const struct stat *st, const void *data, size_t len)
{
	static const char NEW[] = "config.bin.new";
	int fd = openat(dir, NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;
	int error;

	if (fd < 0)
		return false;
	ok = write(fd, data, len) == (ssize_t)len && fchmod(fd, 0600) == 0 &&
	     (st->st_uid == geteuid() || fchown(fd, st->st_uid, st->st_gid) == 0) && fsync(fd) == 0;
	error = errno;
	ok = close(fd) == 0 && ok && renameat(dir, NEW, dir, "config.bin") == 0;
	if (!ok) {
		error = ok ? errno : error;
		(void)unlinkat(dir, NEW, 0);
		errno = error;
		return false;
	}
	return fsync(dir) == 0;
}

int
config_write(const struct args *args, const void *data, size_t len, char ret_path[4096])
{
	char dir[CLI_PATH_MAX];
	const char *problem;
	struct stat st;
	int fd, r = 0;

	if (!path_state_dir(args, dir) || !path_join(ret_path, dir, "config.bin"))
		return out_error(args, SGW_ERR_BAD_ARGUMENT, "--state", "no such path");
	if (make_dirs(dir) < 0)
		return out_error(
		    args, SGW_ERR_BAD_CONFIG, NULL, "cannot make %s: %s", dir, strerror(errno));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = out_error(args, SGW_ERR_BAD_CONFIG, NULL, "%s: %s", dir, strerror(errno));
	problem = r == 0 ? state_dir_problem(&st) : NULL;
	if (problem)
		r = out_error(args, SGW_ERR_BAD_CONFIG, NULL, "%s: %s", dir, problem);
	if (r == 0 && !replace(fd, &st, data, len))
		r = out_error(args, SGW_ERR_BAD_CONFIG, NULL,
		    "cannot write %s: %s; the old one is as it was", ret_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}
