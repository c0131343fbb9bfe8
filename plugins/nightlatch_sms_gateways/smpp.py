"""Sends by SMPP 3.4, over one session that is kept.

MUST 1: sent is what the server took with status 0, every part of it.
MUST 2: a part is submitted once; a session that ends takes the messages on it with it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

from nightlatch.channel import NotSent, Receipt
from nightlatch_sms_gateways.addresses import is_this_host
from nightlatch_sms_gateways.number import checked_number
from nightlatch_sms_gateways.secret_files import read_secret
from nightlatch_sms_gateways.smpp_link import Account, Link
from nightlatch_sms_gateways.smpp_pdu import meaning
from nightlatch_sms_gateways.smpp_session import SessionEnded
from nightlatch_sms_gateways.smpp_text import encoded
from nightlatch_sms_gateways.trust import trusting

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.channel import Delivery, Message
    from nightlatch_sms_gateways.smpp_pdu import Pdu
    from nightlatch_sms_gateways.smpp_receipts import Receipts
    from nightlatch_sms_gateways.smpp_session import Session
    from nightlatch_sms_gateways.smpp_settings import SmppSettings
    from nightlatch_sms_gateways.smpp_text import Encoded

LONGEST_PASSWORD = 8
"""Characters of a password in a bind (section 4.1.5)."""
BAD_ADDRESS = frozenset({0x0B})
"""Invalid destination address (section 5.1.3)."""
SLOW_DOWN = frozenset({0x14, 0x58})
"""Message queue full, and throttled."""
INTERNATIONAL, ALPHANUMERIC, UNKNOWN = 1, 5, 0
ISDN = 1
UDH, SMSC_RECEIPT = 0x40, 0x01


class SmppChannel:
    """One account at an SMPP server."""

    def __init__(self, settings: SmppSettings, words: Callable[[Message], str]) -> None:
        """`words` gives a message its text. Raises ValueError for a file that is of no use."""
        self._report: Receipts = lambda _receipt: None
        self._settings = settings
        self._words = words
        password = read_secret("password_file", settings.password_file)
        if len(password.reveal()) > LONGEST_PASSWORD:
            raise ValueError(f"password_file: SMPP's passwords have up to {LONGEST_PASSWORD} letters.")
        context = trusting(settings.ca_file) if settings.tls else None
        self._link = Link(Account(settings, password, context), self._take)
        self._window = asyncio.Semaphore(settings.window)
        self._references = itertools.cycle(range(256))
        if not settings.tls and not is_this_host(settings.server[0]):
            logging.getLogger(__name__).warning(
                "smpp:// sends codes and the password unencrypted: keep it inside a VPN, or write smpps://"
            )

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        """Send one message within `deadline` seconds; the receipt has its parts' ids. Raises NotSent."""
        number = checked_number(address)
        try:
            text = encoded(self._words(message), self._settings.alphabet, next(self._references))
        except ValueError as error:
            raise NotSent(str(error), permanent=True) from None
        try:
            async with asyncio.timeout(deadline):
                session = await self._link.session()
                answers = await self._submit_all(session, number, text)
        except TimeoutError:
            raise NotSent(f"the server did not answer within {deadline:g} s") from None
        except SessionEnded as ended:
            raise NotSent(f"the server did not answer: {ended}") from None
        for answer in answers:
            _check(answer)
        return Receipt(",".join(answer.message_id for answer in answers))

    async def close(self) -> None:
        """Unbind, and let go of the connection."""
        await self._link.close()

    def report_to(self, take: Callable[[Delivery], None]) -> None:
        """Give every delivery receipt to `take`."""
        self._report = take

    def _take(self, receipt: Delivery) -> None:
        self._report(receipt)

    async def _submit_all(self, session: Session, number: str, text: Encoded) -> list[Pdu]:
        fields = self._fields(number, text)
        return await asyncio.gather(*(self._submit(session, fields, part) for part in text.parts))

    async def _submit(self, session: Session, fields: dict[str, str | int], part: bytes) -> Pdu:
        async with self._window:
            return await session.request("submit_sm", short_message=part, **fields)

    def _fields(self, number: str, text: Encoded) -> dict[str, str | int]:
        """The fields of a submit_sm (section 4.4.1) that its parts share."""
        sender = self._settings.sender
        kind = INTERNATIONAL if sender.startswith("+") else UNKNOWN if sender.isdigit() else ALPHANUMERIC
        return {
            "service_type": "",
            "source_addr_ton": kind,
            "source_addr_npi": ISDN if kind == INTERNATIONAL else UNKNOWN,
            "source_addr": sender.removeprefix("+"),
            "dest_addr_ton": INTERNATIONAL,
            "dest_addr_npi": ISDN,
            "destination_addr": number.removeprefix("+"),
            "esm_class": UDH if text.has_header else 0,
            "protocol_id": 0,
            "priority_flag": 0,
            "schedule_delivery_time": "",
            "validity_period": "",
            "registered_delivery": SMSC_RECEIPT,
            "replace_if_present_flag": 0,
            "data_coding": text.data_coding,
            "sm_default_msg_id": 0,
        }


def _check(answer: Pdu) -> None:
    """Raise NotSent for everything but a submit_sm_resp with status 0."""
    status = answer.header.status
    if status in BAD_ADDRESS:
        raise NotSent(f"the server refuses the number: {meaning(status)}", permanent=True)
    if status in SLOW_DOWN:
        raise NotSent(f"the server is asked too often: {meaning(status)}")
    if status or answer.header.command != "submit_sm_resp":
        raise NotSent(f"the server refuses the message: {meaning(status)}")
