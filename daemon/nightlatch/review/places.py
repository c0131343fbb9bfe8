"""Where a policy has to be looked at: every service and client that its rules name, and any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.conditions import Clients, Services
from nightlatch.review.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nightlatch.policy.model import Condition
    from nightlatch.policy.policy import Policy

PAM = "pam"
"""The client of every login that no rule about clients concerns."""


def places_of(policies: Iterable[Policy], service: str = "", client: str = "") -> tuple[Place, ...]:
    """The places that the policies tell apart; `service` and `client` narrow them where they are set."""
    services, clients = set[str](), {PAM}
    for policy in policies:
        for condition in _conditions(policy):
            services |= condition.names if isinstance(condition, Services) else set()
            clients |= condition.names if isinstance(condition, Clients) else set()
    told_apart = sorted(clients) if not client else [client]
    named = [*sorted(services), ""] if not service else [service]
    many = len(told_apart) > 1
    return tuple(Place(one, by, _words(one, by if many else "")) for by in told_apart for one in named)


def _conditions(policy: Policy) -> Iterator[Condition]:
    for rule in policy.rules:
        yield from rule.match.where
        yield from rule.match.unless


def _words(service: str, client: str) -> str:
    words = service or "any other service"
    return f"{words} by {client}" if client else words
