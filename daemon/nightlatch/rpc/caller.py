"""Who is calling. grpcio sees neither who is on a unix socket nor what TLS has verified; the acceptor tells.

The acceptor learns who a peer is (SO_PEERCRED, or its certificate) and, before it connects to the listener's
inner socket, binds its own end to an abstract address with a number: ``nightlatch/NONCE/17``. gRPC hands that
address to the service as the peer, and the number leads to the caller.

MUST 1: authority is the listener and the kernel's or the certificate's word, never request metadata.
MUST 2: a connection to the inner socket that does not carry this process's nonce has no authority at all.
MUST 3: a connection that has ended names nobody any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.errors import NightlatchError
from nightlatch.rpc.rights import OF_A_SOCKET, Rights

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Unidentified(NightlatchError):
    """A call that did not come through the acceptor. It has no authority at all."""


class Forbidden(NightlatchError):
    """The caller is known, and has no right to what it asks for. Says nothing about a person."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a call, and what they may do."""

    kind: str
    """ "pam" or "admin" for the unix sockets, "client" for an application."""
    name: str
    """ "uid=0", or the client's name in the configuration."""
    rights: Rights = OF_A_SOCKET
    address: str = ""
    """The IP address that an application calls from, as the kernel tells it."""
    until: float | None = None
    """When this authority ends, on the steady clock; None for with the connection."""
    rights_now: Callable[[], Awaitable[Rights]] | None = field(default=None, compare=False, repr=False)
    """Of somebody who has signed in: what that is worth now; raises SessionEnded, Unavailable."""

    @property
    def host_user(self) -> str:
        """The user of this host behind the connection, also where a person has signed in on it."""
        return f"{self.kind} {self.name.partition(' ')[0]}"

    def __str__(self) -> str:
        """What a ticket is bound to, and what the audit shows: "pam uid=0", "client vpn"."""
        return f"{self.kind} {self.name}"

    def may(self, method: str) -> bool:
        """Whether the caller may call a method, by its full name "/package.Service/Method"."""
        return self.rights.methods is None or method in self.rights.methods

    def may_act_for(self, service: str) -> bool:
        """Whether the caller may log people in to a service."""
        return self.rights.services is None or service in self.rights.services


class CallerAddresses:
    """Makes the acceptor's addresses and reads them back from gRPC's peer string."""

    def __init__(self, nonce: str) -> None:
        self._prefix = f"nightlatch/{nonce}/"
        self._count = 0
        self._callers: dict[str, Caller] = {}

    def bind(self, caller: Caller) -> bytes:
        """A fresh abstract address that leads to `caller`."""
        self._count += 1
        self._callers[str(self._count)] = caller
        return f"\0{self._prefix}{self._count}".encode()

    def change(self, address: bytes, caller: Caller) -> None:
        """Let an address lead to the caller's new rights, unless somebody has signed in on it."""
        key = self._key(address)
        known = self._callers.get(key)
        if known is not None and known.until is None:
            self._callers[key] = caller

    def become(self, peer: str, caller: Caller) -> None:
        """Let the connection behind gRPC's peer string speak for `caller`; raises Unidentified."""
        self.caller(peer)
        self._callers[peer.removeprefix(f"unix-abstract:{self._prefix}")] = caller

    def release(self, address: bytes) -> None:
        """The address's connection has ended."""
        self._callers.pop(self._key(address), None)

    def caller(self, peer: str) -> Caller:
        """The caller behind gRPC's peer string; raises Unidentified when the acceptor did not make it."""
        lead = f"unix-abstract:{self._prefix}"
        found = self._callers.get(peer.removeprefix(lead)) if peer.startswith(lead) else None
        if found is None:
            raise Unidentified("this connection did not come through the listener's own socket")
        return found

    def _key(self, address: bytes) -> str:
        return address.decode().removeprefix(f"\0{self._prefix}")
