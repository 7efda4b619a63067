/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a consent record in their order: the one table that its encoder and decoder share. */
#ifndef PLAN_RECORD_LINES_H
#define PLAN_RECORD_LINES_H

#include <sgwarden/record.h>

enum line_type {
	LINE_VERSION,
	LINE_KIND,
	LINE_TEXT,     /* printable; absent where empty */
	LINE_NAME,     /* printable, never empty */
	LINE_BYTES,    /* lower-case hex */
	LINE_TIME,     /* RFC 3339, Z */
	LINE_MAY_TIME, /* absent where 0 */
	LINE_U16,
	LINE_MAY_U16, /* absent where 0 */
	LINE_U32,
	LINE_U64,
	LINE_BOOL,
	LINE_CLASS,
	LINE_DISPLAY,
	LINE_PARTITION, /* follows from the region */
	LINE_GROUPS,    /* one line each */
	LINE_STATES,    /* the same, in the groups' order */
	LINE_OPS,       /* one line each */
	LINE_ACT,
	LINE_SAY,    /* one line each, or none */
	LINE_RENDER, /* follows from everything else */
};

#define ON_CHANGE (1u << RECORD_CHANGE)
#define ON_ENROLL (1u << RECORD_ENROLL)
#define ON_ADMIN (1u << RECORD_ADMIN)
#define ON_ALL (ON_CHANGE | ON_ENROLL | ON_ADMIN)

struct record_line {
	const char *key;
	enum line_type type;
	unsigned kinds; /* ON_* */
	size_t offset;  /* of the field in struct record */
	size_t size;
};

extern const struct record_line RECORD_LINES[];
extern const size_t RECORD_LINES_LEN;
extern const char *const RECORD_KINDS[RECORD_KIND_MAX];
extern const char *const RECORD_DISPLAYS[DISPLAY_MAX];
extern const char *const RECORD_ACTIONS[ACTION_MAX];

/* What must hold between a record's fields; each field's own form is the encoder's. */
bool record_sound(const struct record *record);

#endif
