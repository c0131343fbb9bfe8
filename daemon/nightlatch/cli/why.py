"""``nightlatch why``: why somebody did not get in."""

from typing import Annotated

import typer

from nightlatch.audit.formats import row_json
from nightlatch.audit.why import CONSEQUENCE, REFUSALS, sentence
from nightlatch.cli.audit_asking import SinceOption, filter_of
from nightlatch.cli.audit_showing import local, local_clock, where
from nightlatch.cli.connection import READING_DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption, UserArgument
from nightlatch.cli.output import print_json, print_table, say
from nightlatch.rpc.audit_messages import row_of
from nightlatch.v1 import audit_pb2

FEW = 20


def why(
    user: UserArgument,
    *,
    since: SinceOption = "",
    limit: Annotated[int, typer.Option(help="At most so many; 0 for all.", min=0)] = FEW,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what went well, exemptions and observations.")
    ] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Tell why a person was refused: the last refusals, newest first, each in a sentence."""
    results = [] if everything else [each.value for each in REFUSALS]
    request = audit_pb2.ListAuditEventsRequest(filter=filter_of(user, "", results, since), limit=limit)
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        pieces = list(daemon.audit.ListAuditEvents(request, timeout=READING_DEADLINE))
    every = [row_of(each) for piece in pieces for each in piece.events]
    rows = [row for row in every if everything or row.event.event != CONSEQUENCE]
    trouble = next((piece.user_unknown for piece in pieces if piece.user_unknown), "")
    told = [(row, sentence(row.event, local_clock)) for row in rows]
    if as_json:
        listed = [{**row_json(row), "because": because} for row, because in told]
        print_json({"user": user, "not_looked_up": trouble or None, "events": listed})
        return
    if told:
        cells = [(local(row.at), where(row), row.event.result.value, because) for row, because in told]
        print_table(("time", "where", "outcome", "because"), cells)
    else:
        say(f"Nothing is known of a refusal of {user}." if not everything else f"Nothing is known of {user}.")
    if trouble:
        say(f"\nOnly what the store knows of {user} was searched: {trouble}")
