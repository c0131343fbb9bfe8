"""What a rule can ask of a login: who it is, where to, where from, when.

MUST 1: what can not be found out is UNKNOWN, never NO: a group that could not be read, a source that is no
        address.
MUST 2: a source counts as an address only when it is exactly one, as the kernel writes it (POL-04).
MUST 3: where a directory tells "Bob" from "bob", so does a rule.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.policy.model import Applies, Finding

if TYPE_CHECKING:
    from nightlatch.policy.model import LoginFacts

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _found(holds: bool, yes: str, no: str) -> Finding:  # noqa: FBT001 - the two ends of one sentence
    return Finding(Applies.YES, yes) if holds else Finding(Applies.NO, no)


@dataclass(frozen=True, slots=True)
class Users:
    """Some people, by the name that their directory spells."""

    names: frozenset[str]
    folded: frozenset[str]

    @classmethod
    def of(cls, names: frozenset[str]) -> Users:
        """These people."""
        return cls(names, frozenset(name.casefold() for name in names))

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the person is named."""
        name = facts.account.name
        named = name.casefold() in self.folded if facts.folds_case else name in self.names
        return _found(named, f"{name} is named", f"{name} is not named")


@dataclass(frozen=True, slots=True)
class MemberOf:
    """The members of some groups, nested ones included."""

    names: frozenset[str]
    keys: frozenset[str]
    """The same in comparable form, see `nightlatch.policy.index.group_key`."""

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the person is in one of the groups."""
        if facts.groups is None:
            return Finding(Applies.UNKNOWN, f"the groups are not known: {facts.why_no_groups or 'not read'}")
        group = facts.groups.find(self.keys, self.names)
        if group is None:
            return Finding(Applies.NO, f"in none of {_listed(self.names)}")
        via = f" via {', '.join(group.via)}" if group.via else ""
        age = max(0, round(facts.now - facts.groups.read_at))
        return Finding(Applies.YES, f"member of {group.name}{via} (read {age} s ago)")


@dataclass(frozen=True, slots=True)
class Services:
    """Logins to some services, by the caller's name for them ("sshd")."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the login is to one of the services."""
        holds = facts.service in self.names
        return _found(holds, f"service {facts.service}", f"service {facts.service} is not named")


@dataclass(frozen=True, slots=True)
class Clients:
    """Logins that come through some callers: "pam", or an application's name."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether one of them calls."""
        holds = facts.client in self.names
        return _found(holds, f"client {facts.client}", f"client {facts.client} is not named")


@dataclass(frozen=True, slots=True)
class Directories:
    """The people of some directories."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the person is in one of them."""
        name = facts.account.directory
        return _found(name in self.names, f"directory {name}", f"directory {name} is not named")


@dataclass(frozen=True, slots=True)
class Networks:
    """Logins from some networks."""

    networks: tuple[Network, ...]

    @classmethod
    def of(cls, *texts: str) -> Networks:
        """These networks, as "192.0.2.0/24"; raises ValueError."""
        return cls(tuple(ipaddress.ip_network(text) for text in texts))

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the login comes from one of them; UNKNOWN for anything that is not exactly an address."""
        address = exact_address(facts.source)
        if address is None:
            why = f'the source "{facts.source}" is no address' if facts.source else "no source is known"
            return Finding(Applies.UNKNOWN, why)
        for network in self.networks:
            if address.version == network.version and address in network:
                return Finding(Applies.YES, f"{address} is in {network}")
        return Finding(Applies.NO, f"{address} is not in {_listed(frozenset(map(str, self.networks)))}")


def exact_address(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a source is, in its one spelling; None for names, mapped and scoped addresses."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return None
    return address if str(address) == source else None


def _listed(names: frozenset[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")  # noqa: PLR2004
