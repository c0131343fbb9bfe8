"""One request to a token endpoint (RFC 6749, 5).

MUST 1: over TLS with the certificate checked, and never on to another place: a redirection is not followed.
MUST 2: an answer is bounded, and its complaints are repeated without our secrets.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from nightlatch.channel import NotSent
from nightlatch_smtp.provider_words import said

LARGEST = 64 * 1024
LONGEST_WAIT = 60.0
"""Seconds for one step; the message's own deadline is shorter."""
SHORTEST_LIFE = 60
"""Seconds; for an endpoint that does not tell how long its token lives, or tells nonsense."""
_OK = 200
_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}")
"""RFC 6750, 2.1, and a little more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint gave."""

    access_token: str = field(repr=False)
    expires_in: float
    """Seconds from now."""
    refresh_token: str = field(repr=False)
    """A newer one; empty when the old one stays."""


async def requested(url: str, form: dict[str, str], context: ssl.SSLContext) -> Answer:
    """Ask for a token; raises NotSent. Has no time limit of its own: the caller has one."""
    where = f"the token endpoint {urlsplit(url).hostname}"
    hidden = [form[name] for name in ("client_secret", "refresh_token", "assertion") if name in form]
    try:
        status, body = await _posted(url, form, context)
    except (httpx.HTTPError, OSError) as error:
        why = _wrong_certificate(error)
        if why:
            raise NotSent(f"{where} has a certificate that is not trusted: {why}") from None
        raise NotSent(f"{where} can not be reached: {said(str(error), hidden)}") from None
    content = _object(body)
    if status != _OK or "access_token" not in content:
        raise NotSent(
            f"{where} refused: {said(_complaint(content), hidden) or 'without a reason'} (HTTP {status})"
        )
    token, newer = content["access_token"], content.get("refresh_token", "")
    if not isinstance(token, str) or not isinstance(newer, str) or not _TOKEN.fullmatch(token):
        raise NotSent(f"{where} gave something that is no token")
    return Answer(token, _lifetime(content.get("expires_in")), newer)


async def _posted(url: str, form: dict[str, str], context: ssl.SSLContext) -> tuple[int, bytes]:
    async with (
        httpx.AsyncClient(verify=context, timeout=LONGEST_WAIT, trust_env=False) as client,
        client.stream("POST", url, data=form, headers={"Accept": "application/json"}) as answer,
    ):
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > LARGEST:
                break
        return answer.status_code, body


def _wrong_certificate(error: BaseException | None) -> str:
    """What is wrong with the endpoint's certificate, if that lies under the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""


def _object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and len(body) <= LARGEST else {}


def _complaint(content: dict[str, object]) -> str:
    parts = (content.get("error"), content.get("error_description"))
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _lifetime(given: object) -> float:
    if isinstance(given, str) and given.isdecimal():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 10**7:
        return SHORTEST_LIFE
    return float(given)
