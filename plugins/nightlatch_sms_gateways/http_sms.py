"""Sends by any HTTP interface, described by a template of its request.

MUST 1: each value is escaped for its place, and the host is the configured one.
MUST 2: a message is asked for once.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import httpx

from nightlatch_sms_gateways.http_answer import receipt_for
from nightlatch_sms_gateways.http_checks import CODING, DIGITS, TEXT, TO
from nightlatch_sms_gateways.https import Https
from nightlatch_sms_gateways.number import checked_number
from nightlatch_sms_gateways.placeholders import as_it_is, filled, in_form, in_json, in_url, in_xml
from nightlatch_sms_gateways.secret_files import Secret, read_secret
from nightlatch_sms_gateways.smpp_text import is_gsm7
from nightlatch_sms_gateways.trust import trusting
from nightlatch_sms_gateways.wording import Private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from nightlatch.channel import Message, Receipt
    from nightlatch_sms_gateways.http_settings import HttpSmsSettings
    from nightlatch_sms_gateways.placeholders import Escape


class HttpSmsChannel:
    """One gateway with an HTTP interface of its own."""

    def __init__(self, settings: HttpSmsSettings, words: Callable[[Message], str]) -> None:
        """`words` gives a message its text. Raises ValueError for a file that is of no use."""
        self._settings = settings
        self._words = words
        self._secrets = {
            name: read_secret(f"secrets.{name}", path) for name, path in settings.secrets.items()
        }
        self._basic = _basic(settings)
        self._https = Https(trusting(settings.ca_file))

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        """Send one SMS within `deadline` seconds; the receipt has the id, if there is one. Raises NotSent."""
        number, text = checked_number(address), self._words(message)
        secrets = {name: secret.reveal() for name, secret in self._secrets.items()}
        coding = self._settings.coding.gsm7 if is_gsm7(text) else self._settings.coding.unicode
        values = {TO: number, DIGITS: number[1:], TEXT: text, CODING: coding, **secrets}
        credentials = tuple(secret.reveal() for secret in self._basic)
        private = Private(number, (text, *message.values.values(), *secrets.values(), *credentials))
        answer = await self._https.ask(self._request(values), deadline)
        return receipt_for(answer, self._settings, private)

    async def close(self) -> None:
        """Let go of connections."""
        await self._https.close()

    def _request(self, values: Mapping[str, str]) -> httpx.Request:
        settings = self._settings
        headers = {name: filled(value, values, as_it_is) for name, value in settings.headers.items()}
        if self._basic:
            headers["Authorization"] = f"Basic {self._basic[-1].reveal()}"
        url = filled(settings.url, values, in_url)
        content: str | None = None
        if settings.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            fields = settings.form.items()
            content = "&".join(
                f"{in_form(name)}={in_form(filled(one, values, as_it_is))}" for name, one in fields
            )
        elif settings.json_body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(_filled_json(settings.json_body, values))
        elif settings.body is not None:
            headers["Content-Type"] = settings.content_type
            content = filled(settings.body, values, _escape_for(settings.content_type))
        return httpx.Request(settings.method, url, headers=headers, content=content)


def _basic(settings: HttpSmsSettings) -> tuple[Secret, ...]:
    """The password and, last, both parts as the header has them."""
    if settings.password_file is None:
        return ()
    password = read_secret("password_file", settings.password_file)
    pair = f"{settings.username}:{password.reveal()}".encode()
    return (password, Secret(base64.b64encode(pair).decode()))


def _escape_for(content_type: str) -> Escape:
    kind = content_type.partition(";")[0]
    if kind.endswith(("/xml", "+xml")):
        return in_xml
    if kind.endswith(("/json", "+json")):
        return in_json
    return in_form if kind == "application/x-www-form-urlencoded" else as_it_is


def _filled_json(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return filled(value, values, as_it_is)
    if isinstance(value, dict):
        return {name: _filled_json(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled_json(one, values) for one in value]
    return value
