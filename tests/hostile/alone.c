/* SPDX-License-Identifier: Apache-2.0 */
/* The battery outside sgwarden: `alone list` says what there is, `alone agent` and `alone root` make them. */
#include "board.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
list(void)
{
	for (size_t i = 0; ATTACKS[i].name; i++)
		(void)printf("attack %s\n", ATTACKS[i].name);
#define LIE(role, name, words) (void)printf("lie %s %s %d\n", #role, #name, LIE_##role##_##name);
	LIES(LIE)
#undef LIE
#define FIELD(name) (void)printf("field %s %zu\n", #name, offsetof(struct board, name));
	FIELD(attack)
	FIELD(port)
	FIELD(other_port)
	FIELD(lie)
	FIELD(told)
	FIELD(filters)
	FIELD(results)
	FIELD(terminal)
	FIELD(kept)
#undef FIELD
	(void)printf("size %zu\n", sizeof(struct board));
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		list();
		return 0;
	}
	board_map();
	if (argc != 2 || !board)
		return 2;
	battery(strcmp(argv[1], "root") == 0 ? WHO_ROOT : WHO_AGENT, HELD_ACCOUNT, getuid(), NULL);
	return 0;
}
