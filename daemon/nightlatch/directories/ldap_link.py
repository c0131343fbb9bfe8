"""One connection to one LDAP server.

MUST 1: no password is sent before TLS stands, except into a local socket. A connection is never opened twice:
        ldap3 would open it again by itself, without StartTLS, and bind.
MUST 2: referrals are never followed: another server would get the password.
MUST 3: a bind is sent only with a DN and a password that is not empty; it counts with the code success alone.
MUST 4: the password does not stay with the connection.
"""

from __future__ import annotations

import math
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ldap3 import (
    BASE,
    DEREF_NEVER,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SIMPLE,
    SUBTREE,
    Connection,
    Server,
)
from ldap3.core import results
from ldap3.core.exceptions import LDAPStartTLSError
from ldap3.protocol.rfc3062 import PasswdModifyRequestValue

from nightlatch.directories.ldap_errors import LinkLost, ServerFailed, at_the_edge
from nightlatch.directories.ldap_tls import StrictTls
from nightlatch.directories.passwords import password_bytes
from nightlatch.directories.server_settings import default_port

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nightlatch.directories.bounded import Call
    from nightlatch.model import Secret

T = TypeVar("T")

_PASSWORD_MODIFY = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105, an OID (RFC 3062)
_PAGED = "1.2.840.113556.1.4.319"  # RFC 2696

Control = tuple[str, bool, bytes | None]
"""A control that goes with a request (RFC 4511, 4.1.11): its OID, whether it is critical, its value."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a server is reached."""

    url: str
    context: ssl.SSLContext
    connect_timeout: float
    """Seconds for the connection and its TLS."""
    operation_timeout: float
    """Seconds for each answer."""
    address: str = ""
    """Where the URL's host is, if that is known already. Its certificate is still for the host."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search for entries, whose filter is escaped already."""

    base: str
    filter: str
    attributes: tuple[str, ...]
    size_limit: int
    """How many entries are too many; when read in pages, how many in all."""
    only_base: bool = False
    controls: tuple[Control, ...] = ()
    setting: str = "base"
    """The setting that the base comes from, for messages."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was found. Values are bytes, as the server sent them."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]] = field(repr=False)
    """By the name in lower case."""

    def values(self, attribute: str) -> tuple[bytes, ...]:
        """The attribute's values; none where it is not there, or not shown."""
        return self.attributes.get(attribute.lower(), ())


@dataclass(frozen=True, slots=True)
class Found:
    """What came back from a search."""

    code: int
    entries: tuple[Entry, ...]
    """The entries that came before the code."""
    references: bool
    """Whether the server pointed to others for more."""
    cookie: bytes
    """Where the next page goes on; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a bind, or to a change."""

    code: int
    message: str = field(repr=False)
    """The diagnostic message. It may repeat what was sent: for reading, never for a log."""
    controls: dict[str, bytes] = field(repr=False)
    """The values of the controls that came with it, by OID."""

    @property
    def success(self) -> bool:
        """Whether it is the one code that lets somebody in, or says that a change was made."""
        return self.code == results.RESULT_SUCCESS


