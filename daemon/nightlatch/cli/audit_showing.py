"""Audit rows and findings, for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.audit.findings import Finding, FindingKind
from nightlatch.cli.output import print_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.model import AuditRow
    from nightlatch.v1.audit_pb2 import VerifyAuditResponse

FEW_FINDINGS = 100
_DAMAGED = (
    "The audit's tables are not as nightlatch made them: rows could not be looked at, and where"
    " nothing can be recorded, nobody gets in. Keep a copy of the database as it is, and find out who"
    " changed it, or which restore did not end. What was only renamed can be given its name back;"
    " else put a whole backup back (nightlatch store restore; on PostgreSQL pg_restore and nightlatch"
    " store restored). Then verify again."
)


def print_rows(rows: Sequence[AuditRow], *, header: bool) -> None:
    """Rows as a table."""
    print_table(
        ("time", "person", "where", "event", "result", "because") if header else ("",) * 6,
        [
            (
                local(row.at),
                row.event.user or row.event.account_id,
                where(row),
                _event(row),
                row.event.result.value,
                row.event.reason,
            )
            for row in rows
        ],
    )


def row_words(row: AuditRow) -> str:
    """A row as one line."""
    event = row.event
    parts = (
        local(row.at),
        event.result.value,
        _event(row),
        event.user or event.account_id,
        where(row),
        event.reason,
    )
    return "  ".join(part for part in parts if part)


def where(row: AuditRow) -> str:
    """Where somebody wanted to get in, and from where: "sshd 10.1.2.3"."""
    event = row.event
    return " ".join(part for part in (event.service, event.source) if part)


def _event(row: AuditRow) -> str:
    return f"{row.event.event} ({row.event.factor})" if row.event.factor else row.event.event


def local(at: float) -> str:
    """A time as people here read it, with seconds."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def local_clock(at: float) -> str:
    """The time of day, as people here read it."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")


def verification_words(last: VerifyAuditResponse, findings: Sequence[Finding]) -> None:
    """What a verification has found, for people."""
    chained = last.rows - last.before_the_chain
    rows = f"{chained:,} rows of {last.writers} writer{'s' * (last.writers != 1)}"
    before = f", and {last.before_the_chain:,} from before the chain, of which nothing is known"
    told = f"{rows}{before if last.before_the_chain else ''}"
    if not findings:
        say(f"{told}: all are as they were written, and none is missing.")
        return
    say(f"{told}: {len(findings)} finding{'s' * (len(findings) != 1)}.\n")
    print_table(
        ("what", "writer", "row", "written", "finding"),
        [
            (
                one.kind.value.replace("_", " "),
                one.writer,
                f"id {one.row_id}" if one.row_id else "",
                local(one.at) if one.at else "",
                one.words,
            )
            for one in findings[:FEW_FINDINGS]
        ],
    )
    if len(findings) > FEW_FINDINGS:
        say(f"and {len(findings) - FEW_FINDINGS:,} more; --json lists them.")
    if FindingKind.DAMAGED_TABLE in {one.kind for one in findings}:
        say(f"\n{_DAMAGED}")


def verification_json(last: VerifyAuditResponse, findings: Sequence[Finding]) -> dict[str, object]:
    """The same for programs."""
    return {
        "rows": last.rows,
        "writers": last.writers,
        "before_the_chain": last.before_the_chain,
        "findings": [
            {
                "kind": one.kind.value,
                "words": one.words,
                "writer": one.writer,
                "first": one.first,
                "last": one.last,
                "id": one.row_id,
                "at": one.at or None,
            }
            for one in findings
        ],
    }
