/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the AWS files' sections, and which have a secret key.  No value of a key is kept: see setup.h. */
#include "setup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/secret.h>
#include <sgwarden/vis.h>

#define LINE_KEPT 96 /* bytes of a line that are looked at: a header, or a key's name */

struct sections {
	struct aws_section *list;
	size_t n;
	struct aws_section *now; /* the one that lines belong to, or NULL */
};

static struct aws_section *
section_get(struct sections *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	if (s->n == SECTIONS_MAX)
		return NULL;
	s->list[s->n] = (struct aws_section){0};
	memcpy(s->list[s->n].name, name, strlen(name) + 1);
	return &s->list[s->n++];
}

bool
aws_header(char *line, char ret_name[SGW_PROFILE_MAX + 1])
{
	char *end = strchr(line, ']'), *name = line + 1;
	size_t len;

	if (line[0] != '[' || !end)
		return false;
	*end = 0;
	if (strncmp(name, "profile ", 8) == 0)
		name += 8;
	name += strspn(name, " \t");
	len = strlen(name);
	if (len == 0 || len > SGW_PROFILE_MAX || !text_is_ascii(name, len) || strchr(name, ' '))
		return false;
	memcpy(ret_name, name, len + 1);
	return true;
}

/* `line` is what stands before the equals sign, or a header. */
static void
on_line(struct sections *s, char *line)
{
	char name[SGW_PROFILE_MAX + 1];

	if (line[0] == '[')
		s->now = aws_header(line, name) ? section_get(s, name) : NULL;
	else if (s->now && strncasecmp(line, "aws_secret_access_key", 21) == 0 &&
		 strspn(line + 21, " \t") == strlen(line + 21))
		s->now->has_secret = true;
}

/* Byte by byte, so that nothing behind an equals sign is ever put anywhere. */
static void
file_read(struct sections *s, int fd)
{
	char block[1024], line[LINE_KEPT];
	size_t len = 0;
	bool skip = false;
	ssize_t n;

	s->now = NULL;
	while ((n = read(fd, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			bool ends = block[i] == '\n' || block[i] == '\r';

			if ((ends || block[i] == '=') && !skip) {
				line[len] = 0;
				on_line(s, line);
			}
			if (ends || block[i] == '=')
				len = 0;
			skip = !ends && (skip || block[i] == '=');
			if (!skip && !ends && len < sizeof(line) - 1)
				line[len++] = block[i];
		}
	}
	memory_erase(block, sizeof(block));
	memory_erase(line, sizeof(line));
}

size_t
aws_sections_of(int fd, struct aws_section ret[SECTIONS_MAX])
{
	struct sections s = {.list = ret};

	file_read(&s, fd);
	return s.n;
}

size_t
aws_sections(struct aws_section ret[SECTIONS_MAX])
{
	static const char *const FILES[] = {"credentials", "config"};
	const char *home = getenv("HOME");
	struct sections s = {.list = ret};
	char path[CLI_PATH_MAX];

	for (size_t i = 0; home && i < sizeof(FILES) / sizeof(FILES[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s/.aws/%s", home, FILES[i]);
		int fd =
		    n > 0 && n < CLI_PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

		if (fd < 0)
			continue;
		file_read(&s, fd);
		close(fd);
	}
	return s.n;
}
