"""The tables ``[listeners.applications]`` and ``[[clients]]``: who may call over the network, and do what.

MUST 1: a client has the rights that its table names, and no others.
MUST 2: a client is known by one exact name of its certificate's subjectAltName: no pattern, no common name.
MUST 3: two clients never share a name, nor has one that of a unix socket's callers: rules know them by it.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from nightlatch.config.locate import value_at
from nightlatch.config.policies import Word
from nightlatch.config.problem import Problem
from nightlatch.rpc.rights import SERVICES, methods_named

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_CALLS = 100_000


def split_address(text: str) -> tuple[str, int]:
    """Host and port of an address like "192.0.2.1:7443" or "[::]:7443"; raises ValueError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        plain = str(ipaddress.IPv6Address(host[1:-1]))
    else:
        plain = str(ipaddress.IPv4Address(host))
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):  # noqa: PLR2004, the last port
        raise ValueError(port)
    return plain, int(port)


def _address(text: str) -> str:
    try:
        split_address(text)
    except ValueError:
        raise ValueError(
            f'"{text}" is no IP address with a port.\n'
            'Write "0.0.0.0:7443", "[::]:7443", or the address of one interface.'
        ) from None
    return text


def _file(path: Path) -> Path:
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f'"{path}" depends on where it is read from.\nWrite the whole path, from "/" on.')
    return path


def _san(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind == "dns" and len(name) <= 253 and all(map(_HOST_LABEL.fullmatch, name.split("."))):  # noqa: PLR2004, RFC 1035
        return text
    if kind == "uri" and name.isascii() and name.isprintable() and " " not in name and urlsplit(name).scheme:
        return text
    raise ValueError(
        f'"{text}" is no name that a certificate\'s subjectAltName may have for a client.\n'
        'Write "dns:vpn.example.com", in small letters and without *, or "uri:spiffe://example.com/vpn".'
    )


def _right(text: str) -> str:
    if not methods_named(text):
        raise ValueError(
            f'there is no method or service "{text}".\n'
            f"Known: {', '.join(SERVICES)}, or one method, such as nightlatch.v1.LoginService/BeginLogin."
        )
    return text


LISTENERS = frozenset({"pam", "admin", "account"})
"""What rules, limits and the audit call those who come by a unix socket."""
FilePath = Annotated[Path, AfterValidator(_file)]
ClientName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class ApplicationsListener(BaseModel):
    """The port that applications call, with TLS 1.3 and client certificates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(_address)] = Field(
        description='The IP address and port to listen on: "0.0.0.0:7443", "[::]:7443" for IPv6 and IPv4.'
    )
    certificate_file: FilePath = Field(
        description="The daemon's certificate in PEM, and behind it those between it and the CA, if any."
    )
    key_file: FilePath = Field(
        description="The key of that certificate in PEM, without a passphrase, readable by the daemon alone."
    )
    client_ca_file: FilePath = Field(
        description="The CAs that sign the clients' certificates, in PEM. Best a CA that signs nothing else."
    )
    issuer: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] = Field(
        "nightlatch", description='The name that receipts are signed in: a URL or a name of yours ("iss").'
    )
    crl_file: FilePath | None = Field(
        None,
        description="What these CAs have revoked, in PEM: one list for each CA. "
        "With an outdated list nobody is let in.",
    )


class ClientSettings(BaseModel):
    """An application that may call, and what it may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClientName = Field(
        description='The name in logs, the audit and limits: "vpn". Small letters, digits, ".", "_" and "-".'
    )
    san: Annotated[str, AfterValidator(_san)] = Field(
        description='The name in its certificate: "dns:vpn.example.com" or "uri:spiffe://example.com/vpn".'
    )
    methods: tuple[Annotated[str, AfterValidator(_right)], ...] = Field(
        min_length=1,
        description='What it may call: "login", "verification", "keys", "enrollment", "account", "admin", '
        '"users", "health", "reflection", or single methods such as "nightlatch.v1.LoginService/BeginLogin".',
    )
    services: tuple[Word, ...] | None = Field(
        None,
        min_length=1,
        description="The services it may log people in to, as rules know them. Left out: its own name.",
    )
    directories: tuple[Word, ...] | None = Field(
        None,
        min_length=1,
        description="The directories whose people it may name; others do not exist for it. Left out: all.",
    )
    may_set_source: bool = Field(
        False,  # noqa: FBT003, pydantic's way to give a default
        description="Whether it may say from which address a person comes. If not, its own address counts.",
    )
    may_know_enrollment: bool = Field(
        False,  # noqa: FBT003, pydantic's way to give a default
        description="Whether it is told who has nothing enrolled, and what became of a message. "
        "Else nobody's answers differ.",
    )
    requests_per_second: int = Field(
        200, ge=1, le=_MOST_CALLS, description="How many calls it may make in a second."
    )
    concurrent: int = Field(
        100, ge=1, le=4096, description="How many calls it may have under way at the same time."
    )
    connections: int = Field(
        16, ge=1, le=1024, description="How many connections it may have open at the same time."
    )


def client_problems(data: dict[str, object]) -> Iterator[Problem]:
    """What the clients' tables say wrong together: names that two share, directories that are not there."""
    tables = data.get("clients")
    directories = data.get("directories")
    known = (
        [one.get("name") for one in directories if isinstance(one, dict)]
        if isinstance(directories, list)
        else []
    )
    seen: dict[tuple[str, str], int] = {}
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict):
            continue
        if table.get("name") in LISTENERS:
            yield Problem(
                ("clients", index, "name"),
                f'"{table["name"]}" is what rules call the callers of a unix socket.\nTake another name.',
            )
        for setting in ("name", "san"):
            value = table.get(setting)
            if isinstance(value, str) and seen.setdefault((setting, value), index) != index:
                yield Problem(
                    ("clients", index, setting),
                    f"the client before has this {setting} already.\nGive each client its own.",
                )
        named = value_at(("directories",), table)
        for place, directory in enumerate(named if isinstance(named, list) else ()):
            if directory not in known:
                yield Problem(
                    ("clients", index, "directories", place),
                    f"there is no such directory.\nKnown: {', '.join(map(str, known))}.",
                )
