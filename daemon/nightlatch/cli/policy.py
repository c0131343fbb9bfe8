"""``nightlatch policy``: why a rule applies, who is ready for the rules, what other rules would change."""

from datetime import datetime
from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.explaining import explanation_json, refused, tell
from nightlatch.cli.failure import Exit, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption, UserArgument, utf8
from nightlatch.cli.output import print_json
from nightlatch.cli.policy_plan import plan
from nightlatch.cli.policy_report import report
from nightlatch.v1.policy_pb2 import ExplainPolicyRequest

_CODES = "2 wrong use, 3 the daemon is not available."


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("explain", epilog=f"Exit codes: 0 would get in, 1 would be refused, {_CODES}")(explain)
    group.command("report", epilog=f"Exit codes: 0 nobody is locked out, 1 somebody is, {_CODES}")(report)
    group.command(
        "plan", epilog=f"Exit codes: 0 nobody would be locked out, 1 somebody would, or problems, {_CODES}"
    )(plan)
    return group


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError):
        raise typer.BadParameter('write a time as "2026-03-01 14:02", or with a zone.') from None


def explain(
    user: UserArgument,
    *,
    service: Annotated[str, typer.Option(help="What is signed in to.", callback=utf8)] = "sshd",
    source: Annotated[
        str,
        typer.Option(
            "--from", help="Where the login comes from; the console where it is left out.", callback=utf8
        ),
    ] = "",
    client: Annotated[
        str, typer.Option(help="Who asks: pam, or an application's name.", callback=utf8)
    ] = "pam",
    at: Annotated[str, typer.Option(help="When, such as 2026-03-01 14:02; now where it is left out.")] = "",
    groups: Annotated[bool, typer.Option("--groups", help="List all groups, however many.")] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Explain what a person's login must show: which rules match and why, and whether the person is ready."""
    request = ExplainPolicyRequest(user=user, service=service, source=source, client=client)
    when = _time(at)
    if when is not None:
        request.time.FromDatetime(when)
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        answer = daemon.policy.ExplainPolicy(request, timeout=DEADLINE)
    if as_json:
        print_json(explanation_json(request, answer))
    else:
        tell(request, answer, all_groups=groups)
    if refused(answer):
        raise typer.Exit(Exit.REFUSED)
