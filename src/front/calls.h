/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that wait for an answer of the planner, and the subscriptions that are open. */
#ifndef FRONT_CALLS_H
#define FRONT_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include <sgwarden/limits.h>
#include <sgwarden/wire.h>

#include "json_check.h"
#include "tools.h"

#define CALLS_MAX 64         /* all together; while there is no room no line is read */
#define CALLS_CHANGES_MAX 16 /* of these, calls that may wait for a person */
#define CALLS_LISTENS_MAX 4  /* of these, open subscriptions */
#define CALL_ID_MAX 256      /* bytes of an id or progress token as written */

/* Changes per client: so many at once, then one in so many milliseconds. */
#define CALLS_BURST 30
#define CALLS_REFILL_MS 1000

/* A request's id or token as the client wrote it. */
struct call_id {
	char text[CALL_ID_MAX];
	size_t len;
};

/*
 * Grants are told by their closing times, the next one first, and go from the list's head while it is read: so a page
 * begins behind a time and so many of that time, not behind a number of entries.
 */
struct grants_page {
	uint16_t most;     /* entries that are asked for */
	uint16_t left_out; /* beyond these, or beyond the reply's length */
	int64_t after;     /* seconds since 1970: the page begins here … */
	uint16_t behind;   /* … and behind so many more of that time */
	int64_t last;      /* the time of the entry shown last … */
	uint16_t ties;     /* … and how many of that time were shown */
};

enum call_kind {
	CALL_FREE,
	CALL_TOOL,
	CALL_LISTEN,
};

struct call {
	enum call_kind kind;
	uint32_t request; /* our number for it */
	bool modern;
	const struct tool *tool;
	struct call_id id;
	struct call_id token; /* len 0: no progress wanted */
	unsigned progress;    /* notifications sent */
	enum stage stage;     /* of the last one */
	int64_t stage_time;   /* when, ms */
	bool narrowed;        /* host bits were set in the prefix */
	struct rec_cidr ip;   /* and this was taken */
	/* lists */
	struct page page;
	uint16_t skip; /* still to be left out */
	uint16_t shown;
	bool cut;    /* an entry did not fit any more */
	size_t cost; /* in a reply, bytes, of as many bytes of the entries as `costed` says */
	size_t costed;
	struct buf part; /* the entries so far, over its row of `items` */
	struct grants_page grants;
};

struct calls {
	struct call rows[CALLS_MAX];
	size_t top;          /* no row is in use from here on */
	uint32_t last;       /* number given last */
	int64_t tokens_time; /* ms: when the bucket was last refilled */
	unsigned tokens;
	/* Apart from the rows: looking through these shall not touch a page for each. */
	uint8_t items[CALLS_MAX][SGW_REPLY_MAX / 2];
};

struct front;
struct request;

/* Is there room for one more, whatever it is?  While there is none, no further line is taken. */
bool calls_have_room(const struct calls *calls);
/* Calls that the planner will say more about. */
bool calls_pending(const struct calls *calls);
/* Calls whose answer does not wait for a person: worth a moment at the end of input. */
bool calls_reads_pending(const struct calls *calls);
/* An id that is under way already cannot be told apart. */
bool calls_id_in_use(const struct calls *calls, struct json_slice id);

/* tools/call, once its shape is known to be right: asks the planner, or answers with what is wrong. */
void calls_start(
    struct front *f, const struct request *r, const struct tool *tool, const cJSON *arguments);
/* subscriptions/listen; false: too many are open. */
bool calls_listen(struct front *f, const struct request *r);
/* notifications/cancelled: nothing more is sent for that id. */
void calls_cancel(struct front *f, struct json_slice id);
/* A message of the planner; -1: it answers what was not asked. */
int calls_answer(struct front *f, const struct msg *m);
/* The planner is gone: every call gets the error `restarted`, every subscription its end. */
void calls_end(struct front *f);

#endif
