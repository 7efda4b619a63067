/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's own address: get_my_ip, and what "current" means in an opening. */
#ifndef PLANNER_OWN_H
#define PLANNER_OWN_H

#include "planner.h"

void ip_begin(struct planner *p, struct call *call, const struct msg_ask_ip *ask);
bool run_ip(struct planner *p, struct call *call);

/* An opening to "current" needs to know it; one to a named source does not. */
void own_want(struct planner *p, struct call *call);
/* Is all known that "current" needs?  IPv6 is asked about once nothing was heard over IPv4, and for a receipt of icmpv6. */
bool own_ready(struct planner *p, struct call *call);
/* "current" becomes a source; false: the call has failed. */
bool own_resolve(struct planner *p, struct call *call);
/* May "current" have become another since this equal request was settled?  Then it is asked for anew, and … */
bool own_may_move(const struct call *call, const struct plan *plan);
/* … has it?  Where that is not known it has not. */
bool own_moved(const struct planner *p, const struct call *call, const struct plan *plan);
/* Notes how many sources say that the plan opens to this machine's own address, as the broker will in the record. */
void own_note(const struct planner *p, struct plan *plan);

#endif
