/* SPDX-License-Identifier: Apache-2.0 */
/* A large account: every page of 10,000 groups, the same filtered, and the rules of many of them. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "canned.h"

#define LIST_FORM                                                                                  \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","     \
	"\"arguments\":{\"limit\":200%s%s%s%s}}}\n"

static size_t
count(const struct pipes *p, const char *what)
{
	const char *at = p->line, *last = p->line + p->len;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(last - at), what, strlen(what))) != NULL) {
		n++;
		at += strlen(what);
	}
	return n;
}

/* All pages; how many entries, by the text that each has once. */
static size_t
list_all(
    struct pipes *p, const char *tool, const char *more, const char *each, double *ret_per_page)
{
	char cursor[256] = "", line[1024];
	double start = now();
	size_t n = 0, pages = 0;

	do {
		(void)snprintf(line, sizeof(line), LIST_FORM, tool, more,
		    cursor[0] != 0 ? ",\"cursor\":\"" : "", cursor, cursor[0] != 0 ? "\"" : "");
		(void)ask(p, line);
		n += count(p, each);
		pages++;
	} while (answer_text(p, "next_cursor", cursor, sizeof(cursor)));
	*ret_per_page = (now() - start) / (double)pages * 1000;
	return n;
}

int
bench_pages(char *const argv[])
{
	struct pipes server = spawn(argv, NULL, NULL);
	unsigned groups = quick ? 20 : 150 /* below the broker's quota of reads */;
	double per_page, start;
	size_t n;

	(void)handshake(&server);
	start = now();
	(void)list_all(&server, "find_security_group", ",\"query\":\"service-00007\"",
	    "\"security_group_id\":", &per_page);
	value_row("10,000 groups read and one found", (now() - start) * 1000,
	    "ms, AWS's ten pages included", "");
	n = list_all(&server, "list_security_groups", "", "\"security_group_id\":", &per_page);
	if (n != CANNED_GROUPS)
		die("not all groups were listed");
	value_row("10,000 groups listed", per_page, "ms a page", "");
	n = list_all(&server, "find_security_group", ",\"query\":\"SERVICE-0999\"",
	    "\"security_group_id\":", &per_page);
	if (n != 10)
		die("not the groups that were looked for");
	value_row("10,000 groups filtered to 10", per_page, "ms a page", "");
	start = now();
	for (unsigned i = 0; i < groups; i++) {
		char line[512];

		(void)snprintf(line, sizeof(line),
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
		    "\"list_rules\",\"arguments\":{\"security_group_id\":\"sg-1%011u%05u\","
		    "\"filter\":{\"cidr\":\"10.0.7.0/24\"}}}}\n",
		    i, CANNED_GROUP_RULES);
		(void)ask(&server, line);
		if (count(&server, "\"rule_id\":") != 1)
			die("not the rule that was looked for");
	}
	value_row("20 rules of a group filtered to 1", (now() - start) * 1000 / groups,
	    "ms a group, read from AWS", "");
	(void)printf("measure\n"); /* whoever started this reads /proc now, and says when it has */
	(void)fflush(stdout);
	(void)getchar();
	end(&server);
	return 0;
}
