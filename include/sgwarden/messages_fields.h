/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the field macros of messages.def an empty meaning, for passes that want records and messages alone. */
#ifdef MESSAGES_NO_FIELDS
#define U8(name, comment)
#define U16(name, comment)
#define U32(name, comment)
#define U64(name, comment)
#define I16(name, comment)
#define I32(name, comment)
#define I64(name, comment)
#define BOOL(name, comment)
#define ENUM(type, name, max, comment)
#define ASCII(name, most, comment)
#define UTF8(name, most, comment)
#define LINES(name, most, comment)
#define FIXED(name, n, comment)
#define BYTES(name, most, comment)
#define SUB(rec, name, comment)
#define LIST(rec, name, most, comment)
#endif
