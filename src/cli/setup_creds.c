/* SPDX-License-Identifier: Apache-2.0 */
/* System mode: the AWS keys that the daemon's unit is given, by systemd-creds(1); see setup.h. */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/secret.h>

#include "run.h"

#define GIVEN_NEW GIVEN_FILE ".new"
#define GIVEN_NAME "--name=credentials" /* what the unit calls it */
#define LINE_ROOM 16384                 /* a session token has some 2,000 */

static const char *const ENCRYPT[] = {"systemd-creds", "encrypt", GIVEN_NAME, "-", GIVEN_NEW, NULL};
static const char *const DECRYPT[] = {
    "systemd-creds", "decrypt", GIVEN_NAME, GIVEN_FILE, "-", NULL};

/* ---- which sections ---- */

static const char *
reader_of(const struct rec_profile_conf *p)
{
	return p->reader[0] ? p->reader : p->name;
}

static const char *
opener_of(const struct rec_profile_conf *p)
{
	return p->opener[0] ? p->opener : p->name;
}

bool
creds_opens(const struct rec_config *config, const char *section)
{
	bool opens = false;

	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *p = &config->profiles[i];

		if (strcmp(reader_of(p), section) == 0)
			return false; /* needed in plaintext all the time */
		opens = opens || strcmp(opener_of(p), section) == 0 ||
			strcmp(p->opener_sensitive, section) == 0;
	}
	return opens;
}

bool
creds_name(const struct rec_config *config, const char *section)
{
	for (size_t i = 0; i < config->n_profiles; i++)
		if (strcmp(reader_of(&config->profiles[i]), section) == 0)
			return true;
	return creds_opens(config, section);
}

static bool
is_listed(const struct aws_section *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].has_secret && strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

const char *
creds_missing(const struct rec_config *config, const struct aws_section *list, size_t n)
{
	for (size_t i = 0; i < config->n_profiles; i++) {
		const struct rec_profile_conf *p = &config->profiles[i];

		if (!is_listed(list, n, reader_of(p)))
			return reader_of(p);
		if (!is_listed(list, n, opener_of(p)))
			return opener_of(p);
		if (p->opener_sensitive[0] && !is_listed(list, n, p->opener_sensitive))
			return p->opener_sensitive;
	}
	return NULL;
}

/* ---- encrypting ---- */

/* What the programs said, such as that the machine's key lies on a disk that is not encrypted: no secret is in it. */
static void
tell_said(int fd)
{
	char said[RUN_SAID_MAX];

	run_said(fd, said);
	for (char *rest = said, *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			out_words(stdout, 0, line);
}

static bool
synced(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The new file in the place of the old one, for good, or the old one as it was: the plaintext may go after that. */
static bool
given_commit(bool ok)
{
	if (ok && chmod(GIVEN_NEW, 0600) == 0 && synced(GIVEN_NEW, 0) &&
	    rename(GIVEN_NEW, GIVEN_FILE) == 0 && synced(GIVEN_FOLDER, O_DIRECTORY))
		return true;
	(void)unlink(GIVEN_NEW);
	return false;
}

bool
creds_give(int fd)
{
	int said[2];
	pid_t pid;
	bool ok;

	if (pipe2(said, O_CLOEXEC) < 0)
		return false;
	pid = run_start(ENCRYPT, fd, said[1], said[1]);
	ok = pid >= 0 && run_end(pid) == 0;
	close(said[1]);
	tell_said(said[0]);
	close(said[0]);
	return given_commit(ok);
}

/* ---- taking the opener out ---- */

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

struct filter {
	const struct rec_config *config;
	int in, out;
	int said;   /* where the programs complain */
	char *line; /* of LINE_ROOM bytes */
	size_t len;
	bool drop;    /* what is read now belongs to an opener */
	bool dropped; /* something was */
};

/* A line with its line feed, into what is kept or away. */
static bool
line_pass(struct filter *f)
{
	char header[SGW_PROFILE_MAX + 16], name[SGW_PROFILE_MAX + 1];
	bool ok = true;

	if (f->line[0] == '[') {
		size_t n = f->len < sizeof(header) - 1 ? f->len : sizeof(header) - 1;

		memcpy(header, f->line, n);
		header[n] = 0;
		f->drop = aws_header(header, name) && creds_opens(f->config, name);
	}
	f->dropped = f->dropped || f->drop;
	if (!f->drop)
		ok = write_all(f->out, f->line, f->len);
	memory_erase(f->line, f->len);
	f->len = 0;
	return ok;
}

/* Byte by byte into locked memory: a line is nowhere else. */
static bool
filter_run(struct filter *f)
{
	ssize_t n;

	while ((n = read(f->in, f->line + f->len, 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		f->len++;
		if ((f->line[f->len - 1] == '\n' && !line_pass(f)) || f->len == LINE_ROOM)
			return false;
	}
	return f->len == 0 || line_pass(f);
}

/* Both programs with the filter between them: true where each of the three came to a good end. */
static bool
pipeline_run(struct filter *f)
{
	int from[2], to[2];
	pid_t source = -1, sink = -1;
	bool ok = false;

	if (pipe2(from, O_CLOEXEC) < 0)
		return false;
	if (pipe2(to, O_CLOEXEC) == 0) {
		int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

		source = run_start(DECRYPT, nothing, from[1], f->said);
		sink = run_start(ENCRYPT, to[0], f->said, f->said);
		close(nothing);
		close(from[1]);
		close(to[0]);
		f->in = from[0];
		f->out = to[1];
		ok = source >= 0 && sink >= 0 && filter_run(f);
		close(to[1]);
	} else
		close(from[1]);
	close(from[0]);
	ok = source >= 0 && run_end(source) == 0 && ok;
	return sink >= 0 && run_end(sink) == 0 && ok;
}

bool
creds_take_out(const struct rec_config *config)
{
	struct secret region = {0};
	struct filter f = {.config = config};
	int said[2];
	bool ok;

	if (pipe2(said, O_CLOEXEC) < 0)
		return false;
	if (secret_alloc(&region, LINE_ROOM) < 0)
		abort(); /* no memory: nothing half-written */
	f.line = region.data;
	f.said = said[1];
	signal(SIGPIPE, SIG_IGN); /* a systemd-creds that ends early says why itself */
	ok = pipeline_run(&f);
	secret_free(&region);
	close(said[1]);
	tell_said(said[0]);
	close(said[0]);
	return given_commit(ok && f.dropped);
}
