"""The rules: all that match apply, the strictest wins, and nothing is the default but a second factor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.model import Group, Groups
from nightlatch.policy.conditions import MemberOf, Networks, Services, Users
from nightlatch.policy.evaluate import evaluate
from nightlatch.policy.index import GroupIndex, group_key
from nightlatch.policy.model import DEFAULT_RULE, EnrollmentMode, LoginFacts, Match, Rule, SecondFactor
from testbed.core import ALICE

FACTS = LoginFacts(ALICE, True, "sshd", "192.0.2.1", "pam", 1_700_000_000.0)  # noqa: FBT003
ENABLED = frozenset({"word", "sms"})
NOBODY = Match(who=(Users.of(frozenset({"bob"})),))
ADMINS = "cn=admins,ou=groups,dc=example,dc=com"
IN_ADMINS = Match(who=(MemberOf(frozenset({ADMINS}), frozenset({group_key(ADMINS)})),))


def member(*names: str) -> LoginFacts:
    """The facts of a login by a member of these groups."""
    groups = Groups(tuple(Group(name, name.split(",")[0][3:]) for name in names), FACTS.now)
    return replace(FACTS, groups=GroupIndex(groups, folds_case=True))


def exemption(match: Match | None = None, lifts: frozenset[str] = frozenset()) -> Rule:
    """A rule that leaves the second factor out."""
    return Rule("exempt", match or Match(), SecondFactor.SKIP, exemption="a robot", lifts=lifts)


def test_a_login_that_no_rule_names_needs_a_second_factor() -> None:
    """MUST 2: the default is that a second factor is required (POL-05)."""
    for rules in ((), (Rule("nobody", NOBODY),), (exemption(match=NOBODY),)):
        requirement = evaluate(rules, FACTS, ENABLED)
        assert requirement.second_factor is SecondFactor.REQUIRED
        assert requirement.rules == (DEFAULT_RULE.name,)
        assert requirement.factors == ENABLED
        assert requirement.enrollment is EnrollmentMode.CLOSED


def test_a_factor_counts_only_when_every_matching_rule_lets_it() -> None:
    """MUST 3, MUST 1: restrictions add up, in any order."""
    one = Rule("one", factors=frozenset({"word"}), trusted_device_days=30, grace_logins=3)
    two = Rule("two", trusted_device_days=7, enrollment=EnrollmentMode.SELF)
    for rules in ((one, two), (two, one)):
        requirement = evaluate(rules, FACTS, ENABLED)
        assert requirement.factors == {"word"}
        assert requirement.trusted_device_days == 7
        assert requirement.enrollment is EnrollmentMode.CLOSED
        assert (requirement.grace_days, requirement.grace_logins) == (0, 0)


def test_the_strictest_rule_wins_over_exemptions_and_observation() -> None:
    """MUST 1: whoever is required to show a factor is not spared it by another rule."""
    required = Rule("required")
    observing = Rule("observing", second_factor=SecondFactor.OBSERVE, factors=frozenset({"word"}))
    requirement = evaluate((exemption(), observing, required), FACTS, ENABLED)
    assert requirement.second_factor is SecondFactor.REQUIRED
    assert requirement.factors == ENABLED
    assert requirement.observed is not None
    assert requirement.observed.factors == {"word"}
    assert evaluate((exemption(), observing), FACTS, ENABLED).second_factor is SecondFactor.OBSERVE


def test_an_exemption_lifts_the_rules_that_it_names_and_no_other() -> None:
    """MUST 5: what an exemption does not name still demands what it demands."""
    everyone, strict = Rule("all staff"), Rule("administrators", IN_ADMINS)
    lifting = exemption(lifts=frozenset({"all staff"}))
    spared = evaluate((everyone, strict, lifting), member(), ENABLED)
    assert spared.second_factor is SecondFactor.SKIP
    assert (spared.rules, spared.exemption) == (("exempt",), "a robot")
    assert evaluate((everyone, strict, lifting), member(ADMINS), ENABLED).rules == ("administrators",)


def test_groups_that_could_not_be_read_make_demands_apply_and_exemptions_not() -> None:
    """MUST 4: a failed look-up means that the rule applies, and gives no comfort."""
    unknown = replace(FACTS, why_no_groups="corp: did not answer in 5 s")
    strict = Rule("administrators", IN_ADMINS, factors=frozenset({"word"}), trusted_device_days=30)
    requirement = evaluate((strict,), unknown, ENABLED)
    assert requirement.rules == ("administrators",)
    assert requirement.factors == {"word"}
    assert requirement.trusted_device_days == 0
    assert "did not answer" in requirement.uncertain
    assert evaluate((exemption(match=IN_ADMINS),), unknown, ENABLED).rules == ("everyone",)
    watching = Rule("watching", IN_ADMINS, SecondFactor.OBSERVE)
    assert evaluate((watching,), unknown, ENABLED).second_factor is SecondFactor.REQUIRED


def test_a_source_that_is_no_address_is_in_no_network_of_an_exemption() -> None:
    """Only exactly an address, as the kernel writes it, is one (POL-04)."""
    office = exemption(match=Match(where=(Networks.of("10.0.0.0/8", "2001:db8::/32"),)))
    for source in ("10.0.0.1", "2001:db8::1"):
        assert evaluate((office,), replace(FACTS, source=source), ENABLED).rules == ("exempt",)
    for source in (
        "",
        "office.example.com",
        "::ffff:10.0.0.1",
        "10.0.0.1 ",
        "10.1",
        "2001:DB8::1",
        "fe80::1%a",
    ):
        assert evaluate((office,), replace(FACTS, source=source), ENABLED).rules == ("everyone",)


def test_a_demand_for_a_network_applies_where_the_source_is_no_address() -> None:
    """MUST 4: whoever hides where they come from does not get round a rule (POL-04)."""
    outside = Rule("outside", Match(where=(Networks.of("198.51.100.0/24"),)), factors=frozenset({"word"}))
    assert evaluate((outside,), replace(FACTS, source="a-name"), ENABLED).rules == ("outside",)
    assert evaluate((outside,), FACTS, ENABLED).rules == ("everyone",)


def test_a_rule_is_one_of_its_people_and_all_of_its_places_but_for_its_exceptions() -> None:
    """Users and groups add up; services narrow; exceptions leave out."""
    who = (Users.of(frozenset({"ALICE"})), *IN_ADMINS.who)
    rule = Rule("r", Match(who, (Services(frozenset({"sshd"})),), (Users.of(frozenset({"carol"})),)))
    assert evaluate((rule,), member(), ENABLED).rules == ("r",)
    assert evaluate((rule,), replace(member(), service="sudo"), ENABLED).rules == ("everyone",)
    bob, carol = (replace(ALICE, name=name) for name in ("bob", "carol"))
    assert evaluate((rule,), replace(member(ADMINS), account=bob), ENABLED).rules == ("r",)
    assert evaluate((rule,), replace(member(ADMINS), account=carol), ENABLED).rules == ("everyone",)


def test_case_counts_where_the_directory_says_so() -> None:
    """Local "Bob" and "bob" are two people, to rules as well (IDN-03)."""
    rule = Rule("r", Match(who=(Users.of(frozenset({"Alice"})),)))
    assert evaluate((rule,), FACTS, ENABLED).rules == ("r",)
    assert evaluate((rule,), replace(FACTS, folds_case=False), ENABLED).rules == ("everyone",)


ASMITH = replace(FACTS, account=replace(ALICE, other_names=("ASmith", "Ａ. Smith")))  # noqa: RUF001 - that is the point
"""Alice, who is found by other names too."""


def named(*names: str) -> Match:
    """For these people."""
    return Match(who=(Users.of(frozenset(names)),))


@pytest.mark.parametrize("name", ["asmith", " ASMITH ", "a.  smith"])
def test_a_rule_that_names_another_name_demands_and_exempts_nobody(name: str) -> None:
    """MUST 4 of the conditions (POL-03): nobody gets round a rule, or into an exemption, by a name."""
    strict = Rule("strict", named(name), factors=frozenset({"word"}), trusted_device_days=30, grace_days=7)
    requirement = evaluate((strict,), ASMITH, ENABLED)
    assert requirement.rules == ("strict",)
    assert requirement.factors == {"word"}
    assert (requirement.trusted_device_days, requirement.grace_days) == (0, 0)
    assert "another name of alice; rules go by alice" in requirement.uncertain
    assert evaluate((exemption(named(name)),), ASMITH, ENABLED).rules == ("everyone",)
    watched = Rule("watched", named(name), SecondFactor.OBSERVE)
    assert evaluate((watched,), ASMITH, ENABLED).second_factor is SecondFactor.REQUIRED


@pytest.mark.parametrize("name", ["asmith", "alice"])
def test_who_is_left_out_is_left_out_by_the_own_name_alone(name: str) -> None:
    """`!asmith` lets nobody out of a demand, nor into an exemption, whose own name is another (POL-02)."""
    all_but = Match(unless=(Users.of(frozenset({name})),))
    demanding = evaluate((Rule("all but one", all_but, factors=frozenset({"word"})),), ASMITH, ENABLED)
    assert (demanding.rules == ("everyone",)) is (name == "alice")
    assert evaluate((exemption(all_but),), ASMITH, ENABLED).rules == ("everyone",)


def test_the_own_name_settles_it_whatever_else_is_named() -> None:
    """Both names in one rule are as good as the own one."""
    comfort = Rule("comfort", named("asmith", "Alice"), trusted_device_days=30)
    requirement = evaluate((comfort,), ASMITH, ENABLED)
    assert (requirement.trusted_device_days, requirement.uncertain) == (30, "")


def test_spaces_and_width_of_a_name_make_no_difference_where_case_makes_none() -> None:
    """What caseIgnoreMatch takes for one name is one for rules: "alice " is no way round "alice" (LDP-04)."""
    rule = Rule("r", named("alice smith"))
    for spelled in ("Alice  Smith ", "ａlice\u00a0smith"):  # noqa: RUF001 - that is the point
        assert evaluate((rule,), replace(FACTS, account=replace(ALICE, name=spelled)), ENABLED).rules == (
            "r",
        )
    local = replace(FACTS, account=replace(ALICE, name="alice smith "), folds_case=False)
    assert evaluate((rule,), local, ENABLED).rules == ("everyone",)


def test_grace_is_the_shortest_that_any_deciding_rule_gives() -> None:
    """MUST 1, for days and logins alike."""
    one, two = Rule("one", grace_days=14, grace_logins=3), Rule("two", grace_logins=10)
    requirement = evaluate((one, two), FACTS, ENABLED)
    assert (requirement.grace_days, requirement.grace_logins) == (14, 3)


@pytest.mark.parametrize(
    "forged",
    [
        Group("cn=x,ou=teams,dc=example,dc=com", ADMINS),
        Group(r"cn=admins\1fou\3dgroups\1fdc\3dexample\1fdc\3dcom", "x"),
        Group(r"cn=admins\1Fou\3Dgroups,dc=example,dc=com", "x"),
        Group("cn=admins\x1fou=groups,dc=example,dc=com", "x"),
    ],
)
def test_a_group_is_no_other_by_what_it_is_called(forged: Group) -> None:
    """POL-02: who may make a group somewhere makes none that a rule means by its DN, whatever its name."""
    robots = exemption(match=IN_ADMINS)
    facts = replace(FACTS, groups=GroupIndex(Groups((forged,), FACTS.now), folds_case=True))
    assert evaluate((robots,), member(ADMINS), ENABLED).second_factor is SecondFactor.SKIP
    assert evaluate((robots,), facts, ENABLED).second_factor is SecondFactor.REQUIRED
