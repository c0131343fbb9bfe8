"""Explanations, reports and plans over the core on fakes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import NotFound, Unavailable
from nightlatch.model import Account, Group, Groups, Standing
from nightlatch.policy.conditions import Clients, MemberOf, Networks, Services, Users
from nightlatch.policy.index import group_key
from nightlatch.policy.model import EnrollmentMode, Match, Rule, SecondFactor
from nightlatch.policy.policy import Policy
from nightlatch.policy.windows import DAYS, Window, Windows
from nightlatch.review import Review
from nightlatch.review.model import Change, FactorTraits, Outlook, RuleOutcome
from testbed.core import FakeDirectory, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightlatch.review.model import Changed, Prospects

ADMINS = "cn=admins,dc=corp"
IN_ADMINS = MemberOf(frozenset({ADMINS}), frozenset({group_key(ADMINS)}))
STRICT = Rule("strict", Match(who=(IN_ADMINS,)), factors=frozenset({"sent"}))
BOB, CAROL = Account("corp", "id-of-bob", "bob"), Account("corp", "id-of-carol", "carol")


@pytest.fixture
def world() -> World:
    """Alice has a word; bob, with nothing, is an administrator by way of ops; carol has nothing."""
    world = World()
    world.directory.known |= {"bob": BOB, "carol": CAROL}
    admins = Group(ADMINS, "admins", ("ops",))
    world.directory.member_of["id-of-bob"] = Groups((admins,), world.clock.now() - 14)
    return world


def review(world: World, *directories: FakeDirectory) -> Review:
    """A review of the world's policy."""
    return Review(world.parts, directories or (world.directory,))


async def people(pages: AsyncIterator[tuple[int, tuple[Prospects, ...]]]) -> dict[str, Prospects]:
    """Everyone in a report, by account id."""
    return {one.account.id.replace("id-of-", ""): one async for _, some in pages for one in some}


async def changes(pages: AsyncIterator[tuple[int, tuple[Changed, ...]]]) -> dict[str, Change]:
    """Every change in a plan, by name."""
    return {one.account.name: one.change async for _, some in pages for one in some}


async def test_an_explanation_has_every_rule_and_the_groups(world: World) -> None:
    """Rules that decide, are outweighed, lifted, or do not match; groups with the way there and their age."""
    observing = Rule("watch", second_factor=SecondFactor.OBSERVE)
    exempt = Rule(
        "robots", Match(who=(Users.of(frozenset({"bob"})),)), SecondFactor.SKIP, lifts=frozenset({"all"})
    )
    other = Rule("other", Match(where=(Services(frozenset({"sudo"})),)))
    world.rules(STRICT, observing, exempt, Rule("all"), other)
    found = await review(world).explain(" BOB", "sshd", "192.0.2.1", "pam")
    outcomes = {one.judged.rule.name: one.outcome for one in found.rules}
    assert outcomes == {
        "strict": RuleOutcome.DECIDES,
        "watch": RuleOutcome.YES,
        "robots": RuleOutcome.YES,
        "all": RuleOutcome.LIFTED,
        "other": RuleOutcome.NO,
    }
    assert found.rules[0].judged.finding.because == "member of admins via ops (read 14 s ago)"
    assert found.groups is not None
    assert (found.prospect.outlook, found.prospect.requirement.rules) == (Outlook.LOCKED_OUT, ("strict",))


async def test_groups_are_explained_where_no_rule_asks_for_them_and_where_they_are_away(world: World) -> None:
    """Whoever writes a rule wants to see them first; why they are not known is told."""
    found = await review(world).explain("bob", "sshd", "", "pam")
    assert found.groups is not None
    assert [one.name for one in found.groups.groups] == ["admins"]
    world.directory.away_for_groups = True
    away = await review(world).explain("bob", "sshd", "", "pam")
    assert (away.groups, "gave only a part" in away.why_no_groups) == (None, True)
    world.rules(STRICT)
    unknown = await review(world).explain("carol", "sshd", "", "pam")
    assert unknown.rules[0].outcome is RuleOutcome.DECIDES


