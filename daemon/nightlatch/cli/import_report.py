"""What an import's report says: as a table for people, and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nightlatch.cli.output import print_table, say
from nightlatch.v1 import import_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.cli.failure import Failure
    from nightlatch.importing.found import Found
    from nightlatch.v1.import_pb2 import ImportCredentialsResponse

_OUTCOMES = {
    import_pb2.IMPORT_OUTCOME_IMPORTED: "imported",
    import_pb2.IMPORT_OUTCOME_PRESENT: "present",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one credential."""

    person: str
    label: str
    outcome: str
    """imported, present, skipped."""
    detail: str = ""
    """Why it was skipped, or what is different from now on."""
    directory: str = ""
    factor: str = ""
    credential_id: str = ""


def rows_of(owner: str, found: Sequence[Found], answer: ImportCredentialsResponse) -> list[Row]:
    """The daemon's answer for one person. What it does not know counts as skipped."""
    return [
        Row(
            answer.account.name or owner,
            one.label,
            _OUTCOMES.get(result.outcome, "skipped"),
            one.note if result.outcome == import_pb2.IMPORT_OUTCOME_IMPORTED else result.reason,
            answer.account.directory,
            result.factor,
            result.credential_id,
        )
        for one, result in zip(found, answer.results, strict=True)
    ]


def tell(rows: Sequence[Row], *, dry_run: bool) -> None:
    """Print the report for people; what was skipped comes last, where it is seen."""
    order = ("imported", "present", "skipped")
    sorted_rows = sorted(rows, key=lambda row: (order.index(row.outcome), row.person))
    shown = [(row.outcome, _who(row), row.factor, row.label, row.detail) for row in sorted_rows]
    marks = {"imported": "green", "skipped": "bold red"}
    print_table(("", "person", "factor", "name", "because"), shown, marks)
    counts = Counter(row.outcome for row in rows)
    would = "would be " if dry_run else ""
    say(
        f"\n{counts['imported']:,} {would}imported, {counts['present']:,} there already, "
        f"{counts['skipped']:,} skipped."
    )
    if counts["imported"] and not dry_run:
        say(
            "Codes that were shown before now are not accepted: the next one is, a minute from now. "
            "Delete the source: it holds everybody's secrets."
        )


def _who(row: Row) -> str:
    return f"{row.person} ({row.directory})" if row.directory else row.person


def told_json(rows: Sequence[Row], *, dry_run: bool, stopped: Failure | None) -> dict[str, object]:
    """The report for programs."""
    counts = Counter(row.outcome for row in rows)
    return {
        "dry_run": dry_run,
        "counts": {outcome: counts[outcome] for outcome in ("imported", "present", "skipped")},
        "credentials": [asdict(row) for row in rows],
        "stopped": None if stopped is None else {"status": stopped.status, "message": stopped.message},
    }
