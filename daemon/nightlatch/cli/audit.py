"""``nightlatch audit``: what was decided and changed, and whether what is written of it was touched."""

from pathlib import Path
from typing import Annotated

import typer

from nightlatch.audit.formats import row_json
from nightlatch.cli.audit_asking import (
    EventOption,
    ResultOption,
    SinceOption,
    UntilOption,
    UserOption,
    filter_of,
)
from nightlatch.cli.audit_export import Format, writing, written
from nightlatch.cli.audit_showing import print_rows, row_words, verification_json, verification_words
from nightlatch.cli.connection import READING_DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, EXITS, JsonOption, SocketOption
from nightlatch.cli.output import print_json, say
from nightlatch.cli.reading import while_verifying
from nightlatch.rpc.audit_messages import finding_of, row_of
from nightlatch.v1 import audit_pb2

FEW = 50
FOLLOWING = 30 * 86_400.0
"""Seconds for which new rows are waited for; every call has a deadline."""


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", epilog=EXITS)(list_)
    group.command("follow", epilog=EXITS)(follow)
    group.command("verify", epilog=EXITS)(verify)
    group.command("export", epilog=EXITS)(export)
    return group


def list_(
    *,
    user: UserOption = "",
    event: EventOption = "",
    results: ResultOption = [],  # noqa: B006, typer's own way
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option(help="At most so many; 0 for all.", min=0)] = FEW,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """List events, newest first. With --json each is one line."""
    request = audit_pb2.ListAuditEventsRequest(
        filter=filter_of(user, event, results, since, until), limit=limit
    )
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = 0
        for piece in daemon.audit.ListAuditEvents(request, timeout=READING_DEADLINE):
            rows = [row_of(each) for each in piece.events]
            if as_json:
                for row in rows:
                    print_json(row_json(row))
            elif rows:
                print_rows(rows, header=not found)
            found += len(rows)
    if not (found or as_json):
        say("No such events.")


def follow(
    *,
    user: UserOption = "",
    event: EventOption = "",
    results: ResultOption = [],  # noqa: B006, typer's own way
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Print events as they are written, until you press Ctrl-C."""
    request = audit_pb2.FollowAuditEventsRequest(filter=filter_of(user, event, results))
    try:
        with failures_told(as_json=as_json), daemon_at(socket) as daemon:
            for piece in daemon.audit.FollowAuditEvents(request, timeout=FOLLOWING):
                for each in piece.events:
                    row = row_of(each)
                    if as_json:
                        print_json(row_json(row))
                    else:
                        say(row_words(row))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.FINE) from None


def verify(
    *,
    heads: Annotated[
        list[Path],
        typer.Option(
            help="A file with signed heads that were kept elsewhere: another host's audit-heads, or a log.",
            show_default=False,
        ),
    ] = [],  # noqa: B006, typer's own way
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Verify that no row was changed, removed or moved, and that none is missing at the end.

    Exits with 1 where something was found.
    """
    with failures_told(as_json=as_json):
        request = audit_pb2.VerifyAuditRequest(heads=[line for file in heads for line in _heads_in(file)])
        findings, last = [], audit_pb2.VerifyAuditResponse()
        with daemon_at(socket) as daemon:
            pieces = daemon.audit.VerifyAudit(request, timeout=READING_DEADLINE)
            for piece in while_verifying(pieces, quiet=as_json):
                findings += [finding_of(each) for each in piece.findings]
                last = piece
    if as_json:
        print_json(verification_json(last, findings))
    else:
        verification_words(last, findings)
    if findings:
        raise typer.Exit(Exit.REFUSED)


def export(
    *,
    form: Annotated[Format, typer.Option("--format", help="How a row is written.")] = Format.JSONL,
    since: SinceOption = "",
    until: UntilOption = "",
    output: Annotated[
        Path | None,
        typer.Option(help="A new file, for you alone; standard output where left out.", dir_okay=False),
    ] = None,
    socket: SocketOption = ADMIN_SOCKET,
) -> None:
    """Write all events, oldest first, one a line: JSON, syslog (RFC 5424) or CEF."""
    request = audit_pb2.ListAuditEventsRequest(filter=filter_of(since=since, until=until), oldest_first=True)
    with failures_told(as_json=False), daemon_at(socket) as daemon, writing(output) as file:
        for piece in daemon.audit.ListAuditEvents(request, timeout=READING_DEADLINE):
            file.writelines(f"{written(row_of(each), form)}\n" for each in piece.events)


def _heads_in(file: Path) -> list[str]:
    """The heads in a file: its lines of JSON that name a writer and a signature."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failure(f"{file} can not be read: {error.strerror}.", Exit.WRONG_USE) from None
    lines = [line[line.find("{") :] for line in text.splitlines() if '"signature"' in line and "{" in line]
    if not lines:
        raise Failure(f"{file} holds no signed heads.", Exit.WRONG_USE)
    return lines
