"""``nightlatch policy plan``: what another configuration would change, before the daemon gets it."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from nightlatch.cli.connection import READING_DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption
from nightlatch.cli.output import print_json
from nightlatch.cli.planning import FEW, change_json, tell
from nightlatch.cli.reading import while_reading
from nightlatch.config import check_config, load_config
from nightlatch.errors import ConfigError
from nightlatch.plugins.loader import load_plugins
from nightlatch.v1 import policy_pb2


def plan(
    file: Annotated[Path, typer.Argument(help="The new configuration file.", show_default=False)],
    *,
    everybody: Annotated[bool, typer.Option("--all", help="List all names, however many.")] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Tell what a new configuration would change for whom, compared with the running one. Changes nothing.

    The file is checked first, as by "nightlatch config check", and then its groups are looked up. People of a
    directory that the daemon does not have yet are not looked at.
    """
    with failures_told(as_json=as_json):
        request = _request(file)
        with daemon_at(socket) as daemon:
            read, changes = 0, list[policy_pb2.PersonChange]()
            pieces = daemon.policy.PlanPolicy(request, timeout=READING_DEADLINE)
            for piece in while_reading(pieces, quiet=as_json):
                read = piece.read
                changes += piece.changes
    counts = Counter(one.change for one in changes)
    if as_json:
        print_json({"file": str(file), "people": read, "changes": [change_json(one) for one in changes]})
    else:
        tell(file, read, changes, counts, few=None if everybody else FEW)
    if counts[policy_pb2.CHANGE_LOCKED_OUT]:
        raise typer.Exit(Exit.REFUSED)


def _request(file: Path) -> policy_pb2.PlanPolicyRequest:
    """The file's text, with what its plugins declare; raises Failure with every problem of the file."""
    problems = check_config(file)
    if problems:
        raise _problems(file, problems)
    try:
        config = load_config(file)
        plugins = load_plugins(config.plugins.enabled, config.factors, config.channels)
    except ConfigError as error:
        raise _problems(file, error.problems) from None
    factors = [
        policy_pb2.FactorDeclaration(
            name=name,
            silent=facade.plugin.silent,
            weak=facade.plugin.weak,
            last_resort=facade.plugin.last_resort,
            confirmed=facade.plugin.confirmed,
        )
        for name, facade in plugins.factors.items()
    ]
    return policy_pb2.PlanPolicyRequest(file=str(file), configuration=file.read_text(), factors=factors)


def _problems(file: Path, problems: tuple[str, ...]) -> Failure:
    return Failure("\n".join((f"{file} has problems.", *problems)), Exit.REFUSED)
