"""What single settings of kind "http_sms" may look like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from nightlatch_sms_gateways.placeholders import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TO, DIGITS, TEXT, CODING = "to", "to_digits", "text", "coding"
"""The placeholders of a message: +14155550100, the same without the plus sign, what is said, and in what."""
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_OURS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade"}
)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}.\nPython's re describes them.") from None
    return text


def _pointer(text: str) -> str:
    if not text.startswith("/") or re.search(r"~(?![01])", text):
        raise ValueError('it is no JSON pointer.\nWrite it as "/error/message", or "/messages/0/id".')
    return text


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if _HEADER.fullmatch(name) is None or not value.isascii() or not value.isprintable():
            raise ValueError(
                f'"{name}" can not be sent as a header.\nWrite printable ASCII without line breaks.'
            )
        if name.lower() in _OURS:
            raise ValueError(
                f'"{name}" is made from the request itself.\nRemove it; content_type is a setting.'
            )
    return headers


def _secret_name(name: str) -> str:
    if name in {TO, DIGITS, TEXT, CODING}:
        raise ValueError(f'"{name}" is a part of the message.\nChoose another name for the secret.')
    return name


Pattern = Annotated[str, Field(max_length=1024), AfterValidator(_pattern)]
JsonPointer = Annotated[str, Field(max_length=256), AfterValidator(_pointer)]
Headers = Annotated[dict[str, str], Field(max_length=32), AfterValidator(_headers)]
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$"), AfterValidator(_secret_name)]


def strings_in(value: object) -> Iterator[str]:
    """All strings of a JSON value, its objects' names left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one)


def problem_of_placeholders(places: Mapping[str, tuple[str, ...]], secrets: frozenset[str]) -> str:
    """What is wrong with the placeholders of a request, or an empty text."""
    known = {TO, DIGITS, TEXT, CODING} | secrets
    used: set[str] = set()
    for setting, texts in places.items():
        for text in texts:
            try:
                names = names_in(text)
            except ValueError as error:
                return f"{setting}: {error}"
            if not names <= known:
                unknown = min(names - known)
                return f'{setting}: nothing is called "{{{unknown}}}".\nWrite one of {_listed(known)}.'
            if setting == "headers" and TEXT in names:
                return "headers: no text may stand in a header.\nWrite it into form, json_body, body or url."
            used |= names
    if TEXT not in used or not used & {TO, DIGITS}:
        return "the number or the text is nowhere in the request.\nWrite {to} and {text} where they belong."
    return ""


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