async def test_a_login_at_another_time_can_be_explained(world: World) -> None:
    """Windows are judged by that time; the groups are as old as they are."""
    monday = Windows((Window(frozenset({DAYS.index("mon")}), 0, 1440),), "UTC", "mon 00:00-24:00")
    world.rules(Rule("mondays", Match(where=(monday,))), STRICT)
    for day, outcome in ((4, RuleOutcome.NO), (5, RuleOutcome.DECIDES)):  # 1970-01-05 was a Monday
        found = await review(world).explain("bob", "sshd", "", "pam", at=day * 86_400.0 - 86_400.0)
        assert found.rules[0].outcome is outcome
        assert "read 14 s ago" in found.rules[1].judged.finding.because


async def test_who_an_administrator_keeps_out_is_told_as_such(world: World) -> None:
    """Whatever the person has."""
    world.store.stood["corp:id-of-alice"] = Standing(disabled_at=1.0)
    assert (await review(world).explain("alice", "sshd", "", "pam")).prospect.outlook is Outlook.DISABLED
    report = await people(review(world).report())
    assert report["corp:alice"].worst.outlook is Outlook.DISABLED


async def test_a_report_takes_the_gravest_of_all_places(world: World) -> None:
    """Every service and client that rules name, and any other."""
    at_sudo = Rule("sudo", Match(where=(Services(frozenset({"sudo"})),)), factors=frozenset({"sent"}))
    world.rules(at_sudo, Rule("vpn", Match(where=(Clients(frozenset({"vpn"})),)), SecondFactor.OBSERVE))
    report = await people(review(world).report())
    found = {place.words: one.outlook for place, one in report["corp:alice"].places}
    assert found == {
        "sudo by pam": Outlook.LOCKED_OUT,
        "any other service by pam": Outlook.READY,
        "sudo by vpn": Outlook.LOCKED_OUT,
        "any other service by vpn": Outlook.OBSERVED,
    }
    assert report["corp:alice"].worst.outlook is Outlook.LOCKED_OUT
    one = await people(review(world).report(service="cron", client="pam"))
    assert [place.words for place, _ in one["corp:alice"].places] == ["cron"]


async def test_networks_and_times_count_for_demands_and_not_for_exemptions(world: World) -> None:
    """Nobody knows where the next login comes from: the worst is told."""
    office = Match(where=(Networks.of("192.0.2.0/24"),))
    nights = Match(where=(Windows((Window(frozenset(range(7)), 0, 60),), "UTC", "daily 00:00-01:00"),))
    world.rules(Rule("office", office, factors=frozenset({"sent"})))
    assert (await people(review(world).report()))["corp:alice"].worst.outlook is Outlook.LOCKED_OUT
    world.rules(Rule("nights", nights, factors=frozenset({"sent"})))
    assert (await people(review(world).report()))["corp:alice"].worst.outlook is Outlook.LOCKED_OUT
    world.rules(Rule("spared", office, SecondFactor.SKIP, exemption="x"))
    assert (await people(review(world).report()))["corp:alice"].worst.outlook is Outlook.READY


async def test_a_report_of_one_rule_has_whom_it_concerns(world: World) -> None:
    """And says which rules there are when there is none of that name."""
    world.rules(STRICT)
    assert set(await people(review(world).report(rule="strict"))) == {"corp:bob"}
    with pytest.raises(NotFound, match="Known: strict"):
        await people(review(world).report(rule="stric"))


async def test_whom_no_login_finds_is_in_no_report(world: World) -> None:
    """The first directory that knows a name has the person; a later one's of that name never signs in."""
    second = FakeDirectory("old", {"alice": Account("old", "1", "Alice"), "zoe": Account("old", "2", "zoe")})
    report = await people(review(world, world.directory, second).report())
    assert set(report) == {"corp:alice", "corp:bob", "corp:carol", "old:2"}


