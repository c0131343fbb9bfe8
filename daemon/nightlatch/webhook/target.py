"""Who is told, of which events, and in which words."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.model import Result
from nightlatch.webhook.feed import AuditChoice

if TYPE_CHECKING:
    import ssl

    from nightlatch.model import AuditEvent, AuditRow, Secret

FALLBACK = "login.fallback"
"""Somebody was let in by a recovery code, an emergency code or the like."""
_PAUSE = re.compile(r"(?:^| )pause=(\d{1,9})(?: |$)")


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Who is told of what."""

    url: str
    secret: Secret
    events: tuple[str, ...]
    """Names, and beginnings of names that end in a full stop."""
    trust: ssl.SSLContext
    fallbacks: frozenset[str] = frozenset()
    """Factors whose use is told as `FALLBACK`."""

    def choice(self) -> AuditChoice:
        """Which rows of the audit may be wanted."""
        names = tuple(one for one in self.events if not one.endswith("."))
        beginnings = tuple(one for one in self.events if one.endswith("."))
        fallbacks = tuple(sorted(self.fallbacks)) if self._wants(FALLBACK) else ()
        return AuditChoice(names, beginnings, fallbacks)

    def name_of(self, event: AuditEvent) -> str:
        """What an event is called here; empty where it is not wanted."""
        name = event.event
        if event.result is Result.GRANTED and event.factor in self.fallbacks:
            name = FALLBACK
        return name if self._wants(name) else ""

    def _wants(self, name: str) -> bool:
        return any(name == one or (one.endswith(".") and name.startswith(one)) for one in self.events)


def identity_of(row: AuditRow) -> str:
    """The id of what is told of a row: the same whenever, and by whichever daemon, it is told."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"nightlatch audit {row.writer} {row.sequence} {row.id}"))


def body_of(row: AuditRow, name: str, identity: str) -> bytes:
    """What is told of a row, in JSON; what is empty is left out."""
    event = row.event
    time = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    pause = _PAUSE.search(event.facts)
    details: dict[str, object] = {
        "account": event.account_id,
        "user": event.user,
        "result": event.result.value,
        "reason": event.reason,
        "facts": event.facts,
        "service": event.service,
        "source": event.source,
        "factor": event.factor,
        "credential": event.credential_id,
        "caller": event.caller,
        "reference": event.reference,
        "seconds": int(pause[1]) if pause else 0,
    }
    told = {key: value for key, value in details.items() if value}
    return json.dumps({"id": identity, "event": name, "time": time, **told}, ensure_ascii=False).encode()
