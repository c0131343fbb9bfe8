"""How values become columns, and columns values."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, TypeGuard

from nightlatch.model import AuditEvent, AuditRow, LimitState, Result, Standing

if TYPE_CHECKING:
    from nightlatch.store.database import Row

AUDIT_TEXTS = (
    "event, result, reason, reference, account_id, user_name, service, source,"
    " factor, credential_id, caller, facts"
)
"""The columns of an audit event, in the order in which they are chained."""
FRESH = "{}"
"""A limiter's state, or a standing, that remembers nothing."""

_LIMIT_FIELDS = {"failures", "in_a_row", "blocked_until", "disabled", "barred"}
_STANDING_FIELDS: dict[str, type] = {
    "grace_started_at": float,
    "grace_logins": int,
    "invite": str,
    "invite_expires_at": float,
    "disabled_at": float,
    "reset": str,
    "reset_expires_at": float,
    "rescued_at": float,
}
_STANDING_PAIRS = ("sessions", "holds")
"""Texts with their ends."""
_FRESH_STANDING = Standing()
_LONGEST_TEXT = 256
_LAST_TIME = 253_402_300_000.0  # the year 9999, where dates end
_RESULTS = {result.value: result for result in Result}
_MALFORMED_EVENT = AuditEvent("malformed", Result.UNAVAILABLE, "this row was not written by nightlatch", "")
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps builds an encoder for each call
_ENCODE_FINITE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


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
    if state.barred:
        fields["barred"] = True
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
        barred=bool(fields.get("barred", False)),
    )


def standing_text(standing: Standing) -> str:
    """A standing as JSON, without what is as in a fresh one; raises ValueError for a time without end.

    The invite in it is a keyed hash already, and needs no seal.
    """
    fields: dict[str, object] = {}
    for name, kind in _STANDING_FIELDS.items():
        value = getattr(standing, name)
        if value != getattr(_FRESH_STANDING, name):
            fields[name] = kind(value)
    for name in _STANDING_PAIRS:
        pairs = getattr(standing, name)
        if pairs:
            fields[name] = [(identity, float(end)) for identity, end in pairs]
    return _ENCODE_FINITE(fields) if fields else FRESH


def standing_of(text: str) -> Standing:
    """A standing from its JSON; raises ValueError for anything that `standing_text` does not write."""
    if text == FRESH:
        return _FRESH_STANDING
    fields = json.loads(text)
    sessions, holds = (_popped(fields, name) for name in _STANDING_PAIRS)
    if not (_are_pairs(sessions) and _are_pairs(holds) and all(_of_standing(*one) for one in fields.items())):
        raise ValueError("a standing is malformed")
    return Standing(**fields, sessions=_pairs(sessions), holds=_pairs(holds))


def _popped(fields: object, name: str) -> object:
    return fields.pop(name, []) if isinstance(fields, dict) else None


def _pairs(value: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple((identity, end) for identity, end in value)


def _are_pairs(value: object) -> TypeGuard[list[tuple[str, float]]]:
    return isinstance(value, list) and all(
        isinstance(one, list) and [type(part) for part in one] == [str, float] and math.isfinite(one[1])
        for one in value
    )


def _of_standing(name: str, value: object) -> bool:
    kind = _STANDING_FIELDS.get(name)
    # An exact type: true is an int for Python, and a null here would lift what somebody has set.
    return type(value) is kind and not (isinstance(value, float) and not math.isfinite(value))


def audit_row(event: AuditEvent, at: float) -> tuple[object, ...]:
    """The time, and an event in the order of `AUDIT_TEXTS`, each text bounded and on one line (AUD-02)."""
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
        event.facts,
    )
    together = "".join(texts)
    if len(together) > _LONGEST_TEXT or not together.isprintable():
        texts = tuple(map(plain, texts))
    return (at, event.event, event.result.value, *texts)


def audit_event(row: Row) -> tuple[float, AuditEvent]:
    """When, and what, from the columns of `AUDIT_TEXTS` behind the time; it says what no daemon wrote."""
    at, *texts = row
    if _is_time(at) and set(map(type, texts)) == {str} and max(map(len, texts)) <= _LONGEST_TEXT:
        event, result, *others = texts
        if result in _RESULTS:
            return at, AuditEvent(event, _RESULTS[result], *others)
    return 0.0, _MALFORMED_EVENT


def stored_audit_row(row: Row) -> AuditRow:
    """A row of `Statements.audit_columns`; one that no daemon has written fits no chain, and raises not."""
    number, *columns, writer, sequence, chain = row
    place = sequence if type(sequence) is int else 0
    link = chain if type(chain) is bytes else b""
    # Nothing is converted: a number in place of a link would become as many bytes.
    if place == sequence and type(writer) is str and len(writer) <= _LONGEST_TEXT:
        at, event = audit_event(tuple(columns))
        return AuditRow(number, at, event, writer, place, link)
    # Never an empty writer for one that is not: that would be a row from before the chain.
    return AuditRow(number, 0.0, _MALFORMED_EVENT, plain(str(writer)), place, link)


def misplaced_row(row: Row) -> AuditRow:
    """A row of `Statements.misplaced`, as far as it can be told."""
    number, at, writer = row
    named = plain(writer) if isinstance(writer, str) else ""
    return AuditRow(number, at if _is_time(at) else 0.0, _MALFORMED_EVENT, named)


def _is_time(at: object) -> bool:
    return type(at) is float and 0 <= at < _LAST_TIME


def plain(text: str) -> str:
    """A text that is bounded and on one line."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_LONGEST_TEXT])
