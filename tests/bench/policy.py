"""What policy takes for one login of a person in many nested groups, once the groups are known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.figures import Figure, beside
from nightlatch.app.rules import policy_of
from nightlatch.config.policies import PolicyScopes, PolicySettings
from nightlatch.model import Account, Group, Groups
from nightlatch.policy.index import GroupIndex
from nightlatch.policy.model import LoginFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.policy.policy import Policy

GROUPS = 200
RULES = 10
NOW = 1_700_000_000.0
_WHO = Account("corp", "4f0c", "alice")


def measure(_folder: Path, calls: int) -> list[Figure]:
    """`calls` evaluations of ten rules for a person in 200 groups and for one in none, and the index."""
    policy, names = _policy(), ("totp", "recovery")
    assert policy.enabled == frozenset(names)
    many = Groups(tuple(_group(number) for number in range(GROUPS)), NOW)
    none = Groups((), NOW)
    in_none = Figure("policy: 10 rules, a person in no group", _each(policy, none, calls), "us")
    in_many = _each(policy, many, calls)
    index = _microseconds(lambda: GroupIndex(many, folds_case=True), max(10, calls // 1000))
    return [
        in_none,
        beside(f"policy: 10 rules, a person in {GROUPS} nested groups", in_many, "us", in_none),
        Figure(f"policy: {GROUPS} groups made ready, once for each reading", index, "us"),
    ]


def _each(policy: Policy, groups: Groups, calls: int) -> float:
    index = GroupIndex(groups, folds_case=True)
    facts = LoginFacts(_WHO, True, "sshd", "192.0.2.7", "pam", NOW, index)  # noqa: FBT003 - folds case
    assert policy.evaluate(facts).factors
    return _microseconds(lambda: policy.evaluate(facts), calls)


def _microseconds(work: Callable[[], object], calls: int) -> float:
    """The quickest of twenty rounds: what others do on the machine is not what is measured."""
    count = max(1, calls // 20)
    rounds = []
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(count):
            work()
        rounds.append((time.perf_counter() - began) / count)
    return min(rounds) * 1e6


def _group(number: int) -> Group:
    return Group(
        f"cn=Group {number},ou=groups,dc=example,dc=com", f"Group {number}", ("a", "b")[: number % 3]
    )


def _policy() -> Policy:
    """Half of the rules name three groups each; the others services, networks, times and people."""
    by_groups: list[dict[str, object]] = [
        {"groups": [f"cn=group {3 * n + at},ou=groups,dc=example,dc=com" for at in range(3)]}
        for n in range(5)
    ]
    others: list[dict[str, object]] = [
        {"services": ["sshd", "sudo"]},
        {"networks": ["192.0.2.0/24", "2001:db8::/32"]},
        {"times": ["mon-fri 08:00-18:00"]},
        {"users": ["alice", "bob"]},
        {"scope": "everyone", "groups": ["staff", "!contractors"]},
    ]
    matches = [*by_groups, *others]
    assert len(matches) == RULES
    rules = [
        PolicySettings.model_validate({"name": f"rule {number}", "match": _tuples(match)})
        for number, match in enumerate(matches)
    ]
    return policy_of(PolicyScopes(), rules, frozenset({"totp", "recovery"}))


def _tuples(match: dict[str, object]) -> dict[str, object]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in match.items()}