async def test_a_directory_that_is_away_makes_no_half_report(world: World) -> None:
    """Unavailable, whichever it is."""
    second = FakeDirectory("old", {}, away=True)
    with pytest.raises(Unavailable):
        await people(review(world, world.directory, second).report())
    world.store.away = True
    with pytest.raises(Unavailable):
        await people(review(world).report())


async def test_a_plan_tells_who_changes_and_how(world: World) -> None:
    """Locked out, exempt, asked less, other factors, let in; and nobody where nothing changes."""
    traits = {name: FactorTraits.of(facade.plugin) for name, facade in world.parts.factors.items()}
    enabled = frozenset(traits)

    async def planned(*rules: Rule) -> dict[str, Change]:
        return await changes(review(world).plan(Policy(rules, enabled), traits))

    assert await planned() == {}
    assert await planned(Rule("all", factors=frozenset({"sent"}))) == {
        "alice": Change.LOCKED_OUT,
        "bob": Change.FACTORS,
        "carol": Change.FACTORS,
    }
    assert await planned(Rule("all", factors=frozenset({"word", "sent"}))) == dict.fromkeys(
        ("alice", "bob", "carol"), Change.FACTORS
    )
    spared = Match(who=(Users.of(frozenset({"alice", "bob"})),))
    exempt = Rule("x", spared, SecondFactor.SKIP, exemption="x")
    assert await planned(exempt) == {"alice": Change.EXEMPTED, "bob": Change.EXEMPTED}
    watched = await planned(Rule("watch", second_factor=SecondFactor.OBSERVE))
    assert watched == {"alice": Change.ASKED_LESS, "bob": Change.LET_IN, "carol": Change.LET_IN}
    assert set((await planned(Rule("all", trusted_device_days=3))).values()) == {Change.TERMS}
    world.rules(Rule("watch", second_factor=SecondFactor.OBSERVE))
    assert (await planned())["alice"] is Change.ASKED_MORE


async def test_a_plan_without_a_factor_locks_out_who_has_nothing_else(world: World) -> None:
    """The factors are those of the new file's plugins."""
    traits = {name: FactorTraits.of(facade.plugin) for name, facade in world.parts.factors.items()}
    del traits["word"]
    found = await changes(review(world).plan(Policy((), frozenset(traits)), traits))
    assert found["alice"] is Change.LOCKED_OUT


async def test_others_get_their_turn_while_everyone_is_judged(world: World) -> None:
    """After each slice of a millisecond the loop goes to whoever waits (MUST 1)."""
    world.directory.known = {
        f"p{number}": replace(CAROL, stable_id=f"{number}", name=f"p{number}") for number in range(20)
    }
    ticking = world.clock.steady
    world.clock.steady = lambda: (setattr(world.clock, "time", world.clock.time + 0.0004), ticking())[1]  # type: ignore[method-assign,func-returns-value]
    await people(review(world).report())
    assert 5 <= world.clock.slept.count(0) <= 10


async def test_a_rule_that_names_another_name_is_told_as_what_it_does_at_a_login(world: World) -> None:
    """It demands, gives no comfort, and exempts nobody; explanation and report say the own name (POL-03)."""
    world.directory.known["carol"] = replace(CAROL, other_names=("cjones",))
    by_alias = Match(who=(Users.of(frozenset({"cjones"})),))
    comfort = Rule("hers", by_alias, enrollment=EnrollmentMode.SELF, grace_days=7)
    world.rules(comfort, Rule("exempt", by_alias, SecondFactor.SKIP, lifts=frozenset({"hers"})))
    found = await review(world).explain("carol", "sshd", "192.0.2.1", "pam")
    assert [one.outcome for one in found.rules] == [RuleOutcome.DECIDES, RuleOutcome.UNKNOWN]
    reported = (await people(review(world).report(rule="hers")))["corp:carol"]
    for prospect in (found.prospect, reported.worst):
        assert prospect.outlook is Outlook.LOCKED_OUT
        assert "cjones is another name of carol; rules go by carol" in prospect.because
