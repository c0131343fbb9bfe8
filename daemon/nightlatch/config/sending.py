"""The table ``[sending]``: how many messages the whole installation sends, and in which language.

What one account and one address may get is fixed: see `nightlatch.limits`.

MUST 1: every limit has a ceiling: none of these settings turns the limits off.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

MOST_AN_HOUR = 100_000


def _one_domain(domain: str) -> str:
    if domain != domain.lower():
        raise ValueError(f'write the domain in lower-case letters: "{domain.lower()[:64]}".')
    return domain


Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,13}$")]
Domain = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"),
    AfterValidator(_one_domain),
]
Count = Annotated[int, Field(ge=0, le=MOST_AN_HOUR)]


class SendingSettings(BaseModel):
    """The limits that belong to the installation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    in_all_hour: int = Field(
        2000, ge=1, le=MOST_AN_HOUR, description="How many codes may be sent in an hour, in all."
    )
    per_prefix_hour: int = Field(
        200,
        ge=1,
        le=MOST_AN_HOUR,
        description="How many of them to numbers that begin alike (with the same five digits), "
        "and to mailboxes of one domain.",
    )
    prefixes: dict[Prefix, Count] = Field(
        {},
        description='Another limit for numbers that begin so, such as "+4179" = 500: the longest that fits '
        "counts, and 0 is for never.",
    )
    domains: dict[Domain, Count] = Field(
        {},
        description='Another limit for mailboxes of one domain, such as "example.com" = 500; 0 is for never.',
    )
    language: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", max_length=35)
    ] = Field(
        "en",
        description='The language of messages to people whose directory names none, such as "zh-Hans"; '
        "what has no words in it is in English.",
    )
