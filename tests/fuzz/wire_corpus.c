/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed corpus of the wire: for each message one short datagram and, where it has lists or texts, one with more in
 * it.  `wire_corpus --update FOLDER` writes it, `wire_corpus --check FOLDER` is a test that messages.def has not
 * moved on without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire_gen.h"

#define SEED_MAX 1024 /* bytes: seeds are to be read by people too */

static int
check_file(
    const char *folder, const struct msg_row *row, unsigned n, const uint8_t *data, size_t len)
{
	static uint8_t there[SEED_MAX + 1];
	char path[512];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%u", folder, row->name, n);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, there, sizeof(there));
	if (fd >= 0)
		close(fd);
	if (got == (ssize_t)len && memcmp(there, data, len) == 0)
		return 0;
	fprintf(stderr, "%s is not what messages.def makes: write it anew with --update\n", path);
	return -1;
}

static int
write_file(
    const char *folder, const struct msg_row *row, unsigned n, const uint8_t *data, size_t len)
{
	char path[512];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, row->name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	snprintf(path, sizeof(path), "%s/%s/%u", folder, row->name, n);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	written = write(fd, data, len);
	close(fd);
	return written == (ssize_t)len ? 0 : -1;
}

typedef int seed_file(
    const char *folder, const struct msg_row *row, unsigned n, const uint8_t *data, size_t len);

/* The shortest and the longest of some draws that are no longer than SEED_MAX. */
static int
seed(seed_file *file, const char *folder, const struct msg_row *row)
{
	static uint8_t data[SGW_DATAGRAM_MAX], shortest[SGW_DATAGRAM_MAX],
	    longest[SGW_DATAGRAM_MAX];
	size_t shortest_len = SIZE_MAX, longest_len = 0;
	struct gen g = {.state = row->id, .small = true};
	static struct msg m;

	for (int i = 0; i < 200; i++) {
		struct buf b = buf_over(data, sizeof(data));

		gen_msg(&g, (enum msg_id)row->id, &m);
		if (!msg_encode(&b, &m))
			return -1;
		if (b.len < shortest_len) {
			shortest_len = b.len;
			memcpy(shortest, data, b.len);
		}
		if (b.len > longest_len && b.len <= SEED_MAX) {
			longest_len = b.len;
			memcpy(longest, data, b.len);
		}
	}
	if (file(folder, row, 0, shortest, shortest_len) < 0)
		return -1;
	return longest_len > shortest_len ? file(folder, row, 1, longest, longest_len) : 0;
}

int
main(int argc, char **argv)
{
	bool update = argc == 3 && strcmp(argv[1], "--update") == 0;

	if (!update && (argc != 3 || strcmp(argv[1], "--check") != 0)) {
		fprintf(stderr, "usage: wire_corpus --check | --update FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < MESSAGES_LEN; i++)
		if (seed(update ? write_file : check_file, argv[2], &MESSAGES[i]) < 0) {
			fprintf(stderr, "wire_corpus: %s\n", MESSAGES[i].name);
			return 1;
		}
	return 0;
}
