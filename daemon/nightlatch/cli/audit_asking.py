"""Which rows of the audit a command asks for: options in words, as the API's filter."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from nightlatch.cli.options import utf8
from nightlatch.model import Result
from nightlatch.rpc.audit_messages import RESULTS
from nightlatch.v1 import audit_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

_AGO = re.compile(r"(\d{1,6})(s|min|h|d|w)")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(value: str) -> str:
    """A time as typed, checked; raises BadParameter."""
    if value:
        time_of(value)
    return value


def time_of(value: str) -> datetime:
    """The time in "2026-03-01", "2026-03-01 14:00" (local), RFC 3339, or "2h" ago; raises BadParameter."""
    ago = _AGO.fullmatch(value)
    now = datetime.now(UTC)  # noqa: TID251, this command is its own composition root
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            'write "2026-03-01", "2026-03-01 14:00", or how long ago: "30min", "2h", "7d".'
        ) from None


def result(values: list[str]) -> list[str]:
    """Results as typed, checked; raises BadParameter."""
    known = [each.value for each in Result]
    for value in values:
        if value not in known:
            raise typer.BadParameter(f"there is no result {value!r}. Known: {', '.join(known)}.")
    return values


UserOption = Annotated[
    str, typer.Option("--user", help="Only about this person (or account id).", callback=utf8)
]
EventOption = Annotated[
    str,
    typer.Option("--event", help='Only this event; "login." for all that begin so.', callback=utf8),
]
ResultOption = Annotated[
    list[str],
    typer.Option("--result", help="Only with this result; may be given more than once.", callback=result),
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--since",
        help='Not before this time: "2026-03-01 14:00", or "2h" for two hours ago.',
        callback=moment,
    ),
]
UntilOption = Annotated[str, typer.Option("--until", help="Before this time.", callback=moment)]


def filter_of(
    user: str = "", event: str = "", results: Iterable[str] = (), since: str = "", until: str = ""
) -> audit_pb2.AuditFilter:
    """The API's filter."""
    wanted = audit_pb2.AuditFilter(
        user=user, event=event, results=[RESULTS[Result(each)] for each in results]
    )
    if since:
        wanted.since.FromDatetime(time_of(since))
    if until:
        wanted.until.FromDatetime(time_of(until))
    return wanted
