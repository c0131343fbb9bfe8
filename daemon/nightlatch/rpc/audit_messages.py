"""Between the audit's values and the API's messages, both ways: the command line reads them with this too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.audit.findings import Finding, FindingKind
from nightlatch.errors import Invalid
from nightlatch.model import AuditEvent, AuditRow, Result
from nightlatch.rpc.values import timestamp
from nightlatch.v1 import audit_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

RESULTS = {
    Result.GRANTED: audit_pb2.AUDIT_RESULT_GRANTED,
    Result.PASSED: audit_pb2.AUDIT_RESULT_PASSED,
    Result.REFUSED: audit_pb2.AUDIT_RESULT_REFUSED,
    Result.LOCKED: audit_pb2.AUDIT_RESULT_LOCKED,
    Result.UNAVAILABLE: audit_pb2.AUDIT_RESULT_UNAVAILABLE,
    Result.CHANGED: audit_pb2.AUDIT_RESULT_CHANGED,
}
_OF_MESSAGES = {message: result for result, message in RESULTS.items()}
_KINDS = {
    FindingKind.EDITED: audit_pb2.AUDIT_FINDING_KIND_EDITED,
    FindingKind.REMOVED: audit_pb2.AUDIT_FINDING_KIND_REMOVED,
    FindingKind.REORDERED: audit_pb2.AUDIT_FINDING_KIND_REORDERED,
    FindingKind.CUT: audit_pb2.AUDIT_FINDING_KIND_CUT,
    FindingKind.ADDED: audit_pb2.AUDIT_FINDING_KIND_ADDED,
    FindingKind.FORGED_HEAD: audit_pb2.AUDIT_FINDING_KIND_FORGED_HEAD,
    FindingKind.DAMAGED_TABLE: audit_pb2.AUDIT_FINDING_KIND_DAMAGED_TABLE,
}
_KINDS_OF_MESSAGES = {message: kind for kind, message in _KINDS.items()}


def results_of(messages: Iterable[audit_pb2.AuditResult.ValueType]) -> tuple[Result, ...]:
    """Results that are asked for; raises Invalid for one that does not exist."""
    try:
        return tuple(_OF_MESSAGES[message] for message in messages)
    except KeyError:
        raise Invalid("there is no such result") from None


def event_message(row: AuditRow) -> audit_pb2.AuditEvent:
    """A row as the API has it."""
    event = row.event
    return audit_pb2.AuditEvent(
        id=row.id,
        time=timestamp(row.at),
        event=event.event,
        result=RESULTS[event.result],
        reason=event.reason,
        facts=event.facts,
        reference=event.reference,
        account_id=event.account_id,
        user=event.user,
        service=event.service,
        source=event.source,
        factor=event.factor,
        credential_id=event.credential_id,
        caller=event.caller,
        writer=row.writer,
        sequence=row.sequence,
        chain=row.chain,
        at=row.at,
    )


def row_of(message: audit_pb2.AuditEvent) -> AuditRow:
    """The row in a message."""
    event = AuditEvent(
        event=message.event,
        result=_OF_MESSAGES[message.result],
        reason=message.reason,
        reference=message.reference,
        account_id=message.account_id,
        user=message.user,
        service=message.service,
        source=message.source,
        factor=message.factor,
        credential_id=message.credential_id,
        caller=message.caller,
        facts=message.facts,
    )
    return AuditRow(message.id, message.at, event, message.writer, message.sequence, message.chain)


def finding_message(finding: Finding) -> audit_pb2.AuditFinding:
    """A finding as the API has it."""
    return audit_pb2.AuditFinding(
        kind=_KINDS[finding.kind],
        words=finding.words,
        writer=finding.writer,
        first=finding.first,
        last=finding.last,
        row_id=finding.row_id,
        time=timestamp(finding.at) if finding.at else None,
    )


def finding_of(message: audit_pb2.AuditFinding) -> Finding:
    """The finding in a message."""
    return Finding(
        _KINDS_OF_MESSAGES[message.kind],
        message.words,
        message.writer,
        message.first,
        message.last,
        message.row_id,
        message.time.ToNanoseconds() / 1e9,
    )
