"""What makes the audit evidence: its keys, and where heads are kept beside the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nightlatch.audit.chain import ChainKey
from nightlatch.audit.heads import HeadKeys

if TYPE_CHECKING:
    from nightlatch.audit.heads import Head
    from nightlatch.keys import MasterKey


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The keys of an installation's audit."""

    chain: ChainKey
    heads: HeadKeys

    @classmethod
    def of(cls, key: MasterKey) -> AuditKeys:
        """The keys that belong to a master key."""
        return cls(ChainKey(key.derive("audit chain")), HeadKeys(key.derive("audit heads")))


class Witness(Protocol):
    """Takes heads to where the database's owner can not change them. Called on threads of the store's."""

    def take(self, head: Head, line: str) -> None:
        """Keep a signed head; `line` is how it is written. Never raises."""

    def retention_stopped(self, reason: str) -> None:
        """Tell that nothing is forgotten any more, because what is oldest was changed. Never raises."""


class NoWitness:
    """Keeps nothing, for stores that are opened beside a daemon."""

    def take(self, head: Head, line: str) -> None:
        """Do nothing."""

    def retention_stopped(self, reason: str) -> None:
        """Do nothing."""
