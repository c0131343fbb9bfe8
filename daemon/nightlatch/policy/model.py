"""The words of policy: rules, what they match, what they demand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nightlatch.model import Account


class SecondFactor(IntEnum):
    """Whether a login must show a second factor. The greater value is the stricter one."""

    REQUIRED = 100


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What policy knows of a login. Nothing in it was said by the person alone."""

    account: Account
    service: str
    source: str


@dataclass(frozen=True, slots=True)
class Services:
    """Matches logins to some services, by the caller's name for them ("sshd")."""

    names: frozenset[str]

    def covers(self, facts: LoginFacts) -> bool:
        """Whether the login is to one of the services."""
        return facts.service in self.names


class Match(Protocol):
    """Decides whether a rule concerns a login."""

    def covers(self, facts: LoginFacts) -> bool:
        """Whether the rule applies."""


@dataclass(frozen=True, slots=True)
class Everyone:
    """Matches every login."""

    def covers(self, facts: LoginFacts) -> bool:  # noqa: ARG002, everyone is matched, whoever it is
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Rule:
    """Who must show what."""

    name: str
    match: Match
    second_factor: SecondFactor
    factors: frozenset[str] | None = None
    """The factors that count for this rule; None for all that are switched on."""
    trusted_device_days: int = 0
    """For how long a device may be trusted; 0 for not at all."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one login must show, and which rules said so."""

    second_factor: SecondFactor
    factors: frozenset[str]
    trusted_device_days: int
    rules: tuple[str, ...]


DEFAULT_RULE = Rule("everyone", Everyone(), SecondFactor.REQUIRED)
"""What applies where no rule names a login: a second factor is required."""
