"""The words of policy: what is known of a login, rules, what they demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import Account
    from nightlatch.policy.index import GroupIndex


class SecondFactor(IntEnum):
    """Whether a login must show a second factor. The greater value is the stricter one."""

    SKIP = 0
    """An exemption: none is asked for, and the audit says whose exemption it was."""
    OBSERVE = 50
    """None is asked for, and the audit says what would have been refused."""
    REQUIRED = 100


class EnrollmentMode(IntEnum):
    """How a person without a credential comes to one. The greater value is the stricter one."""

    SELF = 0
    """At the next login, behind the password alone."""
    INVITE = 50
    """At the next login, with an invite that an administrator made."""
    CLOSED = 100
    """Only by an administrator."""


class Applies(Enum):
    """Whether something is so. What could not be found out is neither."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """Whether a condition holds for a login, and why."""

    applies: Applies
    words: str | Callable[[], str]
    """The reason, or what makes it: most findings of a login are never read."""

    @property
    def because(self) -> str:
        """Why, in words for an administrator."""
        return self.words if isinstance(self.words, str) else self.words()


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What policy knows of a login. Nothing in it was said by the person alone."""

    account: Account
    folds_case: bool
    """Whether the account's directory takes "Alice" and "alice" for one."""
    service: str
    source: str
    """Where the login comes from, as the caller has it: an address, a host name, or nothing."""
    client: str
    """Who calls: "pam", or the name of an application."""
    now: float
    groups: GroupIndex | None = None
    """None where they were not, or could not be read."""
    why_no_groups: str = ""
    any_time: bool = False
    """Whether this is about logins at any time, and `now` says nothing."""


class Condition(Protocol):
    """One thing that must hold for a rule to concern a login."""

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether it holds."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which logins a rule concerns: one of `who`, all of `where`, none of `unless`. Empty: every login."""

    who: tuple[Condition, ...] = ()
    where: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Who must show what."""

    name: str
    match: Match = Match()
    second_factor: SecondFactor = SecondFactor.REQUIRED
    factors: frozenset[str] | None = None
    """The factors that count for this rule; None for all that are switched on."""
    trusted_device_days: int = 0
    """For how long a device may be trusted; 0 for not at all."""
    enrollment: EnrollmentMode = EnrollmentMode.CLOSED
    grace_days: int = 0
    """For how many days a person without a credential is let in, counted from the first time; 0 for no limit
    in days where `grace_logins` is set, and else for none."""
    grace_logins: int = 0
    """The same in logins."""
    exemption: str = ""
    """Why this rule lets the second factor be left out; for SKIP only."""
    lifts: frozenset[str] = frozenset()
    """For SKIP: the rules that do not apply to whom this one exempts."""


class Judged(NamedTuple):
    """A rule and whether it concerns a login."""

    rule: Rule
    finding: Finding


@dataclass(frozen=True, slots=True)
class Observed:
    """What rules under observation would demand."""

    factors: frozenset[str]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one login must show, and which rules said so."""

    second_factor: SecondFactor
    factors: frozenset[str]
    trusted_device_days: int = 0
    enrollment: EnrollmentMode = EnrollmentMode.CLOSED
    grace_days: int = 0
    grace_logins: int = 0
    rules: tuple[str, ...] = ()
    """The rules that decided."""
    exemption: str = ""
    """With SKIP: the reasons that the exemptions give."""
    observed: Observed | None = None
    uncertain: str = field(default="", compare=False)
    """Why a rule applies though nobody could find out whether it should; empty where all is known."""


EVERYONE = "everyone"
"""The default rule's name; no rule of the configuration may have it."""
DEFAULT_RULE = Rule(EVERYONE)
"""What applies where no rule names a login: a second factor is required."""
