"""Access tokens: one at a time, kept until shortly before they end.

MUST 1: secrets come from files, read at each request; a refresh token that the provider changes is stored at
        once, in its own file, whole or not at all.
MUST 2: however many messages wait, one request for a token is under way.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.channel import NotSent
from nightlatch_smtp.files import read_line
from nightlatch_smtp.service_account import GRANT, read_account
from nightlatch_smtp.tls import client_context
from nightlatch_smtp.token_request import requested

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch_smtp.oauth_settings import OAuthSettings

EARLY = 120.0
"""Seconds before its end that a token is not used any more, or half its life where that is less."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or a token, for one login."""

    text: str = field(repr=False)
    fresh: bool
    """Whether it was got just now, so that no newer one can be had."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    good_until: float
    """Unix seconds."""


class Tokens:
    """The tokens of one mailbox. `clock` gives Unix seconds."""

    def __init__(self, settings: OAuthSettings, mailbox: str, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._mailbox = mailbox
        self._clock = clock
        self._context = client_context(settings.ca_file)
        self._lock = asyncio.Lock()
        self._held: _Token | None = None
        self._newer_refresh_token = ""

    async def token(self, instead_of: str = "") -> Secret:
        """A token that is good now, and another one than `instead_of`; raises NotSent."""
        async with self._lock:
            held = self._held
            if held is not None and held.text != instead_of and self._clock() < held.good_until:
                return Secret(held.text, fresh=False)
            self._held = held = await self._fetched()
            return Secret(held.text, fresh=True)

    async def _fetched(self) -> _Token:
        try:
            form = self._form()
        except ValueError as error:
            raise NotSent(f"no token can be asked for: {error}") from None
        answer = await requested(self._settings.endpoint, form, self._context)
        if answer.refresh_token and answer.refresh_token != form.get("refresh_token"):
            self._newer_refresh_token = answer.refresh_token
            if self._settings.refresh_token_file is not None:
                await asyncio.to_thread(_stored, self._settings.refresh_token_file, answer.refresh_token)
        life = answer.expires_in - min(EARLY, answer.expires_in / 2)
        return _Token(answer.access_token, self._clock() + life)

    def _form(self) -> dict[str, str]:
        settings = self._settings
        flow, scope = settings.chosen_flow, settings.asked_scope
        if flow == "service_account":
            assert settings.service_account_file is not None
            account = read_account(settings.service_account_file)
            statement = account.statement(self._mailbox, scope, settings.endpoint, self._clock())
            return {"grant_type": GRANT, "assertion": statement}
        form = {"grant_type": flow, "client_id": settings.client_id or ""}
        if scope:
            form["scope"] = scope
        if settings.client_secret_file is not None:
            form["client_secret"] = read_line(settings.client_secret_file)
        if flow == "refresh_token":
            assert settings.refresh_token_file is not None
            form["refresh_token"] = self._newer_refresh_token or read_line(settings.refresh_token_file)
        return form


def _stored(path: Path, refresh_token: str) -> None:
    """Put a newer refresh token in the old one's place if this process may; else it lasts until a restart."""
    target = path.resolve()
    try:
        descriptor, name = tempfile.mkstemp(prefix=".refresh-", dir=target.parent)
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(refresh_token + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
