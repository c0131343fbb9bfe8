"""Groups that rules name are looked up where their people may be."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from nightlatch.app.known_groups import groups_named, unknown_groups
from nightlatch.config.policies import PolicyScopes, PolicySettings
from nightlatch.model import Group, Groups
from testbed.core import FakeDirectory

ADMINS = Group("cn=admins,dc=corp", "admins")
LOG = structlog.get_logger()


def rule(**match: object) -> PolicySettings:
    """A rule that matches so."""
    return PolicySettings.model_validate({"name": "r", "match": match})


def corp(*, away: bool = False) -> FakeDirectory:
    """A directory with the group admins."""
    return FakeDirectory("corp", member_of={"id-of-alice": Groups((ADMINS,), 0.0)}, away=away)


async def missing(
    directories: list[FakeDirectory], *rules: PolicySettings, admins: tuple[str, ...] = ()
) -> list[str]:
    """The places of the groups that nobody has."""
    known = frozenset(directory.name for directory in directories)
    named = groups_named(PolicyScopes(administrators=admins), rules, known)
    problems = await unknown_groups(named, directories, LOG)
    return [".".join(map(str, problem.place)) for problem in problems]


async def test_a_group_is_missing_when_all_who_may_have_it_say_so() -> None:
    """By DN or name; those left out too, because a misspelt exception leaves nobody out (POL-02)."""
    directories = [corp(), FakeDirectory("old")]
    wanted = rule(groups=("admins", ADMINS.id, "!gone"))
    assert await missing(directories, wanted, admins=("admin",)) == [
        "policies.0.match.groups.2",
        "policy.administrators.0",
    ]


async def test_only_the_rule_s_own_directories_are_asked() -> None:
    """A group of another directory is none for this rule; those that are left out are not asked."""
    directories = [corp(), FakeDirectory("old")]
    assert await missing(directories, rule(groups=("admins",), directories=("old",))) == [
        "policies.0.match.groups.0"
    ]
    assert await missing(directories, rule(groups=("admins",), directories=("corp", "!old"))) == []
    scoped = rule(scope="administrators", directories=("old",))
    assert await missing(directories, scoped, admins=("admins",)) == ["policy.administrators.0"]


async def test_a_directory_that_is_away_makes_no_problem_but_a_warning() -> None:
    """Nobody knows whether it has the group (MUST 2)."""
    with capture_logs() as logs:
        assert await missing([FakeDirectory("old"), corp(away=True)], rule(groups=("nobody",))) == []
    assert [(one["event"], one["group"]) for one in logs] == [("policy.group_unchecked", "nobody")]
