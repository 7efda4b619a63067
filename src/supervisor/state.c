/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory: who may own it, what is in it, and how a file of it is replaced. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sgwarden/log.h>

/* A directory of ours: made if absent, owned by us, closed to everybody else. */
static int
directory_open(int at, const char *path)
{
	struct stat st;
	int fd;

	if (mkdirat(at, path, 0700) < 0 && errno != EEXIST) {
		log_error(
		    "cannot make %s: %s; make it with `mkdir -p -m 0700`", path, strerror(errno));
		return -1;
	}
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		log_error("cannot open %s: %s; %s", path, strerror(errno), advice(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0 || st.st_uid != getuid() || (st.st_mode & 0077)) {
		log_error("%s is not a directory of this user alone: chown it to this user and "
			  "chmod it 0700",
		    path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Reads a whole small file of ours; the number of bytes, or -1 (errno says why). */
static ssize_t
file_read(int at, const char *name, void *data, size_t cap)
{
	size_t len = 0;
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -1;
	for (;;) {
		ssize_t n = read(fd, (char *)data + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n == cap) {
			close(fd);
			errno = n < 0 ? errno : EFBIG;
			return -1;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	return (ssize_t)len;
}

static bool
write_all(int fd, const void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* New contents beside the old, synced, renamed over it, the directory synced: the old or the new, never less. */
static bool
file_replace(int at, const char *name, const void *data, size_t len)
{
	static const char NEW[] = "new";
	int fd = openat(at, NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;
	bool ok;

	if (fd < 0)
		return false;
	ok = write_all(fd, data, len) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok)
		ok = renameat(at, NEW, at, name) == 0 && fsync(at) == 0;
	error = errno;
	if (!ok)
		(void)unlinkat(at, NEW, 0);
	errno = error;
	return ok;
}

static const char *const NAMES[STATE_FILE_MAX] = {
    [STATE_FILE_KEYS] = "keys", [STATE_FILE_POLICY] = "policy.bin", [STATE_FILE_SEALED] = "sealed"};

bool
state_commit(struct supervisor *s, enum state_file file, const void *data, size_t len)
{
	bool ok = file_replace(s->state, NAMES[file], data, len);

	if (!ok)
		log_error("cannot write %s in the state directory: %s; %s", NAMES[file],
		    strerror(errno), advice(errno));
	return ok;
}

static int
config_load(struct supervisor *s)
{
	struct cur c;
	ssize_t n = file_read(s->state, "config.bin", s->scratch, sizeof(s->scratch));

	if (n < 0 && errno == ENOENT) {
		log_error("no compiled configuration: write config.json in %s, then run `sgwarden "
			  "config load`",
		    s->opt.config_dir);
		return -1;
	}
	if (n < 0) {
		log_error("cannot read config.bin in %s: %s; %s", s->opt.state_dir, strerror(errno),
		    advice(errno));
		return -1;
	}
	c = cur_over(s->scratch, (size_t)n);
	if (!rec_config_decode(&c, &s->config) || !cur_done(&c)) {
		log_error(
		    "config.bin in %s is damaged or of another version: run `sgwarden config load`",
		    s->opt.state_dir);
		return -1;
	}
	return 0;
}

/* The appliance's name for itself: 80 random bits, made once. */
static int
appliance_load(struct supervisor *s)
{
	static const char ALPHABET[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[SGW_APPLIANCE_LEN];
	ssize_t n = file_read(s->state, "appliance", s->appliance, sizeof(s->appliance));

	if (n == SGW_APPLIANCE_LEN && strspn(s->appliance, ALPHABET) == SGW_APPLIANCE_LEN)
		return 0;
	if (n < 0 && errno != ENOENT && errno != EFBIG) {
		log_error("cannot read appliance in %s: %s; %s", s->opt.state_dir, strerror(errno),
		    advice(errno));
		return -1;
	}
	if (n >= 0 || errno != ENOENT) {
		log_error("appliance in %s is damaged: restore it, or remove keys and ledger with "
			  "it",
		    s->opt.state_dir);
		return -1;
	}
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		log_error("the kernel gives no random numbers: %s", strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < SGW_APPLIANCE_LEN; i++)
		s->appliance[i] = ALPHABET[random[i] % 32];
	s->appliance[SGW_APPLIANCE_LEN] = 0;
	if (!file_replace(s->state, "appliance", s->appliance, SGW_APPLIANCE_LEN)) {
		s->mend = stays(errno);
		log_error("cannot write appliance in %s: %s; %s", s->opt.state_dir, strerror(errno),
		    advice(errno));
		return -1;
	}
	log_notice("new appliance %s", s->appliance);
	return 0;
}

static int
boot_id_load(struct supervisor *s)
{
	char text[64];
	ssize_t n = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text));

	if (n < 36) {
		log_error("cannot read the kernel's boot id: /proc must be mounted");
		return -1;
	}
	memcpy(s->boot_id, text, 36);
	s->boot_id[36] = 0;
	return 0;
}

int
state_file_open(struct supervisor *s, enum state_file file)
{
	int fd = openat(s->state, NAMES[file], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0600);

	if (fd < 0) {
		s->mend |= stays(errno);
		log_error("cannot open %s in %s: %s; %s", NAMES[file], s->opt.state_dir,
		    strerror(errno), advice(errno));
	}
	return fd;
}

static int
lock_take(struct supervisor *s)
{
	s->lock = openat(s->state, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (s->lock >= 0 && errno == EWOULDBLOCK)
		log_error("another sgwardend has %s: stop that one first", s->opt.state_dir);
	else {
		s->mend = stays(errno);
		log_error("cannot lock %s/lock: %s; %s", s->opt.state_dir, strerror(errno),
		    advice(errno));
	}
	return -1;
}

int
state_open(struct supervisor *s)
{
	s->state = directory_open(AT_FDCWD, s->opt.state_dir);
	if (s->state < 0)
		return -1;
	if (lock_take(s) < 0)
		return -1;
	s->ledger_dir = directory_open(s->state, "ledger");
	if (s->ledger_dir < 0)
		return -1;
	s->dev_null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->dev_null < 0) {
		log_error("cannot open /dev/null: %s", strerror(errno));
		return -1;
	}
	if (config_load(s) < 0 || appliance_load(s) < 0)
		return -1;
	return boot_id_load(s);
}
