/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in policy, its digest, and which ports it calls sensitive. */
#include <sgwarden/mutate.h>
#include <sgwarden/policy.h>

#include <string.h>

/* Ports through which a machine or its data is taken over. */
static const struct rec_port_range SENSITIVE[] = {
    {22, 23},
    {135, 135},
    {139, 139},
    {445, 445},
    {1433, 1433},
    {1521, 1521},
    {2049, 2049},
    {2375, 2376},
    {2379, 2379},
    {3306, 3306},
    {3389, 3389},
    {5432, 5432},
    {5601, 5601},
    {5900, 5999},
    {6379, 6379},
    {6443, 6443},
    {8020, 8020},
    {9042, 9042},
    {9092, 9092},
    {9200, 9200},
    {9300, 9300},
    {10250, 10250},
    {11211, 11211},
    {27017, 27019},
};

void
policy_builtin(struct rec_policy *ret_policy)
{
	*ret_policy = (struct rec_policy){
	    .v4_wide = 24,
	    .v4_forbidden = 16,
	    .v6_wide = 64,
	    .v6_forbidden = 48,
	    .bulk_ops = 5,
	    .v4_union_max = 65536,
	    .v6_union_max = 65536,
	    .on_open = {false, false, SGW_LIFETIME_DEFAULT, SGW_LIFETIME_MIN, SGW_LIFETIME_MAX},
	    .on_sensitive = {true, false, SGW_LIFETIME_DEFAULT, SGW_LIFETIME_MIN, SGW_LIFETIME_MAX},
	    .on_wide = {true, true, SGW_LIFETIME_DEFAULT, SGW_LIFETIME_MIN, SGW_LIFETIME_MAX},
	    .prompts_per_hour = 6,
	    .rules_per_group = 60,
	    .open_most = SGW_GRANTS_MAX,
	    .open_most_client = SGW_GRANTS_MAX,
	    .require_opt_in = true,
	    .n_sensitive = sizeof(SENSITIVE) / sizeof(SENSITIVE[0]),
	};
	memcpy(ret_policy->sensitive, SENSITIVE, sizeof(SENSITIVE));
}

void
policy_digest(const struct rec_policy *policy, uint8_t ret_digest[HASH_LEN])
{
	uint8_t bytes[SGW_POLICY_MAX];
	struct buf b = buf_over(bytes, sizeof(bytes));

	(void)rec_policy_encode(&b, policy);
	hash_sha256(b.data, b.len, ret_digest);
}

bool
policy_sensitive(const struct rec_policy *policy, int16_t protocol, int32_t from, int32_t to)
{
	if (protocol == PROTO_ICMP || protocol == PROTO_ICMPV6)
		return false;
	/* Protocol -1 and every protocol without ports of its own count as all of them. */
	if (protocol != PROTO_TCP && protocol != PROTO_UDP)
		return policy->n_sensitive > 0 && !MUTATE(ALL_PORTS);
	for (size_t i = 0; i < policy->n_sensitive; i++)
		if (from <= policy->sensitive[i].to && policy->sensitive[i].from <= to &&
		    (from == to || !MUTATE(RANGES)))
			return true;
	return false;
}
