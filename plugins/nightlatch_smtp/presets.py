"""What is known of providers, so that an administrator writes less.

Gmail: https://developers.google.com/gmail/imap/xoauth2-protocol.
Microsoft 365: https://learn.microsoft.com/exchange/client-developer/legacy-protocols/
how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PresetName = Literal["gmail", "outlook", "custom"]
Flow = Literal["refresh_token", "client_credentials", "service_account"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider. Empty where the administrator must say it."""

    flows: tuple[Flow, ...]
    """How it gives tokens to a program, the first by default."""
    host: str = ""
    token_url: str = ""
    """May hold {tenant}."""
    scopes: tuple[tuple[Flow, str], ...] = ()
    connections: int = 10
    """How many connections of one account it takes at the same time."""

    def scope(self, flow: Flow) -> str:
        """The permission to ask for."""
        return dict(self.scopes).get(flow, "")


PRESETS: MappingProxyType[PresetName, Preset] = MappingProxyType(
    {
        "gmail": Preset(
            flows=("refresh_token", "service_account"),
            host="smtp.gmail.com",
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106, an address
            # A refresh token has its scope already, and Google refuses to name it again.
            scopes=(("service_account", "https://mail.google.com/"),),
        ),
        "outlook": Preset(
            flows=("client_credentials", "refresh_token"),
            host="smtp.office365.com",
            token_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",  # noqa: S106, an address
            scopes=(
                ("client_credentials", "https://outlook.office365.com/.default"),
                ("refresh_token", "https://outlook.office.com/SMTP.Send offline_access"),
            ),
            # Exchange Online: three concurrent connections a mailbox, then "432 4.3.2 STOREDRV".
            connections=3,
        ),
        "custom": Preset(flows=("refresh_token", "client_credentials", "service_account")),
    }
)
