"""``nightlatch status``: how the daemon and its parts are."""

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption
from nightlatch.cli.output import json_time, local_time, print_json, print_table, say
from nightlatch.v1.admin_pb2 import GetStatusRequest, GetStatusResponse


def status(*, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """Show how the daemon and its parts are. Exit code 1 when one of them does not work."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        answer = daemon.admin.GetStatus(GetStatusRequest(), timeout=DEADLINE)
    if as_json:
        print_json(_json(answer))
    else:
        say(f"nightlatchd {answer.version}, serving since {local_time(answer.start_time)}\n")
        rows = [
            ("ok" if part.healthy else "fail", part.kind, part.name, part.detail) for part in answer.parts
        ]
        print_table(("", "part", "name", "detail"), rows, {"ok": "green", "fail": "bold red"})
    if not all(part.healthy for part in answer.parts):
        raise typer.Exit(Exit.REFUSED)


def _json(answer: GetStatusResponse) -> dict[str, object]:
    parts = [
        {"kind": part.kind, "name": part.name, "healthy": part.healthy, "detail": part.detail}
        for part in answer.parts
    ]
    return {"version": answer.version, "start_time": json_time(answer.start_time), "parts": parts}
