/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board of a hostile part that AppArmor or SELinux holds (tests/vm): its orders are compiled in, for its profile or
 * domain knows of no page that it could share with a test. It attacks as soon as it is started, as root and with its own
 * account, and tells its one lie (ORDERED_LIE) whenever it can; what came of it is lines of its log.
 */
#include "board.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sgwarden/log.h>

#define TERMINAL "/dev/tty8" /* the screen's */
#define PORT 80              /* where AWS is played */
#define OTHER_PORT 22        /* where somebody else listens */
#define NEIGHBOURS 64        /* processes */

const uint32_t BOARD_HELD = 1u << HELD_ROOT | 1u << HELD_ACCOUNT;

/* Shared with the children that attack alone. */
void
board_map(void)
{
	void *p =
	    mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	board = p;
	/* Whoever was there before it or came with it: an emulated processor is slow. */
	attack_pids = getpid() + NEIGHBOURS;
	board->attack = UINT32_MAX;
	board->port = PORT;
	board->other_port = OTHER_PORT;
	memcpy(board->terminal, TERMINAL, sizeof(TERMINAL));
	for (unsigned who = 0; who < WHO_MAX; who++)
		board->lie[who] = ORDERED_LIE;
}

/* As tests/vm/hostile.py reads it: who, how, what, what came of it, the errno, signal or target. */
void
board_attacked(unsigned who)
{
	static const char *const HELD[] = {[HELD_ACCOUNT] = "account", [HELD_ROOT] = "root"};

	for (size_t i = 0; ATTACKS[i].name; i++)
		for (enum held held = 0; held < HELD_MAX; held++) {
			const struct result *r = &board->results[who][held][i];

			if (r->outcome != OUTCOME_NONE)
				log_info("hostile %s %s %u %u", HELD[held], ATTACKS[i].name,
				    r->outcome, r->detail);
		}
}

void
board_lied(unsigned who)
{
	board->told[who]++;
	log_info("hostile lied");
}
