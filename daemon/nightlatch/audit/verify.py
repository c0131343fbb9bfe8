"""Looks at the whole audit: every chain, every head.

MUST 1: heads are read before rows: what is written meanwhile is no finding.
MUST 2: memory does not grow with the number of rows.
MUST 3: a database that answers and has not the audit's tables as they were made is a finding; one that does
        not answer is an outage.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.audit.findings import Finding, FindingKind
from nightlatch.audit.heads import ForgedHead, HeadKind
from nightlatch.audit.walk import ChainWalk
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from nightlatch.audit.evidence import AuditKeys
    from nightlatch.audit.heads import Head
    from nightlatch.model import AuditRow
    from nightlatch.ports import AuditLog

PAGE = 500
"""Rows that are read at once."""
STRETCH = 10_000
"""Rows among which those without a place in a chain are looked for at once."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification has come."""

    rows: int
    """Rows that were looked at, in all."""
    expected: int
    """How many there are at least, as far as heads tell."""
    writers: int
    """Chains that were looked at, in all."""
    before_the_chain: int = 0
    """Rows that an older nightlatch wrote, without a chain; known at the end."""
    findings: tuple[Finding, ...] = ()
    """What was found since the one before."""


async def verify(log: AuditLog, keys: AuditKeys, lines: Iterable[str]) -> AsyncGenerator[Progress, None]:
    """Verify everything, also against heads that were kept elsewhere (`lines`); raises Unavailable.

    Where the tables themselves are damaged that is the last finding: no row behind it was looked at.
    """
    done = Progress(0, 0, 0)
    damage = await log.damage()
    if not damage:
        try:
            async with aclosing(_verify(log, keys, lines)) as pieces:
                async for done in pieces:
                    yield done
        except Unavailable:
            damage = await log.damage()  # somebody may have changed the tables meanwhile
            if not damage:
                raise
    if damage:
        yield replace(done, findings=tuple(map(_damaged, damage)))


async def _verify(log: AuditLog, keys: AuditKeys, lines: Iterable[str]) -> AsyncGenerator[Progress, None]:
    witnessed, found = _witnessed(keys, lines)
    writers = await log.writers()
    walks = {one.writer: ChainWalk(keys, one, witnessed.pop(one.writer, ())) for one in writers}
    found += [_gone(writer, heads) for writer, heads in sorted(witnessed.items())]
    expected = sum(walk.expected for walk in walks.values())
    rows = 0
    yield Progress(0, expected, 0, findings=tuple(found))
    for count, (writer, walk) in enumerate(walks.items(), 1):
        place: int | None = 1
        before = rows
        while place is not None:
            place = await log.chain(writer, place, PAGE, walk.take)
            rows = before + walk.rows
            yield Progress(rows, expected, count, findings=walk.findings())
        walk.finish()
        yield Progress(rows, expected, count, findings=walk.findings())
    beyond: int | None = None
    while (page := await log.misplaced(beyond, STRETCH))[1] is not None:
        misplaced, beyond = page
        rows += len(misplaced)
        yield Progress(rows, expected, len(walks), findings=tuple(map(_misplaced, misplaced)))
    unchained, late = await log.unchained()
    found = []
    if late:
        words = "rows without a chain stand behind chained ones: by an older nightlatch, or somebody else"
        found = [Finding(FindingKind.ADDED, words)]
    yield Progress(rows + unchained, expected, len(walks), unchained, tuple(found))


def _witnessed(keys: AuditKeys, lines: Iterable[str]) -> tuple[dict[str, list[Head]], list[Finding]]:
    heads: dict[str, list[Head]] = {}
    found = []
    for number, line in enumerate(lines, 1):
        try:
            head = keys.heads.read(line)
        except ForgedHead as forged:
            found.append(Finding(FindingKind.FORGED_HEAD, f"head {number} of those kept elsewhere: {forged}"))
            continue
        if head.kind is not HeadKind.PRUNED:
            heads.setdefault(head.writer, []).append(head)
    return heads, found


def _gone(writer: str, heads: list[Head]) -> Finding:
    last = max(head.sequence for head in heads)
    words = f"the database has nothing of a writer of {last} rows: a signed head has them"
    return Finding(FindingKind.CUT, words, writer, 1, last)


def _damaged(words: str) -> Finding:
    return Finding(FindingKind.DAMAGED_TABLE, f"{words}: tampered with, or restored by halves")


def _misplaced(row: AuditRow) -> Finding:
    words = "its writer or its number is none that a daemon gives to a row"
    return Finding(FindingKind.EDITED, words, row.writer, row_id=row.id, at=row.at)
