"""The tables ``[factors.sms]``, ``[factors.email]`` and ``[factors.emergency]``.

They shape what is sent from now on. An enrolled credential carries its own address, and a code that is on its
way its own length and end: who changes the configuration locks nobody out.
"""

from __future__ import annotations

from typing import Annotated

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, Field, model_validator

from nightlatch.factor import Settings


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice.\nName each once.")
    return names


def _regions(codes: tuple[str, ...]) -> tuple[str, ...]:
    for code in codes:
        _region(code)
    return _each_once(codes)


def _region(code: str) -> str:
    if code not in SUPPORTED_REGIONS:
        raise ValueError(
            f'"{code[:16]}" is no region with telephone numbers.\n'
            'Write the two capital letters of ISO 3166-1, such as "DE" or "US".'
        )
    return code


Channels = Annotated[tuple[str, ...], AfterValidator(_each_once)]


class SendingSettings(Settings):
    """What all three share."""

    channels: Channels = Field(
        min_length=1,
        description="The channels that carry the code, by their names: the first that can send it does.",
    )
    resend_seconds: int = Field(
        30, ge=30, le=300, description="How long a person waits before another code is sent: 30 to 300."
    )


class SmsSettings(SendingSettings):
    """Codes by text message."""

    countries: Annotated[tuple[str, ...], AfterValidator(_regions)] = Field(
        min_length=1,
        description="The regions whose numbers can be enrolled, as ISO 3166-1 has them. No wildcard.",
    )
    default_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="The region of numbers that are typed without a country code; one of `countries`."
    )
    minutes: int = Field(5, ge=1, le=10, description="How long a code is valid: 1 to 10.")
    digits: int = Field(6, ge=6, le=8, description="The length of a code: 6 to 8.")

    @model_validator(mode="after")
    def _default_is_allowed(self) -> SmsSettings:
        if self.default_region is not None and self.default_region not in self.countries:
            raise ValueError(
                f'default_region: "{self.default_region}" is not one of countries.\n'
                "Add it there, or leave default_region out."
            )
        return self


class EmailSettings(SendingSettings):
    """Codes by email."""

    minutes: int = Field(5, ge=1, le=10, description="How long a code is valid: 1 to 10.")
    digits: int = Field(8, ge=6, le=10, description="The length of a code: 6 to 10.")


class EmergencySettings(SendingSettings):
    """The code for people who have nothing else at hand."""

    minutes: int = Field(30, ge=10, le=60, description="How long a code is valid: 10 to 60.")
