"""The table ``[webhook]``: a program of the administrators' that is told what happens."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from nightlatch.config.applications import FilePath

DEFAULT = (
    "account.",
    "credential.",
    "device.",
    "invite.",
    "password.",
    "login.fallback",
    "config.",
    "directory.",
)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError(
            "this is no address that can be told of anything.\n"
            "Write one that begins with https://, without a password."
        )
    return text


class WebhookSettings(BaseModel):
    """Who is told, and of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2000}$"), AfterValidator(_url)] | None = Field(
        None, description="Where events are sent, by HTTPS. Left out: nowhere."
    )
    secret_file: FilePath | None = Field(
        None,
        description="A file with the secret in its first line that events are signed with, readable by the "
        "daemon alone.",
    )
    ca_file: FilePath | None = Field(
        None, description="The CAs of the receiver's certificate, in PEM. Left out: those of the system."
    )
    events: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]*$")], ...] = Field(
        DEFAULT,
        min_length=1,
        description='The events it is told of, by name, such as "account.lock"; "account." is for all whose '
        "names begin so.",
    )

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.url is not None and self.secret_file is None:
            raise ValueError(
                "events are signed.\nWrite a long random secret into a file, and name it in secret_file."
            )
        return self
