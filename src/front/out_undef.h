/* SPDX-License-Identifier: Apache-2.0 */
/* Ends one pass over out.def. */
#undef OBJECT
#undef END
#undef KEY
#undef OUT_NO_FIELDS
#undef TEXT
#undef WORDS
#undef INT
#undef BOOL
#undef HEX
#undef NAMED
#undef CALL
#undef MAYBE_TEXT
#undef MAYBE_INT
#undef MAYBE_TIME
#undef IF_HEX
#undef IF_INT
#undef MAYBE_ONE
#undef LIST
#undef NAMES
#undef PARTS
