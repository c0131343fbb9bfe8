"""Who is calling. grpcio can not see who is on a unix socket, so the acceptor tells it.

The acceptor reads SO_PEERCRED and, before it connects to the listener's inner socket, binds its own end to
an abstract address that carries the answer: ``nightlatch/NONCE/pam/uid=0/17``. gRPC hands that address to the
service as the peer.

MUST 1: authority is the listener and the kernel's word on the peer, never request metadata.
MUST 2: a connection to the inner socket that does not carry this process's nonce has no authority at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from nightlatch.errors import NightlatchError


class Unidentified(NightlatchError):
    """A call that did not come through the acceptor. It has no authority at all."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a call: the listener that took it, and the kernel's word on the peer."""

    listener: str
    uid: int

    def __str__(self) -> str:
        """What a ticket is bound to, and what the audit shows: "pam uid=0"."""
        return f"{self.listener} uid={self.uid}"


class CallerAddresses:
    """Makes the acceptor's addresses and reads them back from gRPC's peer string."""

    def __init__(self, nonce: str) -> None:
        self._prefix = f"nightlatch/{nonce}/"
        self._count = 0

    def bind(self, caller: Caller) -> bytes:
        """A fresh abstract address that names `caller`."""
        self._count += 1
        return f"\0{self._prefix}{caller.listener}/uid={caller.uid}/{self._count}".encode()

    def caller(self, peer: str) -> Caller:
        """The caller behind gRPC's peer string; raises Unidentified when the acceptor did not make it."""
        lead = f"unix-abstract:{self._prefix}"
        if not peer.startswith(lead):
            raise Unidentified("this connection did not come through the listener's own socket")
        listener, uid, _ = peer.removeprefix(lead).split("/")
        return Caller(listener, int(uid.removeprefix("uid=")))
