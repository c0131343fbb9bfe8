"""A person's credentials: fetched, chosen by what was typed, and put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.connection import DEADLINE
from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.output import json_time, local_end, local_time, print_table
from nightlatch.v1.admin_pb2 import ListCredentialsRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightlatch.cli.connection import Daemon
    from nightlatch.v1.admin_pb2 import Account, Credential, ListCredentialsResponse


def credentials_of(daemon: Daemon, user: str) -> ListCredentialsResponse:
    """All that a person has, devices too."""
    return daemon.admin.ListCredentials(ListCredentialsRequest(user=user), timeout=DEADLINE)


def devices_of(found: ListCredentialsResponse) -> list[Credential]:
    """The trusted devices in a list: they spare a prompt, and nobody signs in with one alone."""
    return [each for each in found.credentials if each.device]


def chosen(found: ListCredentialsResponse, beginning: str, *, devices_only: bool = False) -> Credential:
    """The one credential whose id is, or begins with, what was typed; raises Failure."""
    present = devices_of(found) if devices_only else found.credentials
    what = "device" if devices_only else "credential"
    whose = account_words(found.account)
    matching = [each for each in present if beginning and each.id.startswith(beginning)]
    exact = [each for each in matching if each.id == beginning]
    if not matching:
        message = f"{whose} has no {what} {beginning}. See: nightlatch {what} list"
        raise Failure(message, Exit.REFUSED, "NOT_FOUND")
    if len(exact or matching) > 1:
        message = f"{whose} has {len(matching)} {what}s that begin with {beginning}. Give more of the id."
        raise Failure(message, Exit.WRONG_USE)
    return (exact or matching)[0]


def print_credentials(label_header: str, credentials: Sequence[Credential]) -> None:
    """A table for people. What ends by itself says when; and so does what is on hold after a rescue."""
    columns: list[tuple[str, Callable[[Credential], str]]] = [
        ("id", lambda each: each.id),
        ("factor", lambda each: each.factor),
        (label_header, lambda each: each.label),
        ("added", lambda each: local_time(each.create_time)),
        ("last used", lambda each: local_time(each.last_use_time)),
    ]
    if any(each.HasField("expire_time") for each in credentials):
        columns.append(("until", lambda each: local_time(each.expire_time)))
    if any(each.HasField("hold_end_time") for each in credentials):
        columns.append(("changes nothing until", lambda each: local_end(each.hold_end_time)))
    print_table(
        [header for header, _ in columns], [[cell(each) for _, cell in columns] for each in credentials]
    )


def account_words(account: Account) -> str:
    """An account for people: "alice (corp)"."""
    return f"{account.name} ({account.directory})"


def account_json(account: Account) -> dict[str, str]:
    """An account for programs."""
    return {"directory": account.directory, "stable_id": account.stable_id, "name": account.name}


def credential_words(credential: Credential) -> str:
    """A credential for people, without its id."""
    return f'"{credential.label}" ({credential.factor}, added {local_time(credential.create_time)})'


def credential_json(credential: Credential) -> dict[str, str | None]:
    """A credential for programs."""
    return {
        "id": credential.id,
        "factor": credential.factor,
        "label": credential.label,
        "create_time": json_time(credential.create_time),
        "last_use_time": json_time(credential.last_use_time),
        "expire_time": json_time(credential.expire_time),
        "hold_end_time": json_time(credential.hold_end_time),
    }
