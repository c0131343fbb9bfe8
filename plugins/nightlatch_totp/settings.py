"""The table ``[factors.totp]``. It shapes new credentials only: an enrolled one carries its own values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nightlatch.factor import Settings

AlgorithmName = Literal["SHA1", "SHA256", "SHA512"]


def _shown_by_apps(issuer: str) -> str:
    if issuer != issuer.strip() or not issuer.isprintable() or ":" in issuer:
        raise ValueError(
            "apps show it before the account's name, behind a colon.\n"
            "Write it without a colon, without control characters, and without blanks around it."
        )
    return issuer


class TotpSettings(Settings):
    """How the codes of new credentials are made. The step is 30 seconds, always: apps support no other."""

    algorithm: AlgorithmName = Field(
        "SHA256",
        description='The hash: "SHA256", "SHA512", or "SHA1" for apps that know no other.',
    )
    digits: Literal[6, 8] = Field(6, description="The length of a code: 6 or 8.")
    issuer: Annotated[str, AfterValidator(_shown_by_apps)] = Field(
        "nightlatch",
        min_length=1,
        max_length=64,
        description="The name that apps show beside the account: your organisation, or the service.",
    )
