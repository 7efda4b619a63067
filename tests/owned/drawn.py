# SPDX-License-Identifier: Apache-2.0
"""Plans and faults drawn from a seed: of one operation or of many, over several groups, of what is ours and what is not."""

import ipaddress

from ec2 import GROUP, OTHER
from judge import plan_ops, steps_of
from model import Fault, is_own
from world import E, closing, opening

WORDS = ["deploy", "fix \"it\"", "x" * 70, "OPEN tcp/22 FROM 0.0.0.0/0", "FOR 12 hours, closes never", "a  b", "ü→", "\\", ""]


def cidr_of(draw):
    """Mostly of what may be asked for; sometimes of what may not."""
    if draw.random() < 0.35:
        net = ipaddress.ip_network((int(ipaddress.ip_address("2001:db8::")) | draw.getrandbits(80), 128))
        return str(net.supernet(new_prefix=draw.choice([128, 128, 64, 65, 80, 56, 48, 47])))
    base = draw.choice(["203.0.113.0", "198.51.100.0", "8.8.0.0", "9.1.0.0"])
    size = 8 if base[0] in "12" else 16
    net = ipaddress.ip_network((int(ipaddress.ip_address(base)) | draw.getrandbits(size), 32))
    return str(net.supernet(new_prefix=draw.choice([32, 32, 32, 31, 28, 24] + ([23, 20, 17, 15] if size == 16 else []))))


def ports_of(draw, cidr):
    """protocol, from, to"""
    kind = draw.randrange(10)
    if kind < 5:
        port = draw.choice([80, 443, 8080, 22, 3389, 1, 65535, draw.randrange(1, 65536)])
        return draw.choice([6, 6, 17]), port, port
    if kind < 7:
        first = draw.randrange(1, 65536)
        return draw.choice([6, 17]), first, draw.randrange(first, min(65535, first + draw.choice([2, 20, 5000])) + 1)
    if kind < 9:
        return (58 if ":" in cidr else 1), *draw.choice([(-1, -1), (8, -1), (8, 0), (128, 0), (3, 4), (255, 255)])
    return draw.choice([-1, 47, 50, 51, 132, 0]), -1, -1


def openings(draw, count, groups=(GROUP, GROUP, OTHER), tame=False):
    """No two of one rule; tame: none is forbidden, and five at most take a touch alone."""
    ops = []
    while len(ops) < count:
        if tame:
            number = draw.randrange(1 << 16)
            cidr = "2001:db8::%x/128" % number if draw.random() < 0.3 else "9.2.%d.%d/32" % divmod(number, 256)
            op = opening(draw.choice([80, 443, 8080, 9000]), cidr, draw.choice(groups), draw.choice([6, 6, 6, 17]))
        else:
            cidr = cidr_of(draw)
            protocol, first, last = ports_of(draw, cidr)
            op = opening(first, cidr, draw.choice(groups), protocol, last)
        if op not in ops:
            ops.append(op)
    return ops


def words_of(draw):
    return {"reason": draw.choice(WORDS), "claimed": draw.choice(WORDS).encode("ascii", "replace").decode()[:60]}


def lifetime_of(draw):
    return draw.choice([1200, 1201, 3600, 5400, 43199, 43200, draw.randrange(1200, 43201)])


def of_one_group(draw, w, _):
    """Openings in one group, or the closing of somebody else's rule."""
    group = draw.choice([GROUP, GROUP, OTHER])
    if draw.random() < 0.15:
        return w.plan(*[closing(r) for r in draw.sample(w.ec2.of(group), 1)], **words_of(draw))
    ops = openings(draw, draw.choice([1, 1, 1, 2, 3, 5, 8]), (group,))
    return w.plan(*ops, lifetime=lifetime_of(draw), **words_of(draw))


def of_many(draw, w, ours):
    """Openings and closings over the groups, in runs or each beside another; of ours all, some or none."""
    foreign = [r for r in w.ec2.rules if not r.get("receipt")]
    ops = openings(draw, draw.choice([0, 1, 2, 3, 5, 9]), tame=draw.random() < 0.8)
    ops += [closing(r) for r in draw.sample(foreign, draw.choice([0, 1, 1, 2, 4]))]
    ops += [{**closing(r), "receipt": r["receipt"]} for r in draw.sample(ours, draw.randrange(len(ours) + 1))]
    ops = ops or openings(draw, 2, tame=True)
    draw.shuffle(ops)
    if draw.random() < 0.5:
        ops.sort(key=lambda op: (op["group_id"], op["action"]))
    opens = any(op["action"] == E["ACTION_OPEN"] for op in ops)
    return w.plan(*ops, lifetime=lifetime_of(draw) if opens else 0, best_effort=draw.random() < 0.4, **words_of(draw))


def longer(draw, w, ours):
    """Some of what is open closes later; or sooner, which is no extension."""
    ops = [{**closing(r), "action": E["ACTION_EXTEND"], "rule_id": "", "receipt": r["receipt"]}
           for r in draw.sample(ours, draw.randrange(1, len(ours) + 1))]
    return w.plan(*ops, lifetime=draw.choice([7200, 43200, lifetime_of(draw)]), **words_of(draw))


def in_its_place(draw, w, ours):
    """A refresh: the same from another address, and then what was there is closed."""
    chosen = draw.sample(ours, draw.randrange(1, len(ours) + 1))
    ops = []
    for n, r in enumerate(chosen):
        cidr = "2001:db8:1::%x/128" % n if r["source"]["family"] == 6 else "9.3.0.%d/32" % n
        ops.append(opening(r["from_port"], cidr, r["group_id"], r["protocol"], r["to_port"]))
    ops += [{**closing(r), "receipt": r["receipt"]} for r in chosen]
    return w.plan(*ops, lifetime=lifetime_of(draw), **words_of(draw))


def before_its_time(draw, w, ours):
    """Ours alone: nobody is asked."""
    return w.plan(*[{**closing(r), "receipt": r["receipt"]} for r in draw.sample(ours, draw.randrange(1, len(ours) + 1))],
                  **words_of(draw))


DRAWN = {of_one_group: 8, of_many: 8, longer: 3, in_its_place: 2, before_its_time: 1}


def fault_of(draw, plan):
    """An answer of AWS that goes wrong, or None."""
    steps = [step for step in steps_of(plan_ops(plan)) if not is_own(step)]
    if not steps or draw.random() < 0.5:
        return None
    trial, lost = draw.random() < 0.2, draw.random() < 0.4
    return Fault(trial, draw.randrange(len(steps)), lost and not trial, lost and draw.random() < 0.6)
