/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a fuzz target every file of the folders named, and of the folders in them: a corpus is a test under any
 * compiler.  A finding aborts, as it would under libFuzzer.  Nothing to replay is a failure: a corpus that went
 * missing must not pass.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX (4u << 20)
#define DEPTH_MAX 4

static int replay_path(int at, const char *name, int depth, uint8_t *memory, size_t *count);

static int
complain(const char *name)
{
	fprintf(stderr, "replay: %s: %s\n", name, strerror(errno));
	return -1;
}

static int
replay_file(int fd, const char *name, uint8_t *memory, size_t *count)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, memory + len, INPUT_MAX - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (n < 0)
		return complain(name);
	/* The target gets memory of exactly this length, so that a sanitizer sees one byte too many. */
	uint8_t *exact = malloc(len > 0 ? len : 1);
	if (!exact)
		return complain(name);
	if (len > 0)
		memcpy(exact, memory, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	(*count)++;
	return 0;
}

static int
replay_folder(int fd, const char *name, int depth, uint8_t *memory, size_t *count)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir || depth == 0) {
		close(fd);
		return complain(name);
	}
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = replay_path(dirfd(dir), entry->d_name, depth - 1, memory, count);
	closedir(dir);
	return r;
}

static int
replay_path(int at, const char *name, int depth, uint8_t *memory, size_t *count)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return complain(name);
	if (S_ISDIR(st.st_mode))
		return replay_folder(fd, name, depth, memory, count);
	return replay_file(fd, name, memory, count);
}

int
main(int argc, char **argv)
{
	uint8_t *memory = malloc(INPUT_MAX);
	size_t count = 0;
	int r = memory ? 0 : complain("memory");

	for (int i = 1; r == 0 && i < argc; i++)
		r = replay_path(AT_FDCWD, argv[i], DEPTH_MAX, memory, &count);
	free(memory);
	printf("%zu inputs replayed\n", count);
	return r == 0 && count > 0 ? 0 : 1;
}
