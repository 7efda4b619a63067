/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of policy.json's compiler share. */
#ifndef CLI_POLICY_KEYS_H
#define CLI_POLICY_KEYS_H

#include "config_keys.h"
#include "policy_file.h"

typedef bool take_value(
    struct parse *p, const struct key_row *row, const struct jt_node *v, void *into);

/* ---- policy_values.c: single values ---- */

/* 443, "443", "8000-8010", either with /tcp or /udp, "icmp", "icmpv6", "all", or a service's name. */
bool ports_value(struct parse *p, const struct jt_node *v, struct rec_service *ret_ports);
/* "90m", "8h", "7d", "1200s", into a uint32_t at row->offset. */
take_value take_span;
/* A printable text of at most `most` bytes. */
bool text_value(struct parse *p, const struct jt_node *v, char *ret_text, size_t most);

take_value take_services, take_sensitive, take_askers, take_ticket;

/* ---- policy_places.c ---- */
take_value take_scopes;
/* "sg-…", "eu-west-1", 12 digits, {"key": …, "value": …}: each into its field. */
bool group_value(struct parse *p, const struct jt_node *v, char ret_id[SGW_GROUP_ID_MAX + 1]);
bool region_value(struct parse *p, const struct jt_node *v, char ret_name[SGW_REGION_MAX + 1]);
bool account_value(struct parse *p, const struct jt_node *v, char ret_id[SGW_ACCOUNT_MAX + 1]);
bool profile_value(struct parse *p, const struct jt_node *v, char ret_name[SGW_PROFILE_MAX + 1]);
bool tag_value(struct parse *p, const struct jt_node *v, char ret_key[SGW_POLICY_TAG_MAX + 1],
    char ret_value[SGW_POLICY_TAG_MAX + 1]);

/* ---- policy_case_keys.c ---- */
take_value take_must_allow, take_must_deny;

#endif
