/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event on descriptor 2, "<priority>process: text", every byte of it printable. */
#include <sgwarden/log.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sgwarden/vis.h>

#define LOG_TEXT_MAX 1024
#define LOG_NAME_MAX 32

/* Set once by main() before anything else runs; every process has one log. */
static char log_name[LOG_NAME_MAX] = "sgwarden";
static enum log_level log_most = LOG_LEVEL_INFO;

void
log_open(const char *process_name, enum log_level most)
{
	vis(log_name, sizeof(log_name), process_name, strlen(process_name));
	log_most = most;
}

void
log_write(enum log_level level, const char *format, ...)
{
	char text[LOG_TEXT_MAX], line[VIS_MAX(LOG_TEXT_MAX) + LOG_NAME_MAX + 8];
	int saved = errno, head, len;
	va_list args;

	if (level > log_most)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		goto out;
	if ((size_t)len >= sizeof(text))
		len = (int)sizeof(text) - 1;
	head = snprintf(line, sizeof(line), "<%d>%s: ", (int)level, log_name);
	vis(line + head, sizeof(line) - (size_t)head - 1, text, (size_t)len);
	len = (int)strlen(line);
	line[len++] = '\n';
	/* One write, one line: a log that is full or gone must not stop the process. */
	while (write(STDERR_FILENO, line, (size_t)len) < 0 && errno == EINTR)
		;
out:
	errno = saved;
}
