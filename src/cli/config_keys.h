/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind the tables of config_parse.c. */
#ifndef CLI_CONFIG_KEYS_H
#define CLI_CONFIG_KEYS_H

#include "config.h"

struct policy_file;

struct parse {
	struct config_error *error;
	struct rec_config *config;  /* of config.json */
	struct policy_file *policy; /* of policy.json */
	bool default_given;         /* one of the profiles is the default */
	const struct jt_node
	    *lifetime; /* the last of the policy's lifetimes, for an error about both */
	bool lifetime_default_given;
	const struct jt_node *sources; /* address_sources, or NULL */
};

/* One key that an object may have; `take` is called with a value of the right type. */
struct key_row {
	const char *name;
	enum jt_type type;
	bool (*take)(
	    struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);
	size_t offset;    /* of the member in what the object becomes */
	int64_t min, max; /* JT_NUMBER */
	const char *unit; /* JT_NUMBER */
};

/* Text of the file as error messages show it: printable, cut. */
struct shown {
	char text[72];
};
struct shown shown(const char *text);

/* Notes the error; false, so that callers can return it. */
bool fail(struct parse *p, struct jt_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool want_type(struct parse *p, const struct jt_node *v, enum jt_type type);

/* Where in the file we are, as a path of keys; a name that was pushed stays after an error. */
size_t field_push(struct parse *p, const char *name);
bool field_pop(struct parse *p, size_t len, bool ok);

/* One member of an object against the table. */
bool member_take(
    struct parse *p, const struct key_row *rows, size_t n, const struct jt_node *m, void *into);
bool object_take(struct parse *p, const struct key_row *rows, size_t n,
    const struct jt_node *object, void *into);
#define OBJECT_TAKE(p, rows, object, into)                                                         \
	object_take((p), (rows), sizeof(rows) / sizeof((rows)[0]), (object), (into))

/* Plain values, stored at row->offset. */
bool take_bool(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);
bool take_u32(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);
bool take_u8(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);
bool take_u16(struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);

#endif
