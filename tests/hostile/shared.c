/* SPDX-License-Identifier: Apache-2.0 */
/* The board as a page that the test has mapped too: it gives the orders there, and reads what came of them. */
#include "board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

const uint32_t BOARD_HELD = 1u << HELD_ACCOUNT | 1u << HELD_LAYERS | 1u << HELD_WHOLLY;

void
board_map(void)
{
	int fd = open(BOARD_PATH, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		board = p;
}

/* The test sees for itself. */
void
board_attacked(unsigned who)
{
	(void)who;
}

void
board_lied(unsigned who)
{
	board->told[who]++;
}
