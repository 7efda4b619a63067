/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line per event on descriptor 2, with the priority prefix that the journal understands (sd-daemon(3)) and the
 * process's name.  Whatever is printed passes vis(): no byte of a peer reaches the log raw.
 */
#ifndef SGWARDEN_LOG_H
#define SGWARDEN_LOG_H

enum log_level {
	LOG_LEVEL_ALERT = 1,
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

void log_open(const char *process_name, enum log_level most);
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
