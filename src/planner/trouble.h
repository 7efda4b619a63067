/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of an exchange with AWS means in our own errors. */
#ifndef PLANNER_TROUBLE_H
#define PLANNER_TROUBLE_H

#include <sgwarden/errors.h>
#include <sgwarden/wire.h>

struct trouble {
	uint16_t error; /* SGW_ERR_NONE: there is none */
	bool transient; /* worth asking again at once */
	char detail[SGW_DETAIL_MAX + 1];
};

void trouble_of_read(const struct msg_done *done, struct trouble *ret_trouble);

#endif
