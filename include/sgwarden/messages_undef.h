/* SPDX-License-Identifier: Apache-2.0 */
/* Ends one pass over messages.def. */
#undef REC
#undef REC_END
#undef MSG
#undef MSG_END
#undef U8
#undef U16
#undef U32
#undef U64
#undef I16
#undef I32
#undef I64
#undef BOOL
#undef ENUM
#undef ASCII
#undef UTF8
#undef LINES
#undef FIXED
#undef BYTES
#undef SUB
#undef LIST
#undef MESSAGES_NO_FIELDS
