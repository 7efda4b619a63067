/* SPDX-License-Identifier: Apache-2.0 */
/* Tables; see table.h. */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include <sgwarden/limits.h>
#include <sgwarden/vis.h>

#include "mcp_client.h"

#define GAP 2
#define CELL_MAX 76 /* a row's second line begins behind four blanks */

void
table_column(struct table *t, const char *head, size_t most)
{
	t->heads[t->n_columns] = head;
	t->most[t->n_columns++] = most;
}

void
table_row(struct table *t, const char *const *cells)
{
	if (t->rows == NULL)
		t->rows = cJSON_CreateArray();
	cJSON_AddItemToArray(t->rows, cJSON_CreateStringArray(cells, (int)t->n_columns));
}

/* Printable, and cut where it is longer than a line. */
static size_t
cell_text(const cJSON *cell, char ret_text[CELL_MAX + 1])
{
	const char *text = cJSON_IsString(cell) ? cell->valuestring : "";
	char printable[1024];
	bool whole = out_printable(printable, sizeof(printable), text, strlen(text));
	int n = snprintf(ret_text, CELL_MAX + 1, "%s", printable);

	if (!whole || n > CELL_MAX)
		memcpy(ret_text + strlen(ret_text) - 2, "..", 2);
	return strlen(ret_text);
}

static void
widths(const struct table *t, size_t ret_width[TABLE_COLUMNS_MAX])
{
	char text[CELL_MAX + 1];
	const cJSON *row;

	for (size_t i = 0; i < t->n_columns; i++)
		ret_width[i] = strlen(t->heads[i]);
	cJSON_ArrayForEach(row, t->rows)
	{
		size_t i = 0;
		const cJSON *cell;

		cJSON_ArrayForEach(cell, row)
		{
			size_t len = cell_text(cell, text);

			if (len > ret_width[i])
				ret_width[i] = len < t->most[i] ? len : t->most[i];
			i++;
		}
	}
}

/* One cell at column *at, or in a further line where it would pass the width. */
static void
put_cell(size_t *at, size_t *due, const char *text, size_t len, size_t width)
{
	if (len == 0 || *due < *at)
		*due = len == 0 ? *due : *at;
	if (len > 0 && *at > 0 && *due + len > CLI_WIDTH) {
		printf("\n    ");
		*at = *due = 4;
	}
	if (len > 0) {
		printf("%*s%s", (int)(*due - *at), "", text);
		*at = *due + len;
	}
	*due += (len > width ? len : width) + GAP;
}

static void
put_heads(const struct table *t, const size_t *width)
{
	size_t at = 0, due = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		put_cell(&at, &due, t->heads[i], strlen(t->heads[i]), width[i]);
	putchar('\n');
}

void
table_print(struct table *t)
{
	size_t width[TABLE_COLUMNS_MAX];
	char text[CELL_MAX + 1];
	const cJSON *row, *cell;

	widths(t, width);
	put_heads(t, width);
	cJSON_ArrayForEach(row, t->rows)
	{
		size_t at = 0, due = 0, i = 0;

		cJSON_ArrayForEach(cell, row)
		{
			size_t len = cell_text(cell, text);

			put_cell(&at, &due, text, len, width[i++]);
		}
		putchar('\n');
	}
	cJSON_Delete(t->rows);
	t->rows = NULL;
}

int64_t
json_number(const cJSON *object, const char *key)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(member) && member->valuedouble > -1e15 && member->valuedouble < 1e15
		   ? (int64_t)member->valuedouble
		   : 0;
}

void
ports_text(const cJSON *object, char ret_text[PORTS_TEXT_LEN])
{
	const char *protocol = json_text(object, "protocol");
	int from = (int)json_number(object, "from_port"), to = (int)json_number(object, "to_port");

	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		snprintf(ret_text, PORTS_TEXT_LEN, "%.20s", protocol);
	else if (from == to)
		snprintf(ret_text, PORTS_TEXT_LEN, "%s/%d", protocol, from);
	else
		snprintf(ret_text, PORTS_TEXT_LEN, "%s/%d-%d", protocol, from, to);
}

void
left_text(int64_t seconds, char ret_text[LEFT_TEXT_LEN])
{
	long long s = seconds;

	if (s <= 0)
		snprintf(ret_text, LEFT_TEXT_LEN, "due");
	else if (s > SGW_LIFETIME_PERMANENT / 4 * 3)
		snprintf(ret_text, LEFT_TEXT_LEN, "never");
	else if (s < 60)
		snprintf(ret_text, LEFT_TEXT_LEN, "%llds", s);
	else if (s < 3600)
		snprintf(ret_text, LEFT_TEXT_LEN, "%lldm", s / 60);
	else if (s < 86400)
		snprintf(ret_text, LEFT_TEXT_LEN, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(ret_text, LEFT_TEXT_LEN, "%lldd%lldh", s / 86400, s / 3600 % 24);
}
