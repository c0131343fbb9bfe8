"""The table of a channel of kind "smpp"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from nightlatch.factor import Settings
from nightlatch_sms_gateways.smpp_text import AlphabetName

_URL = re.compile(r"(smpps?)://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?")
_PORTS = {"smpp": 2775, "smpps": 3550}
_SENDER = re.compile(r"\+?[0-9]{1,20}|(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}")


def _url(url: str) -> str:
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found[3] or 1) <= 0xFFFF:  # noqa: PLR2004, the last port
        raise ValueError(
            "it is no address of an SMPP server.\nWrite smpps://HOST:PORT, or smpp://HOST:PORT inside a VPN."
        )
    return url


def _sender(sender: str) -> str:
    if _SENDER.fullmatch(sender) is None:
        raise ValueError(
            f'"{sender}" is no number, no short code and no name of up to 11 letters.\n'
            'Write it as sender = "+14155550100".'
        )
    return sender


class SmppSettings(Settings):
    """An SMPP 3.4 server (SMSC), to which the daemon binds as a transceiver."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="The server: smpps://HOST[:3550] for TLS, or smpp://HOST[:2775], which is not encrypted."
    )
    system_id: str = Field(pattern=r"^[!-~]{1,15}$", description="The name of the account at the provider.")
    password_file: Path = Field(
        description="The file with the account's password, up to 8 characters; not readable by others."
    )
    system_type: str = Field(
        "", pattern=r"^[!-~]{0,12}$", description="The system type, where the provider asks for one."
    )
    sender: Annotated[str, AfterValidator(_sender)] = Field(
        description="The number (+14155550100), short code or name (up to 11 letters) that it comes from."
    )
    alphabet: AlphabetName = Field(
        "gsm7",
        description='What the provider takes for data_coding 0: "gsm7"; "latin1" and "ucs2" name theirs. '
        "What an alphabet lacks is sent in UCS-2.",
    )
    window: int = Field(
        10, ge=1, le=100, description="Messages that may wait for the server's answer at once."
    )
    keep_alive: float = Field(
        30,
        ge=0.1,
        le=300,
        description="Seconds of silence after which the server is asked whether it is there.",
    )
    ca_file: Path | None = Field(
        None, description="The CAs that may sign the server's certificate, in PEM. Left out: the system's."
    )
    templates_dir: Path | None = Field(
        None, description="A folder with your own texts, which go before the ones that come with nightlatch."
    )

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("smpps:")

    @property
    def server(self) -> tuple[str, int]:
        """Host and port."""
        found = _URL.fullmatch(self.url)
        assert found is not None, "checked when the settings were made"
        return found[2].strip("[]"), int(found[3] or _PORTS[found[1]])
