# SPDX-License-Identifier: Apache-2.0
"""The policy of these tests' worlds."""


def lifetimes(least=1200, usual=3600, most=43200):
    """The classes of a policy, with what each needs at least."""
    times = {"lifetime_min": least, "lifetime_default": usual, "lifetime_max": most}
    return {"on_open": times, "on_sensitive": {"pin": True, **times},
            "on_wide": {"pin": True, "trusted_display": True, **times}}


POLICY = {"v4_wide": 24, "v4_forbidden": 16, "v6_wide": 64, "v6_forbidden": 48, "v4_union_max": 65536,
          "v6_union_max": 65536, "bulk_ops": 5, "open_most": 1024, "open_most_client": 1024, **lifetimes(),
          "prompts_per_hour": 64, "rules_per_group": 60, "require_opt_in": True, "allow_documentation": True, "allow_shared_display": True,
          "sensitive": [{"from": p, "to": p} for p in (22, 3389, 5432)]}
