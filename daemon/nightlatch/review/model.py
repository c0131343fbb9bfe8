"""What a review says of people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch.factor import FactorPlugin
    from nightlatch.model import Account, Groups, Standing
    from nightlatch.policy.grace import Grace
    from nightlatch.policy.model import Judged, LoginFacts, Requirement


class Outlook(IntEnum):
    """What would become of a person with the right password. The greater value is the graver one."""

    DISABLED = 0
    """The directory or an administrator keeps the account out, whatever policy says."""
    EXEMPT = 10
    """No second factor is asked for."""
    READY = 20
    """Has a factor that counts, and is not weak."""
    OBSERVED = 30
    """None is asked for, and the audit says what would have been refused."""
    WEAK = 40
    """Has only factors whose proof travels where others can read it, or a last resort."""
    ENROLLS = 50
    """Has none that counts, and may set one up at the login, or put it off."""
    LOCKED_OUT = 60
    """Has none that counts, and no way to come to one at the login."""


@dataclass(frozen=True, slots=True)
class FactorTraits:
    """What a review must know of a factor."""

    name: str
    silent: bool = False
    weak: bool = False
    last_resort: bool = False
    confirmed: bool = True

    @classmethod
    def of(cls, plugin: FactorPlugin) -> FactorTraits:
        """What a plugin declares of its factor."""
        return cls(plugin.name, plugin.silent, plugin.weak, plugin.last_resort, plugin.confirmed)

    @property
    def enrolled_at_login(self) -> bool:
        """Whether a person can be led through setting it up as their first."""
        return self.confirmed and not self.silent and not self.last_resort


@dataclass(frozen=True, slots=True)
class Place:
    """What is signed in to, and through whom."""

    service: str
    """Empty for any that no rule names."""
    client: str
    words: str
    """For people: "sshd", "sshd by vpn", "any other service"."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of a login in one place, and why."""

    outlook: Outlook
    because: str
    requirement: Requirement
    factors: tuple[str, ...] = ()
    """The factors that the person has, that count, and that can be asked."""
    grace: Grace | None = None
    otherwise: Outlook | None = None
    """With OBSERVED: what would become of it without observation."""


@dataclass(frozen=True, slots=True)
class Prospects:
    """A person, with what would become of them in each place that was asked for."""

    account: Account
    places: tuple[tuple[Place, Prospect], ...]

    @property
    def worst(self) -> Prospect:
        """The gravest of all."""
        return max((prospect for _, prospect in self.places), key=lambda one: one.outlook)


class Change(IntEnum):
    """What another policy would change for a person. The greater value is the graver one."""

    TERMS = 10
    """The same is asked; devices, enrolment, grace or observation are other ones."""
    LET_IN = 20
    """Who is locked out now would not be."""
    ASKED_LESS = 30
    FACTORS = 40
    """Other factors count."""
    ASKED_MORE = 50
    EXEMPTED = 60
    LOCKED_OUT = 70


@dataclass(frozen=True, slots=True)
class Changed:
    """What changes for a person, at its gravest, and in which places that is so."""

    account: Account
    change: Change
    before: Prospect
    after: Prospect
    places: tuple[Place, ...]


class RuleOutcome(Enum):
    """What came of a rule in an explanation."""

    DECIDES = "decides"
    YES = "yes"
    """It matches, and a stricter one decides."""
    LIFTED = "lifted"
    NO = "no"
    UNKNOWN = "unknown"
    """Nobody could find out whether it matches, and it is no demand: it does not apply."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule in an explanation."""

    judged: Judged
    outcome: RuleOutcome


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that decides on one login."""

    facts: LoginFacts
    rules: tuple[Explained, ...]
    prospect: Prospect
    standing: Standing
    groups: Groups | None
    why_no_groups: str
