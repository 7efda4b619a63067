/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of attacks share.  Each returns 0 where it managed, else errno of the last thing it tried. */
#ifndef TESTS_HOSTILE_ATTACKS_H
#define TESTS_HOSTILE_ATTACKS_H

#include "board.h"

int reach_our_sockets(void);
int reach_network(void);
int reach_another_port(void);
int reach_abstract(void);

int connects_path(const char *path, int kind);

#endif
