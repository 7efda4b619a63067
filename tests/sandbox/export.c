/* SPDX-License-Identifier: Apache-2.0 */
/* `export ROLE[-tight]` writes that filter as classic BPF to stdout; `export --names` lists "number name". */
#include "internal.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBERS 601

static int
names_print(void)
{
	for (int nr = 0; nr < NUMBERS; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);

		if (name != NULL)
			printf("%d %s\n", nr, name);
		free(name);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--names") == 0)
		return names_print();
	for (int role = ROLE_FRONT; argc == 2 && role < ROLE_MAX; role++) {
		if (strcmp(argv[1], role_name((enum role)role)) == 0)
			return sandbox_export_bpf((enum role)role, false, STDOUT_FILENO) < 0;
	}
	if (argc == 2 && strcmp(argv[1], "front-tight") == 0)
		return sandbox_export_bpf(ROLE_FRONT, true, STDOUT_FILENO) < 0;
	fprintf(stderr, "usage: export ROLE | front-tight | --names\n");
	return 2;
}
