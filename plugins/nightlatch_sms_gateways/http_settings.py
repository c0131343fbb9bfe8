"""The table of a channel of kind "http_sms"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from nightlatch.factor import Settings
from nightlatch_sms_gateways.addresses import GatewayUrl
from nightlatch_sms_gateways.http_checks import (
    Headers,
    JsonPointer,
    Pattern,
    SecretName,
    problem_of_placeholders,
    strings_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Coding(Settings):
    """What {coding} is for a text; the defaults are Kannel's."""

    gsm7: str = Field("0", max_length=64, description="For a text in GSM's alphabet.")
    unicode: str = Field("2", max_length=64, description="For any other text.")


class HttpSmsSettings(Settings):
    """A gateway with an HTTP interface of its own; {to}, {text} and other placeholders are filled in."""

    method: Literal["POST", "GET", "PUT"] = Field("POST", description='"POST", "GET" or "PUT".')
    url: GatewayUrl = Field(
        description="Where it goes: https, or http on this host. Placeholders in path and query only."
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers of the request, which may hold secrets, but not the text.",
    )
    username: str | None = Field(
        None,
        pattern=r"^[!-9;-~]{1,256}$",
        description="The user of Basic authentication, with password_file.",
    )
    password_file: Path | None = Field(
        None, description="The file with the password of Basic authentication; not readable by others."
    )
    secrets: dict[SecretName, Path] = Field(
        default_factory=dict,
        description='Files whose one line is filled in as {NAME}: { token = "/etc/nightlatch/token" }.',
    )
    form: dict[str, str] | None = Field(
        None, description="The body as a form: the names of fields, and values."
    )
    json_body: dict[str, JsonValue] | None = Field(
        None, description="The body as JSON: a table, with placeholders in its strings."
    )
    body: str | None = Field(
        None, max_length=65_536, description="Any other body; placeholders are escaped as content_type needs."
    )
    content_type: str = Field(
        "text/plain; charset=utf-8",
        pattern=r"^[a-z]+/[A-Za-z0-9.+-]+(; ?charset=utf-8)?$",
        description="What body is. XML, JSON and forms have their escaping, all else has none.",
    )
    coding: Coding = Field(
        Coding(),
        description="What is filled in as {coding}, where a gateway must be told that a text is not in GSM's "
        "alphabet.",
    )
    success_codes: tuple[Annotated[int, Field(ge=200, le=299)], ...] = Field(
        (200, 201, 202), min_length=1, description="The statuses with which the gateway takes a message."
    )
    success_pattern: Pattern | None = Field(
        None, description="A regular expression that is found in the answer to a message that was taken."
    )
    success_json: dict[JsonPointer, str] = Field(
        default_factory=dict,
        description='What the JSON answer must hold, by JSON pointer: { "/status" = "queued" }.',
    )
    permanent_pattern: Pattern | None = Field(
        None, description="A regular expression found where the number will never work; no other try is made."
    )
    id_pattern: Pattern | None = Field(
        None,
        description="A regular expression whose first group, or whole, is the message's id in the answer.",
    )
    id_json: JsonPointer | None = Field(None, description='Where the id is in a JSON answer, such as "/id".')
    reason_json: JsonPointer | None = Field(
        None, description='Where a JSON answer says why it refuses, such as "/error/message".'
    )
    ca_file: Path | None = Field(
        None, description="The CAs that may sign the gateway's certificate, in PEM. Left out: the system's."
    )
    templates_dir: Path | None = Field(
        None, description="A folder with your own texts, which go before the ones that come with nightlatch."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        problems = [one for one in self._problems() if one]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        bodies = [name for name in ("form", "json_body", "body") if getattr(self, name) is not None]
        if len(bodies) > 1:
            yield f"{bodies[1]}: a request has one body.\nWrite form, or json_body, or body."
        if self.method == "GET" and bodies:
            yield f'{bodies[0]}: a GET has no body.\nWrite method = "POST", or the placeholders into the url.'
        if (self.username is None) != (self.password_file is None):
            alone = "username" if self.password_file is None else "password_file"
            yield f"{alone}: username and password_file belong together.\nWrite both, or none of them."
        if self.password_file is not None and "authorization" in {name.lower() for name in self.headers}:
            yield "headers: there are two credentials.\nWrite password_file, or the Authorization header."
        if self.id_json is not None and self.id_pattern is not None:
            yield "id_json: the id is looked for in two ways.\nWrite id_json, or id_pattern."
        yield problem_of_placeholders(self.places(), frozenset(self.secrets))

    def places(self) -> Mapping[str, tuple[str, ...]]:
        """All texts with placeholders, by setting."""
        return {
            "url": (self.url,),
            "headers": tuple(self.headers.values()),
            "form": tuple(self.form.values()) if self.form else (),
            "json_body": tuple(strings_in(self.json_body)),
            "body": (self.body,) if self.body else (),
        }
