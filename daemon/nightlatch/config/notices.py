"""The table ``[notices]``: where people are told of changes, and where they find help."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

LONGEST = 100


def _url(text: str) -> str:
    if text and (urlsplit(text).scheme != "https" or not urlsplit(text).hostname):
        raise ValueError(f'"{text}" is no link.\nWrite one that begins with https://, or leave it out.')
    return text


class NoticesSettings(BaseModel):
    """Where notices go beside proven addresses, and what stands at the end of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory_mail: bool = Field(
        default=True,
        description="Whether notices go to the first mail address that the directory has of the person, too "
        "(`mail_attribute`). Codes never do.",
    )
    help_url: Annotated[
        str, StringConstraints(pattern=r"^[!-~]*$", max_length=LONGEST), AfterValidator(_url)
    ] = Field("", description='A page with help, such as "https://help.example.com/sign-in".')
    help_phone: Annotated[str, StringConstraints(pattern=r"^[+0-9() ./-]*$", max_length=40)] = Field(
        "", description='A number to call, such as "+41 44 555 01 00".'
    )
