"""The kinds of source, by the names that the command has for them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.importing import (
    authelia,
    google_authenticator,
    google_export,
    linotp,
    oath,
    otpauth,
    privacyidea,
    pskc,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.importing.found import Finding


class Kind(Enum):
    """What a source is."""

    GOOGLE_AUTHENTICATOR = "google-authenticator"
    OATH = "oath"
    OTPAUTH = "otpauth"
    GOOGLE_EXPORT = "google-export"
    PSKC = "pskc"
    PRIVACYIDEA = "privacyidea"
    LINOTP = "linotp"
    AUTHELIA = "authelia"


READERS: dict[Kind, Callable[[Path, Path | None], list[Finding]]] = {
    Kind.GOOGLE_AUTHENTICATOR: google_authenticator.read,
    Kind.OATH: oath.read,
    Kind.OTPAUTH: otpauth.read,
    Kind.GOOGLE_EXPORT: google_export.read,
    Kind.PSKC: pskc.read,
    Kind.PRIVACYIDEA: privacyidea.read,
    Kind.LINOTP: linotp.read,
    Kind.AUTHELIA: authelia.read,
}
ENCRYPTED = frozenset({Kind.PSKC, Kind.PRIVACYIDEA})
"""Kinds that may need a key."""
