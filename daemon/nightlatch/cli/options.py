"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

ADMIN_SOCKET = Path("/run/nightlatch/admin.sock")

SocketOption = Annotated[
    Path, typer.Option("--socket", help="The daemon's admin socket.", dir_okay=False, show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
UserArgument = Annotated[str, typer.Argument(help="The person's name in a directory.", show_default=False)]
EXITS = "Exit codes: 0 fine, 1 refused or findings, 2 wrong use, 3 the daemon is not available."
