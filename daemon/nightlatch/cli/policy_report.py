"""``nightlatch policy report``: who is ready for the rules, who is not, and why."""

from collections import Counter
from typing import Annotated

import typer

from nightlatch.cli.connection import READING_DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption, utf8
from nightlatch.cli.output import print_json
from nightlatch.cli.reading import while_reading
from nightlatch.cli.reporting import FEW, print_csv, report_json, tell
from nightlatch.v1 import policy_pb2


def report(
    *,
    rule: Annotated[str, typer.Option(help="Only people whom this rule concerns.", callback=utf8)] = "",
    service: Annotated[
        str, typer.Option(help="Only logins to this; all that rules name where left out.", callback=utf8)
    ] = "",
    client: Annotated[
        str, typer.Option(help="Only logins by this caller: pam, or an application.", callback=utf8)
    ] = "",
    everybody: Annotated[bool, typer.Option("--all", help="List all names, however many.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, a line for each person and outcome.")
    ] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Tell who is ready for the rules, who has only a weak factor, and who would be locked out today.

    Everyone in all directories is looked at. Where logins come from and when is not known here: rules for
    networks or times count as if they applied, exemptions for them do not.
    """
    request = policy_pb2.ReportPolicyRequest(rule=rule, service=service, client=client)
    with failures_told(as_json=as_json):
        if as_csv and as_json:
            raise Failure("Choose one of --csv and --json.", Exit.WRONG_USE)
        with daemon_at(socket) as daemon:
            pieces = daemon.policy.ReportPolicy(request, timeout=READING_DEADLINE)
            people = [one for piece in while_reading(pieces, quiet=as_json) for one in piece.people]
    counts = Counter(one.prospects[0].outlook for one in people)
    if as_json:
        print_json(report_json(people, counts))
    elif as_csv:
        print_csv(people)
    else:
        tell(people, counts, few=None if everybody else FEW)
    if counts[policy_pb2.OUTLOOK_LOCKED_OUT]:
        raise typer.Exit(Exit.REFUSED)
