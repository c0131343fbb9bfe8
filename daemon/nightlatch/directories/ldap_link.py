"""One connection to one LDAP server.

MUST 1: no password is sent before TLS stands, except into a local socket. A connection is never opened twice:
        ldap3 would open it again by itself, without StartTLS, and bind.
MUST 2: referrals are never followed: another server would get the password.
MUST 3: a bind counts only with the result code success, a DN and a password that is not empty.
MUST 4: the password does not stay with the connection.
"""

from __future__ import annotations

import math
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ldap3 import BASE, DEREF_NEVER, NONE, SIMPLE, SUBTREE, Connection, Server
from ldap3.core import results
from ldap3.core.exceptions import LDAPStartTLSError

from nightlatch.directories.ldap_errors import LinkLost, ServerFailed, at_the_edge, bad_result
from nightlatch.directories.ldap_tls import StrictTls
from nightlatch.directories.passwords import password_bytes
from nightlatch.directories.server_settings import default_port

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nightlatch.directories.bounded import Call
    from nightlatch.model import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """How a server is reached."""

    url: str
    context: ssl.SSLContext
    connect_timeout: float
    """Seconds for the connection and its TLS."""
    operation_timeout: float
    """Seconds for each answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search for entries, whose filter is escaped already."""

    base: str
    filter: str
    attributes: tuple[str, ...]
    size_limit: int
    only_base: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was found. Values are bytes, as the server sent them."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]] = field(repr=False)
    """By the name in lower case."""


class LdapLink:
    """An open connection. Used by one thread at a time; each has a `Server` of its own, which ldap3 wants."""

    def __init__(self, route: Route, call: Call) -> None:
        """Connect, and make TLS stand; raises ServerFailed."""
        self._route = route
        parts = urlsplit(route.url)
        self._scheme = parts.scheme
        self._local = parts.scheme == "ldapi"
        self._tls = None if self._local else StrictTls(route.context, parts.hostname or "")
        self._connection = Connection(
            Server(
                f"ldapi://{parts.netloc}" if self._local else parts.hostname or "",
                port=None if self._local else parts.port or default_port(parts.scheme),
                use_ssl=parts.scheme == "ldaps",
                tls=self._tls,
                get_info=NONE,
                connect_timeout=route.connect_timeout,
                allowed_referral_hosts=[],
            ),
            auto_bind=False,
            auto_referrals=False,
            auto_range=False,
            check_names=False,
            read_only=True,
        )
        with call.watching(self.socket):
            try:
                self._edge(self._open, route.connect_timeout)
            except ServerFailed:
                self.close()
                raise

    def socket(self) -> socket.socket | None:
        """The socket, for who wants to cut it."""
        found: socket.socket | None = self._connection.socket
        return found

    def bind(self, dn: str, password: Secret) -> bool:
        """Whether this is the password of `dn`; raises ServerFailed or NoVerdict for another answer."""
        code = self._edge(lambda: self._bind(dn, password), self._route.operation_timeout)
        if code == results.RESULT_SUCCESS:
            return True
        if code == results.RESULT_INVALID_CREDENTIALS:
            return False
        raise bad_result(code)

    def search(self, query: Query) -> tuple[int, tuple[Entry, ...]]:
        """The result code, and the entries that came before it; raises ServerFailed."""
        return self._edge(lambda: self._search(query), self._route.operation_timeout)

    def close(self) -> None:
        """Let the connection go, without a word to the server."""
        waiting = self.socket()
        self._connection.closed = True
        if waiting is not None:
            waiting.close()

    def _edge(self, work: Callable[[], T], seconds: float) -> T:
        return at_the_edge(work, seconds, lambda: self._tls.failure if self._tls is not None else None)

    def _open(self) -> None:
        self._connection.open(read_server_info=False)
        if self._scheme == "ldap" and not self._connection.start_tls(read_server_info=False):
            raise LDAPStartTLSError("not started")
        self._connection.socket.settimeout(self._route.operation_timeout)

    def _bind(self, dn: str, password: Secret) -> int:
        self._require_privacy()
        connection = self._connection
        try:
            connection.user, connection.authentication = dn, SIMPLE
            # Bytes go out as they are, as libldap sends them; text would be changed (SASLprep).
            connection.password = password_bytes(password)
            connection.bind(read_server_info=False)
            return self._code("bindResponse")
        finally:
            connection.password = connection.request = None

    def _search(self, query: Query) -> tuple[int, tuple[Entry, ...]]:
        self._require_privacy()
        self._connection.search(
            query.base,
            query.filter,
            search_scope=BASE if query.only_base else SUBTREE,
            dereference_aliases=DEREF_NEVER,
            attributes=list(query.attributes),
            size_limit=query.size_limit,
            time_limit=math.ceil(self._route.operation_timeout),
        )
        found = self._connection.response or ()
        return self._code("searchResDone"), tuple(
            _entry(raw) for raw in found if raw["type"] == "searchResEntry"
        )

    def _code(self, expected: str) -> int:
        result = self._connection.result
        if result["type"] != expected:
            raise ServerFailed("answered something else than was asked")
        return int(result["result"])

    def _require_privacy(self) -> None:
        if self._connection.closed:
            raise LinkLost("closed the connection")
        if not self._local and not isinstance(self.socket(), ssl.SSLSocket):
            raise ServerFailed("has no TLS on this connection; nothing was sent")


def _entry(raw: dict[str, Any]) -> Entry:
    values = {
        str(name).lower(): tuple(bytes(value) for value in many)
        for name, many in raw["raw_attributes"].items()
    }
    return Entry(str(raw["dn"]), values)
