"""One signed request.

``Nightlatch-Signature: t=1700000000,v1=HEX`` is HMAC-SHA256 with the shared secret over the time, a full
stop, and the body as it is; a receiver that also looks at the time refuses repetitions.

MUST 1: the certificate is checked, no redirect is followed, and nothing is taken from the environment.
MUST 2: the secret leaves this module in no form but that of the signature.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from nightlatch.model import Secret
    from nightlatch.ports import Clock
    from nightlatch.webhook.target import WebhookTarget

SECONDS = 10.0
"""How long a receiver may take for one."""
NEVER_TAKEN = frozenset({400, 413, 415, 422})
"""Answers about this one event; others are about the receiver, or about us."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a receiver has not taken something."""

    reason: str
    of_this_event: bool = False
    """Whether it is this event that it does not take."""


class Post:
    """Sends to one address."""

    def __init__(self, target: WebhookTarget, clock: Clock) -> None:
        self._target = target
        self._clock = clock

    async def send(self, name: str, identity: str, body: bytes) -> Failure | None:
        """Send it once; what went wrong."""
        headers = {
            "Content-Type": "application/json",
            "Nightlatch-Event": name,
            "Nightlatch-Delivery": identity,
            "Nightlatch-Signature": signature(self._target.secret, int(self._clock.now()), body),
        }
        request = httpx.Request("POST", self._target.url, headers=headers, content=body)
        transport = httpx.AsyncHTTPTransport(verify=self._target.trust, trust_env=False)
        try:
            async with asyncio.timeout(SECONDS), transport:
                response = await transport.handle_async_request(request)
                await response.aclose()
        except TimeoutError:
            return Failure(f"no answer within {SECONDS:g} s")
        except (httpx.HTTPError, OSError) as error:
            return Failure(f"{type(error).__name__}: {error}")
        if response.is_success:
            return None
        return Failure(f"HTTP {response.status_code}", response.status_code in NEVER_TAKEN)


def signature(secret: Secret, at: int, body: bytes) -> str:
    """The header by which a receiver knows us."""
    mac = hmac.new(secret.reveal().encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
