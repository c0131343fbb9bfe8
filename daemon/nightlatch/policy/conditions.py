"""What a rule can ask of a login: who it is, where to, where from, when.

MUST 1: what can not be found out is UNKNOWN, never NO: a group that could not be read, a source that is no
        address.
MUST 2: a source counts as an address only when it is exactly one, as the kernel writes it (POL-04).
MUST 3: where a directory tells "Bob" from "bob", so does a rule.
MUST 4: a person is named by the own name, whatever was typed. A rule that names another name of somebody's is
        UNKNOWN for them: it demands, and leaves nobody out.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.policy.model import Applies, Finding

if TYPE_CHECKING:
    from nightlatch.model import Group
    from nightlatch.policy.model import LoginFacts

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _named(named: bool, kind: str, name: str) -> Finding:  # noqa: FBT001 - whether it is said
    if named:
        return Finding(Applies.YES, lambda: f"{kind}{name}")
    return Finding(Applies.NO, lambda: f"{kind}{name} is not named")


@dataclass(frozen=True, slots=True)
class Users:
    """Some people, by the name that their directory spells."""

    names: frozenset[str]
    folded: frozenset[str]

    @classmethod
    def of(cls, names: frozenset[str]) -> Users:
        """These people."""
        return cls(names, frozenset(map(_folded, names)))

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the person is named."""
        name = facts.account.name
        if self._has(name, facts):
            return Finding(Applies.YES, lambda: f"{name} is named")
        for other in facts.account.other_names:
            if self._has(other, facts):
                return Finding(Applies.UNKNOWN, f"{other} is another name of {name}; rules go by {name}")
        return Finding(Applies.NO, lambda: f"{name} is not named")

    def _has(self, name: str, facts: LoginFacts) -> bool:
        return _folded(name) in self.folded if facts.folds_case else name in self.names


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
            return Finding(Applies.NO, lambda: f"in none of {_listed(self.names)}")
        age = facts.now - facts.groups.read_at
        return Finding(Applies.YES, lambda: _member_of(group, age))


@dataclass(frozen=True, slots=True)
class Services:
    """Logins to some services, by the caller's name for them ("sshd")."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the login is to one of the services."""
        return _named(facts.service in self.names, "service ", facts.service)


@dataclass(frozen=True, slots=True)
class Clients:
    """Logins that come through some callers: "pam", or an application's name."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether one of them calls."""
        return _named(facts.client in self.names, "client ", facts.client)


@dataclass(frozen=True, slots=True)
class Directories:
    """The people of some directories."""

    names: frozenset[str]

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the person is in one of them."""
        name = facts.account.directory
        return _named(name in self.names, "directory ", name)


@dataclass(frozen=True, slots=True)
class Networks:
    """Logins from some networks."""

    networks: tuple[Network, ...]
    ends: tuple[tuple[int, int], ...]
    """The first and the last address of each, as numbers."""

    @classmethod
    def of(cls, *texts: str) -> Networks:
        """These networks, as "192.0.2.0/24"; raises ValueError."""
        networks = tuple(ipaddress.ip_network(text) for text in texts)
        ends = tuple((int(one.network_address), int(one.broadcast_address)) for one in networks)
        return cls(networks, ends)

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether the login comes from one of them; UNKNOWN for anything that is not exactly an address."""
        found = _as_number(facts.source)
        if found is None:
            why = f'the source "{facts.source}" is no address' if facts.source else "no source is known"
            return Finding(Applies.UNKNOWN, why)
        version, number = found
        for network, ends in zip(self.networks, self.ends, strict=True):
            if version == network.version and ends[0] <= number <= ends[1]:
                return Finding(Applies.YES, f"{facts.source} is in {network}")
        named = self.networks
        return Finding(Applies.NO, lambda: f"{facts.source} is not in {_listed(frozenset(map(str, named)))}")


def _folded(name: str) -> str:
    """A name without what caseIgnoreMatch passes over: case, width, spaces around, second spaces between."""
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return " ".join(plain.casefold().split())


def exact_address(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a source is, in its one spelling; None for names, mapped and scoped addresses."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return None
    return address if str(address) == source else None


def _as_number(source: str) -> tuple[int, int] | None:
    """The version and number of an exact address. Most are IPv4, which the C library reads much faster."""
    try:
        packed = socket.inet_pton(socket.AF_INET, source)
    except (OSError, ValueError):
        address = exact_address(source)
        return None if address is None else (address.version, int(address))
    return (4, int.from_bytes(packed)) if socket.inet_ntop(socket.AF_INET, packed) == source else None


def _member_of(group: Group, age: float) -> str:
    via = f" via {', '.join(group.via)}" if group.via else ""
    return f"member of {group.name}{via} (read {max(0, round(age))} s ago)"


def _listed(names: frozenset[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")  # noqa: PLR2004