class LdapLink:
    """An open connection. Used by one thread at a time; each has a `Server` of its own, which ldap3 wants."""

    def __init__(self, route: Route, call: Call, *, writes: bool = False) -> None:
        """Connect, and make TLS stand; raises ServerFailed. `writes` is for changing a password, no more."""
        self._route = route
        parts = urlsplit(route.url)
        self._scheme = parts.scheme
        self._local = parts.scheme == "ldapi"
        self._tls = None if self._local else StrictTls(route.context, parts.hostname or "")
        self._connection = Connection(
            Server(
                f"ldapi://{parts.netloc}" if self._local else route.address or parts.hostname or "",
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
            return_empty_attributes=False,  # else ldap3 trips over "member;range=1500-*"
            check_names=False,
            read_only=not writes,
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

    def bind(self, dn: str, password: Secret, controls: tuple[Control, ...] = ()) -> Answer:
        """What the server says to this DN and password; raises ServerFailed, Refused for no password."""
        return self._edge(lambda: self._bind(dn, password, controls), self._route.operation_timeout)

    def search(self, query: Query, page: int = 0, cookie: bytes = b"") -> Found:
        """What the server finds; with `page`, so many entries of it at most, from `cookie` on."""
        return self._edge(lambda: self._search(query, page, cookie), self._route.operation_timeout)

    def modify_password(
        self, dn: str, old: Secret | None, new: Secret, controls: tuple[Control, ...] = ()
    ) -> Answer:
        """What the server says to another password for this DN (RFC 3062); raises ServerFailed."""
        value = PasswdModifyRequestValue()
        value["userIdentity"] = dn.encode()
        if old is not None:
            value["oldPasswd"] = password_bytes(old)
        value["newPasswd"] = password_bytes(new)
        return self._changing(
            lambda: self._connection.extended(_PASSWORD_MODIFY, value, list(controls)), "extendedResp"
        )

    def modify_unicode_password(self, dn: str, old: Secret | None, new: Secret) -> Answer:
        """What Active Directory says to another password for this DN; raises ServerFailed."""
        changes: list[tuple[str, list[bytes]]] = [(MODIFY_REPLACE, [_unicode_password(new)])]
        if old is not None:
            changes = [(MODIFY_DELETE, [_unicode_password(old)]), (MODIFY_ADD, [_unicode_password(new)])]
        return self._changing(
            lambda: self._connection.modify(dn, {"unicodePwd": changes}),  # type: ignore[no-untyped-call]
            "modifyResponse",
        )

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

    def _bind(self, dn: str, password: Secret, controls: tuple[Control, ...]) -> Answer:
        self._require_privacy()
        connection = self._connection
        try:
            connection.user, connection.authentication = dn, SIMPLE
            # Bytes go out as they are, as libldap sends them; text would be changed (SASLprep).
            connection.password = password_bytes(password)
            connection.bind(read_server_info=False, controls=list(controls) or None)
            code = self._code("bindResponse")
            return Answer(code, str(connection.result["message"]), self._controls())
        finally:
            connection.password = connection.request = None

    def _changing(self, ask: Callable[[], object], expected: str) -> Answer:
        def work() -> Answer:
            self._require_privacy()
            try:
                ask()
                code = self._code(expected)
                return Answer(code, str(self._connection.result["message"]), self._controls())
            finally:
                self._connection.request = None

        return self._edge(work, self._route.operation_timeout)

    def _search(self, query: Query, page: int, cookie: bytes) -> Found:
        self._require_privacy()
        self._connection.search(
            query.base,
            query.filter,
            search_scope=BASE if query.only_base else SUBTREE,
            dereference_aliases=DEREF_NEVER,
            attributes=list(query.attributes),
            size_limit=0 if page else query.size_limit,
            time_limit=math.ceil(self._route.operation_timeout),
            controls=list(query.controls) or None,
            paged_size=page or None,
            paged_criticality=True,
            paged_cookie=cookie or None,
        )
        found = self._connection.response or ()
        code = self._code("searchResDone")
        paged = self._connection.result.get("controls", {}).get(_PAGED, {}).get("value", {})
        return Found(
            code,
            tuple(_entry(raw) for raw in found if raw["type"] == "searchResEntry"),
            references=any(raw["type"] == "searchResRef" for raw in found),
            cookie=bytes(paged.get("cookie") or b"") if page else b"",
        )

    def _controls(self) -> dict[str, bytes]:
        told = self._connection.result.get("controls", {})
        return {oid: content["value"] for oid, content in told.items() if isinstance(content["value"], bytes)}

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


def _unicode_password(password: Secret) -> bytes:
    return f'"{password.reveal()}"'.encode("utf-16-le")


def _entry(raw: dict[str, Any]) -> Entry:
    values = {
        str(name).lower(): tuple(bytes(value) for value in many)
        for name, many in raw["raw_attributes"].items()
    }
    return Entry(str(raw["dn"]), values)
