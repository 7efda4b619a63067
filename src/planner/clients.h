/* SPDX-License-Identifier: Apache-2.0 */
/* The clients' ends.  A client that ends or breaks protocol is marked and taken out at the end of the turn. */
#ifndef PLANNER_CLIENTS_H
#define PLANNER_CLIENTS_H

#include "planner.h"

enum sent {
	SENT_OK,
	SENT_BLOCKED, /* its queue is full: the call is run again once there is room */
	SENT_GONE,
};

void client_add(struct planner *p, const struct msg_client *m, int fd); /* takes the fd */
void client_gone(struct planner *p, uint32_t number);
struct client *client_by_number(struct planner *p, uint32_t number); /* NULL: not here */
void clients_reap(struct planner *p);
void clients_turn(struct planner *p); /* marks those that leave their answers unread */
int64_t clients_next(const struct planner *p);

enum sent client_send(struct planner *p, struct client *c); /* p->out */
bool client_has_room(
    struct planner *p, struct client *c); /* for the largest message; else blocks it */
void client_readable(struct planner *p, struct client *c); /* one message */

#endif
