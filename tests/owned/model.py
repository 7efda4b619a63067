# SPDX-License-Identifier: Apache-2.0
"""What has to come of a touched plan, where AWS does as it is asked or one of its answers goes wrong. Written apart from
the broker: the calls that are to be seen, the rules that are left, what each operation ends as."""

from dataclasses import dataclass, field

from judge import steps_of

OPENS, CLOSES = "open", "close"


@dataclass
class Fault:
    """The answer to the `number`th trial run or call: refused; or lost, whether AWS did it (`done`) or not."""
    trial: bool
    number: int
    lost: bool = False
    done: bool = False


@dataclass
class Outcome:
    rules: list  # (group, identity) of what is there then
    trials: list = field(default_factory=list)  # steps, in order
    sent: list = field(default_factory=list)  # in order: steps, and sets of (group, identity) that are closed one by one
    states: list = field(default_factory=list)
    status: str = "STATUS_OK"
    unsettled: bool = False  # an answer was lost


def is_own(step):
    """Closes what was opened here: the touch that opened it covers that, and each rule is closed by itself."""
    return step[0][0] == CLOSES and bool(step[0][6])


def rule_of(op):
    return op[7], op[1:5]


def _apply(out, step):
    for op in step:
        if op[0] == OPENS:
            out.rules.append(rule_of(op))
        else:
            out.rules.remove(rule_of(op))


def _settled(out):
    """The status, from what the operations have ended as."""
    if "OP_FAILED" in out.states:
        out.status = "STATUS_FAILED"
    elif out.unsettled:
        out.status = "STATUS_AMBIGUOUS"
    return out


def _taken_back(out, ops):
    """What was opened is closed again, one by one; what was closed is not opened again."""
    back = [k for k, op in enumerate(ops) if op[0] == OPENS and out.states[k] in ("OP_OPEN", "OP_AMBIGUOUS")]
    out.sent.append({rule_of(ops[k]) for k in back})
    for k in back:
        out.states[k] = "OP_TAKEN_BACK"
    out.rules = [rule for rule in out.rules if rule not in out.sent[-1]]


def carried_out(ops, rules, best_effort=False, fault=None):
    """ops: as judge.plan_ops() has them; rules: what is there before."""
    out, steps = Outcome(list(rules), states=["OP_UNTRIED"] * len(ops)), steps_of(ops)
    first = [sum(map(len, steps[:n])) for n in range(len(steps))]

    def note(n, state):
        out.states[first[n]:first[n] + len(steps[n])] = [state] * len(steps[n])

    for n, step in enumerate(steps):
        if is_own(step):
            continue
        out.trials.append(step)
        if fault and fault.trial and fault.number == len(out.trials) - 1:
            note(n, "OP_FAILED")
            return _settled(out)
    called = 0
    for n, step in enumerate(steps):
        if is_own(step):
            out.sent.append(set(map(rule_of, step)))
            _apply(out, step)
            note(n, "OP_CLOSED")
            continue
        out.sent.append(step)
        called += 1
        if not fault or fault.number != called - 1:
            _apply(out, step)
            note(n, "OP_OPEN" if step[0][0] == OPENS else "OP_CLOSED")
            continue
        note(n, "OP_AMBIGUOUS" if fault.lost else "OP_FAILED")
        out.unsettled = fault.lost
        if fault.lost and fault.done:
            _apply(out, step)
        if not best_effort and not (fault.lost and len(steps) == 1):  # one alone is settled by reading, later
            _taken_back(out, ops)
            break
    return _settled(out)
