"""The plugin `email`: codes by email."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.factor import FactorPlugin, Medium, hookimpl
from nightlatch_codes import mailboxes
from nightlatch_codes.factor import Addresses, SentCodeFactor
from nightlatch_codes.reached import channels, reach
from nightlatch_codes.restoring import restored
from nightlatch_codes.settings import EmailSettings

if TYPE_CHECKING:
    from nightlatch.factor import Settings


def build(settings: Settings) -> SentCodeFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, EmailSettings):
        raise TypeError("the email factor is built from EmailSettings")
    return SentCodeFactor(Addresses(mailboxes.read, mailboxes.masked), settings)


@hookimpl
def nightlatch_factors() -> list[FactorPlugin]:
    """The one factor of this plugin."""
    return [
        FactorPlugin(
            name="email",
            title="Email",
            settings=EmailSettings,
            build=build,
            choice="Email to {label}",
            channels=channels,
            medium=Medium.MAILBOX,
            reach=reach,
            restored=restored,
            weak=True,
        )
    ]
