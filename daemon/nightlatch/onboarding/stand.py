"""Where the dialogue stands: what of it travels in the login's ticket.

MUST 1: it travels sealed, and no step ever shows a new credential's secret again.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from enum import Enum

from nightlatch.model import Credential


class Page(Enum):
    """Which question was asked."""

    GRACE = "grace"
    """Whether to set something up now, or to put it off."""
    OFFER = "offer"
    """The same of somebody who is in already, by a last resort."""
    INVITE = "invite"
    WAY = "way"
    """Which factor to set up."""
    ADDRESS = "address"
    CODE = "code"
    """The answer that proves the new credential."""
    KEPT = "kept"
    """Whether what is shown once has been written down."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A new credential that is not proven yet."""

    id: str
    factor: str
    label: str
    state: bytes = field(repr=False)
    memo: bytes = field(repr=False)
    prompt: str
    echo: bool

    def credential(self, account_id: str) -> Credential:
        """The credential that it will be."""
        return Credential(account_id, self.id, self.factor, self.label, self.state, 0.0)


@dataclass(frozen=True, slots=True)
class Stand:
    """All that the dialogue knows between two calls."""

    page: Page = Page.WAY
    granted: bool = False
    """Whether the login is granted already, so that nothing that fails here keeps the person out."""
    invited: bool = False
    """Whether an invite was spent in this login."""
    factor: str = ""
    """What was chosen."""
    tries: int = 0
    """Answers to this question that were of no use."""
    asked: int = 0
    """Questions so far."""
    waiting: Waiting | None = None

    def text(self) -> str:
        """For the ticket."""
        waiting = self.waiting
        fields = [self.page.value, self.granted, self.invited, self.factor, self.tries, self.asked]
        if waiting is not None:
            sealed = (b64encode(part).decode() for part in (waiting.state, waiting.memo))
            fields += [waiting.id, waiting.factor, waiting.label, *sealed, waiting.prompt, waiting.echo]
        return json.dumps(fields)

    @classmethod
    def of(cls, text: str) -> Stand:
        """Where a ticket says that the dialogue stands."""
        page, granted, invited, factor, tries, asked, *rest = json.loads(text)
        waiting = None
        if rest:
            identity, kind, label, state, memo, prompt, echo = rest
            waiting = Waiting(identity, kind, label, b64decode(state), b64decode(memo), prompt, echo)
        return cls(Page(page), granted, invited, factor, tries, asked, waiting)
