/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KEYS_FILE_H
#define CLI_KEYS_FILE_H

#include <sgwarden/wire.h>

#include "cli.h"

/* --keys FILE: a key list as the daemon's state file `keys` holds it.  0, or the exit status. */
int keys_read(const struct args *args, struct rec_key_list *ret_list);

#endif
