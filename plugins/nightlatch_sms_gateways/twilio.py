"""Sends by the HTTP interface of Twilio, which other gateways speak as well.

MUST 1: sent is what was answered with a 2xx, a message id and no failed state; everything else was not sent.
MUST 2: a message is asked for once.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from nightlatch.channel import NotSent, Receipt
from nightlatch_sms_gateways.https import Https
from nightlatch_sms_gateways.number import checked_number
from nightlatch_sms_gateways.secret_files import Secret, read_secret
from nightlatch_sms_gateways.trust import trusting
from nightlatch_sms_gateways.wording import Private

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.channel import Message
    from nightlatch_sms_gateways.https import Answer
    from nightlatch_sms_gateways.twilio_settings import TwilioSettings

BAD_ADDRESS = frozenset({21211, 21217, 21610, 21614})
"""Twilio's errors for a number that is none, takes no SMS, or has opted out (twilio.com/docs/api/errors)."""
CREDENTIALS = frozenset({20003, 20404})
SLOW_DOWN = frozenset({20429, 14107, 30022})
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FAILED = frozenset({"failed", "undelivered", "canceled"})


@dataclass(frozen=True, slots=True)
class _Reply:
    """The parts of an answer that matter; what is missing or of another type is empty."""

    sid: str
    state: str
    code: int
    words: str


class TwilioChannel:
    """One account at a gateway that speaks as Twilio does."""

    def __init__(self, settings: TwilioSettings, words: Callable[[Message], str]) -> None:
        """`words` gives a message its text. Raises ValueError for a file that is of no use."""
        self._settings = settings
        self._words = words
        self._token = read_secret("auth_token_file", settings.auth_token_file)
        pair = f"{settings.api_key or settings.account_sid}:{self._token.reveal()}"
        self._pair = Secret(base64.b64encode(pair.encode()).decode())
        self._https = Https(trusting(settings.ca_file))
        self._url = f"{settings.base_url}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        """Send one SMS within `deadline` seconds; the receipt has the message's SID. Raises NotSent."""
        text = self._words(message)
        request = self._request(checked_number(address), text)
        secrets = (self._token.reveal(), self._pair.reveal())
        private = Private(address, (text, *message.values.values(), *secrets))
        answer = await self._https.ask(request, deadline)
        reply = _read(answer)
        taken = 200 <= answer.status < 300 and reply.state not in _FAILED  # noqa: PLR2004, the 2xx of HTTP
        if taken and _ID.fullmatch(reply.sid):
            return Receipt(reply.sid)
        raise _refusal(answer, reply, private)

    async def close(self) -> None:
        """Let go of connections."""
        await self._https.close()

    def _request(self, number: str, text: str) -> httpx.Request:
        form = {"To": number, "Body": text}
        if self._settings.sender is not None:
            form["From"] = self._settings.sender
        else:
            form["MessagingServiceSid"] = self._settings.messaging_service_sid or ""
        headers = {"Authorization": f"Basic {self._pair.reveal()}", "Accept": "application/json"}
        return httpx.Request("POST", self._url, data=form, headers=headers)


def _read(answer: Answer) -> _Reply:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    fields = found if isinstance(found, dict) else {}
    code = fields.get("code") or fields.get("error_code")
    words = fields.get("message") or fields.get("error_message")
    return _Reply(
        sid=sid if isinstance(sid := fields.get("sid"), str) else "",
        state=state if isinstance(state := fields.get("status"), str) else "",
        code=code if isinstance(code, int) else 0,
        words=words if isinstance(words, str) else "",
    )


def _refusal(answer: Answer, reply: _Reply, private: Private) -> NotSent:
    said = private.clean(reply.words) or answer.title
    number = f" ({answer.title}, error {reply.code})" if reply.code else ""
    if reply.code in BAD_ADDRESS:
        return NotSent(f"{said}{number}", permanent=True)
    if reply.code in CREDENTIALS or answer.status in {401, 403}:
        return NotSent(
            f"the gateway refuses the account: {said}{number}; look at account_sid and auth_token_file"
        )
    if reply.code in SLOW_DOWN or answer.status == 429:  # noqa: PLR2004, Too Many Requests
        return NotSent(f"the gateway is asked too often: {said}{number}{answer.pause}")
    if 200 <= answer.status < 300 and not reply.words:  # noqa: PLR2004, the 2xx of HTTP
        state = f'state "{private.clean(reply.state)}"' if reply.state in _FAILED else "no message id"
        return NotSent(f"{answer.title} came with {state}: base_url may be no gateway like Twilio")
    return NotSent(f"{said}{number}{answer.pause}")
