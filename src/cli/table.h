/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: at most CLI_WIDTH columns, printable ASCII, no colour; and words for what stands in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdint.h>

#include <cjson/cJSON.h>

#define TABLE_COLUMNS_MAX 6

struct table {
	size_t n_columns;
	const char *heads[TABLE_COLUMNS_MAX];
	size_t most
	    [TABLE_COLUMNS_MAX]; /* a longer cell pushes the rest of its row, into the next line if need be */
	cJSON *rows;             /* of arrays of texts */
};

/* The column's heading, and how wide it may grow. */
void table_column(struct table *t, const char *head, size_t most);
/* A row of n_columns texts, of whatever words. */
void table_row(struct table *t, const char *const *cells);
/* On stdout; frees the rows. */
void table_print(struct table *t);

#define PORTS_TEXT_LEN 40
#define LEFT_TEXT_LEN 24

/* "tcp/443", "udp/8000-8010", "icmp", "all" of an object with protocol, from_port, to_port. */
void ports_text(const cJSON *object, char ret_text[PORTS_TEXT_LEN]);
/* "2d3h", "7h59m", "12m", "40s", "due", "never". */
void left_text(int64_t seconds, char ret_text[LEFT_TEXT_LEN]);
/* A number of an object, or 0. */
int64_t json_number(const cJSON *object, const char *key);

#endif
