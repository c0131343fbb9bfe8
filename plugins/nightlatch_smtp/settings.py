"""The table ``[channels.NAME]`` with ``kind = "smtp"``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nightlatch.factor import Settings
from nightlatch_messages import Words
from nightlatch_smtp.address import mailbox
from nightlatch_smtp.files import CaFile, SecretFile
from nightlatch_smtp.oauth_settings import OAuthSettings
from nightlatch_smtp.presets import PRESETS

PORTS = {"starttls": 587, "tls": 465}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError("must be a host name or an address, without a port and without smtp://.")
    return name


def _one_line(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("must be one line without control characters, and without blanks around it.")
    return text


def _templates(folder: Path) -> Path:
    Words(folder)
    return folder


Host = Annotated[str, AfterValidator(_host)]
Mailbox = Annotated[str, AfterValidator(mailbox)]
Line = Annotated[str, AfterValidator(_one_line)]


class SmtpSettings(Settings):
    """A submission server, and how to be somebody there. There is no way to send in the clear."""

    host: Host | None = Field(
        None, description="The submission server. Its certificate must name it. A preset knows its own."
    )
    port: int | None = Field(
        None, ge=1, le=65535, description="587 for STARTTLS and 465 for TLS from the first byte, unless set."
    )
    security: Literal["starttls", "tls"] = Field(
        "starttls", description='"starttls", or "tls" from the first byte.'
    )
    ca_file: CaFile | None = Field(
        None, description="Authorities to trust for the server, in PEM, instead of the system's."
    )
    username: Line | None = Field(
        None, min_length=1, max_length=254, description="The account at the server; with a preset, a mailbox."
    )
    password_file: SecretFile | None = Field(
        None, description="A file with the account's password in its first line, mode 600."
    )
    oauth2: OAuthSettings | None = Field(
        None, description="Tokens instead of a password: see the table below."
    )
    from_address: Mailbox = Field(description="The address that messages come from.")
    from_name: Line = Field("", max_length=100, description="The name that is shown beside it.")
    reply_to: Mailbox | None = Field(None, description="Where answers go, if anywhere.")
    hello: Host | None = Field(
        None, description="How this host names itself to the server (EHLO). Its own name, unless set."
    )
    connections: int | None = Field(
        None, ge=1, le=100, description="Connections at the same time, at most. 10, and 3 for outlook."
    )
    templates_dir: Annotated[Path, AfterValidator(_templates)] | None = Field(
        None, description="A folder with templates that replace the shipped ones, by name."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.server_host is None:
            raise ValueError('"host" is needed: name the submission server.')
        if self.password_file is not None and self.oauth2 is not None:
            raise ValueError('"password_file" and "oauth2" can not both be: keep one of them.')
        if self.username is None and (self.password_file or self.oauth2):
            raise ValueError('"username" is needed: it says whose password or token it is.')
        if self.username is not None and not (self.password_file or self.oauth2):
            raise ValueError('"username" needs a "password_file", or a table "oauth2".')
        return self

    @property
    def server_host(self) -> str | None:
        """The server, by setting or preset."""
        return self.host or (PRESETS[self.oauth2.preset].host or None if self.oauth2 else None)

    @property
    def server_port(self) -> int:
        """The port, by setting or by how TLS begins."""
        return self.port or PORTS[self.security]

    @property
    def most_connections(self) -> int:
        """How many connections at the same time, by setting or preset."""
        preset = PRESETS[self.oauth2.preset if self.oauth2 else "custom"]
        return self.connections or preset.connections
