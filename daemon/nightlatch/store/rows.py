"""How values become columns, and columns values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nightlatch.model import AuditEvent, LimitState, Result

if TYPE_CHECKING:
    from nightlatch.store.database import Row

FRESH = "{}"
"""A limiter's state that remembers nothing."""

_LIMIT_FIELDS = {"failures", "in_a_row", "blocked_until", "disabled"}
_LONGEST_TEXT = 256
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps builds an encoder for each call


def limit_text(state: LimitState) -> str:
    """A limiter's state as JSON, without what is as in a fresh one."""
    fields: dict[str, object] = {}
    if state.failures:
        fields["failures"] = state.failures
    if state.in_a_row:
        fields["in_a_row"] = state.in_a_row
    if state.blocked_until:
        fields["blocked_until"] = state.blocked_until
    if state.disabled:
        fields["disabled"] = True
    return _ENCODE(fields) if fields else FRESH


def limit_state(text: str) -> LimitState:
    """A limiter's state from its JSON; raises ValueError for anything that `limit_text` does not write."""
    if text == FRESH:
        return LimitState()
    fields = json.loads(text)
    if not isinstance(fields, dict) or not fields.keys() <= _LIMIT_FIELDS:
        raise ValueError("a limiter's state is malformed")
    return LimitState(
        failures=tuple(map(float, fields.get("failures", ()))),
        in_a_row=int(fields.get("in_a_row", 0)),
        blocked_until=float(fields.get("blocked_until", 0.0)),
        disabled=bool(fields.get("disabled", False)),
    )


def audit_row(event: AuditEvent, at: float) -> tuple[object, ...]:
    """An audit event in the order of `Statements.put_audit`, each text bounded and on one line (AUD-02)."""
    texts: tuple[str, ...] = (
        event.reason,
        event.reference,
        event.account_id,
        event.user,
        event.service,
        event.source,
        event.factor,
        event.credential_id,
        event.caller,
    )
    together = "".join(texts)
    if len(together) > _LONGEST_TEXT or not together.isprintable():
        texts = tuple(map(_plain, texts))
    return (at, event.event, event.result.value, *texts)


def audit_event(row: Row) -> tuple[float, AuditEvent]:
    """When, and what, from the columns of `Statements.put_audit`."""
    at, event, result, *texts = row
    return at, AuditEvent(event, Result(result), *texts)


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_LONGEST_TEXT])
