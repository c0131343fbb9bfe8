"""An email as it goes over the wire.

MUST 1: no header has a line break that is not ours: values with one never get here, and Python's policy
        refuses them again (OOB-05).
MUST 2: seven bits only, so that any server takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch_messages import EmailWords

_SEVEN_BITS = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes."""

    address: str
    name: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One email for one address."""

    sender: str
    recipient: str
    content: bytes = field(repr=False)


def composed(words: EmailWords, sender: Sender, recipient: str, date: str, message_id: str) -> Mail:
    """Words with headers. Both addresses are ASCII mailboxes; `date` is RFC 5322's."""
    email = EmailMessage(policy=_SEVEN_BITS)
    email["From"] = Address(sender.name, addr_spec=sender.address)
    email["To"] = Address(addr_spec=recipient)
    if sender.reply_to:
        email["Reply-To"] = Address(addr_spec=sender.reply_to)
    email["Subject"] = words.subject
    email["Date"] = date
    email["Message-ID"] = message_id
    # Out-of-office programs answer neither (RFC 3834; the second is Exchange's).
    email["Auto-Submitted"] = "auto-generated"
    email["X-Auto-Response-Suppress"] = "All"
    email.set_content(words.text)
    email.add_alternative(words.html, subtype="html")
    return Mail(sender.address, recipient, email.as_bytes())
