/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static int
usage(void)
{
	(void)fputs("usage: bench [--quick] [--at-once] calls|start|pages COMMAND...\n"
		    "       bench [--quick] [--at-once] describes ENDPOINT COMMAND...\n"
		    "       bench [--quick] clients N SOCKET\n"
		    "       bench [--quick] ceremony KEY_FD SGWARDEN\n"
		    "COMMAND is an MCP server on stdio, as a client would start it\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
		quick = true;
		argv++;
		argc--;
	}
	if (argc > 1 && strcmp(argv[1], "--at-once") == 0) {
		at_once = true;
		argv++;
		argc--;
	}
	if (argc < 3)
		return usage();
	if (strcmp(argv[1], "calls") == 0)
		return bench_calls(argv + 2);
	if (strcmp(argv[1], "start") == 0)
		return bench_start(argv + 2);
	if (strcmp(argv[1], "pages") == 0)
		return bench_pages(argv + 2);
	if (argc < 4)
		return usage();
	if (strcmp(argv[1], "describes") == 0)
		return bench_describes(argv[2], argv + 3);
	if (strcmp(argv[1], "clients") == 0)
		return bench_clients((unsigned)strtoul(argv[2], NULL, 10), argv[3]);
	if (strcmp(argv[1], "ceremony") == 0)
		return bench_ceremony((int)strtol(argv[2], NULL, 10), argv + 3);
	return usage();
}
