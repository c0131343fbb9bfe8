"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated, Any

import typer


def utf8(value: str) -> str:
    """The value of an argument; raises BadParameter for bytes that are no text, which no API can carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("this is not UTF-8.") from None
    return value


def text_argument(words: str, metavar: str | None = None) -> Any:  # noqa: ANN401, as typer's own
    """An argument that is text, told of by `words`."""
    return typer.Argument(help=words, metavar=metavar, show_default=False, callback=utf8)


ADMIN_SOCKET = Path("/run/nightlatch/admin.sock")

SocketOption = Annotated[
    Path, typer.Option("--socket", help="The daemon's admin socket.", dir_okay=False, show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
UserArgument = Annotated[str, text_argument("The person's name in a directory.")]
CredentialArgument = Annotated[str, text_argument("The credential's id, or enough of its beginning.")]
DeviceArgument = Annotated[str, text_argument("The device's id, or enough of its beginning.")]
SessionArgument = Annotated[str, text_argument("The session's id.")]
LabelArgument = Annotated[str, text_argument("The new name, 1 to 64 printable characters.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you mean it.")]
EXITS = "Exit codes: 0 fine, 1 refused or findings, 2 wrong use, 3 the daemon is not available."
