"""``nightlatch import``: taking over what people have in another system.

MUST 1: no secret is printed, logged, or an argument.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import grpc
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, Failure, failure_of, failures_told
from nightlatch.cli.import_report import Row, rows_of, tell, told_json
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption
from nightlatch.cli.output import print_json
from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import Finding, Found, Skipped, SourceFault
from nightlatch.importing.kinds import ENCRYPTED, READERS, Kind
from nightlatch.importing.owners import read_map, with_owners
from nightlatch.v1 import import_pb2
from nightlatch.v1.import_pb2_grpc import ImportServiceStub


def import_(
    kind: Annotated[Kind, typer.Argument(help="What the source is.", show_default=False)],
    source: Annotated[
        Path, typer.Argument(help="The file; for google-authenticator a folder, too.", show_default=False)
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would come over, and store nothing.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help='Old and new names as CSV, "old,new" a line; empty leaves out.'),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="The key or password of an encrypted source.")
    ] = None,
    factor: Annotated[
        list[str] | None,
        typer.Option("--factor", help="Which factor takes them, where several would. May be repeated."),
    ] = None,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Take over the second factors that people have in another system.

    Nobody has to enrol anew: apps go on showing the right codes. What is there already stays, so that a
    second run changes nothing. What can not be taken over is in the report, with the reason, and the exit
    code is 1.
    """
    with failures_told(as_json=as_json):
        findings = _findings(kind, source, mapping, key_file)
        with daemon_at(socket) as daemon:
            target = _Target(daemon.imports, tuple(factor or ()), dry_run)
            rows, stopped = _sent(target, findings, quiet=as_json)
        if as_json:
            print_json(told_json(rows, dry_run=dry_run, stopped=stopped))
        elif rows or stopped is None:
            tell(rows, dry_run=dry_run)
        if stopped is not None and not as_json:
            raise stopped
    if stopped is not None:
        raise typer.Exit(stopped.exit)
    if any(row.outcome == "skipped" for row in rows):
        raise typer.Exit(Exit.REFUSED)


def _findings(kind: Kind, source: Path, mapping: Path | None, key_file: Path | None) -> list[Finding]:
    """What is in the source, under the names that people have here; raises Failure."""
    if key_file is not None and kind not in ENCRYPTED:
        raise Failure(f"A source of the kind {kind.value} has no key: leave out --key-file.", Exit.WRONG_USE)
    try:
        names = read_map(mapping) if mapping else {}
        findings = READERS[kind](source, key_file)
    except SourceFault as fault:
        raise Failure(str(fault), Exit.WRONG_USE) from None
    if not findings:
        raise Failure(f"There is nothing to import in {source}.", Exit.WRONG_USE)
    return with_owners(findings, names)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where everybody's credentials go, and how."""

    daemon: ImportServiceStub
    factors: tuple[str, ...]
    dry_run: bool


def _sent(target: _Target, findings: Sequence[Finding], *, quiet: bool) -> tuple[list[Row], Failure | None]:
    """What became of each, and what stopped it in the middle, if anything did: a second run goes on there."""
    people = defaultdict[str, list[Found]](list)
    rows = [Row(one.owner, one.label, "skipped", one.why) for one in findings if isinstance(one, Skipped)]
    for one in findings:
        if isinstance(one, Found):
            people[one.owner].append(one)
    bar = Progress(
        TextColumn("importing people"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with bar:
        for owner, found in bar.track(people.items(), total=len(people)):
            try:
                rows += _person(target, owner, found)
            except grpc.RpcError as error:
                return rows, failure_of(error)
    return rows, None


def _person(target: _Target, owner: str, found: list[Found]) -> list[Row]:
    """One person's, all at once; raises RpcError when the daemon can not go on."""
    request = import_pb2.ImportCredentialsRequest(
        user=owner,
        credentials=[_message(one) for one in found],
        dry_run=target.dry_run,
        factors=target.factors,
    )
    try:
        return rows_of(owner, found, target.daemon.ImportCredentials(request, timeout=DEADLINE))
    except grpc.RpcError as error:
        why = error.details() or "it said no more"
        if error.code() == grpc.StatusCode.NOT_FOUND:
            why = "no directory knows this name: give the right one with --map"
        elif error.code() not in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}:
            raise
        return [Row(owner, one.label, "skipped", why) for one in found]


def _message(one: Found) -> import_pb2.ImportedCredential:
    label = "".join(letter if letter.isprintable() else "?" for letter in one.label)[:64]
    what = one.what
    if isinstance(what, ImportedSecret):
        shared = import_pb2.SharedSecret(
            secret=what.secret,
            algorithm=what.algorithm,
            digits=max(what.digits, 0),
            period_seconds=max(what.period, 0),
        )
        return import_pb2.ImportedCredential(label=label, shared_secret=shared)
    return import_pb2.ImportedCredential(
        label=label, single_use_codes=import_pb2.SingleUseCodes(codes=what.codes)
    )
