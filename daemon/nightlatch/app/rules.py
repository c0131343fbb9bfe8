"""Makes the rules of a configuration what policy evaluates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.config.policies import NOT
from nightlatch.policy.conditions import Clients, Directories, MemberOf, Networks, Services, Users
from nightlatch.policy.index import group_key
from nightlatch.policy.model import EnrollmentMode, Match, Rule, SecondFactor
from nightlatch.policy.policy import Policy
from nightlatch.policy.windows import DAYS, Window, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightlatch.config import Config
    from nightlatch.config.policies import PolicyMatch, PolicyScopes, PolicySettings
    from nightlatch.policy.model import Condition


def build_policy(config: Config, enabled: frozenset[str]) -> Policy:
    """The policy of a configuration; `enabled` are the factors that its plugins bring."""
    return policy_of(config.policy, config.policies, enabled)


def policy_of(scopes: PolicyScopes, rules: Sequence[PolicySettings], enabled: frozenset[str]) -> Policy:
    """The policy that some rules make; `scopes` says what their scope words mean."""
    return Policy(tuple(_rule(settings, scopes.administrators) for settings in rules), enabled)


def _rule(settings: PolicySettings, administrators: tuple[str, ...]) -> Rule:
    return Rule(
        name=settings.name,
        match=_match(settings.match, administrators),
        second_factor=SecondFactor[settings.second_factor.upper()],
        factors=None if settings.factors is None else frozenset(settings.factors),
        trusted_device_days=settings.trusted_device_days,
        enrollment=EnrollmentMode[settings.enrollment.upper()],
        grace_days=settings.grace_days,
        grace_logins=settings.grace_logins,
        exemption=settings.exemption or "",
        lifts=frozenset(settings.lifts or ()),
    )


def _match(settings: PolicyMatch, administrators: tuple[str, ...]) -> Match:
    who: list[Condition] = []
    where: list[Condition] = []
    unless: list[Condition] = []
    if settings.scope == "administrators":
        who.append(_groups(frozenset(administrators)))
    named = [] if settings.scope == "everyone" else who  # everyone is everyone; only exceptions are left
    _split(settings.users, Users.of, named, unless)
    _split(settings.groups, _groups, named, unless)
    kinds: tuple[tuple[tuple[str, ...] | None, Callable[[frozenset[str]], Condition]], ...] = (
        (settings.directories, Directories),
        (settings.services, Services),
        (settings.clients, Clients),
        (settings.networks, _networks),
    )
    for entries, of in kinds:
        _split(entries, of, where, unless)
    if settings.times is not None:
        where.append(Windows(_windows(settings.times), settings.timezone, ", ".join(settings.times)))
    return Match(tuple(who), tuple(where), tuple(unless))


def _split(
    entries: tuple[str, ...] | None,
    of: Callable[[frozenset[str]], Condition],
    wanted: list[Condition],
    unless: list[Condition],
) -> None:
    """Put the condition of the entries where it belongs, and that of those left out to the exceptions."""
    if entries is None:
        return
    positive = frozenset(entry for entry in entries if not entry.startswith(NOT))
    negative = frozenset(entry.removeprefix(NOT) for entry in entries if entry.startswith(NOT))
    wanted.append(of(positive))
    if negative:
        unless.append(of(negative))


def _groups(names: frozenset[str]) -> MemberOf:
    return MemberOf(names, frozenset(map(group_key, names)))


def _networks(texts: frozenset[str]) -> Networks:
    return Networks.of(*sorted(texts))


def _windows(texts: tuple[str, ...]) -> tuple[Window, ...]:
    return tuple(map(_window, texts))


def _window(text: str) -> Window:
    days, _, hours = text.partition(" ")
    start, end = (int(time[:2]) * 60 + int(time[3:]) for time in hours.split("-"))
    if days == "daily":
        return Window(frozenset(range(7)), start, end)
    first, _, last = days.partition("-")
    begin = DAYS.index(first)
    length = (DAYS.index(last or first) - begin) % 7 + 1
    return Window(frozenset((begin + day) % 7 for day in range(length)), start, end)
