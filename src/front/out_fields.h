/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the field macros of out.def an empty meaning, for passes that want the objects alone. */
#ifdef OUT_NO_FIELDS
#define TEXT(name, v1)
#define WORDS(name, v1)
#define INT(name, v1)
#define BOOL(name, v1)
#define HEX(name, v1)
#define NAMED(name, v1)
#define CALL(name, v1, v2)
#define MAYBE_TEXT(name, v1)
#define MAYBE_INT(name, v1)
#define MAYBE_TIME(name, v1)
#define IF_HEX(name, v1, v2)
#define IF_INT(name, v1, v2)
#define MAYBE_ONE(name, v1, v2, v3)
#define LIST(name, v1, v2, v3)
#define NAMES(name, v1, v2, v3)
#define PARTS(name, v1, v2)
#endif
