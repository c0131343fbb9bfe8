"""Giving a credential, or a device, another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.listing import (
    account_json,
    account_words,
    chosen,
    credential_json,
    credential_words,
    credentials_of,
)
from nightlatch.cli.output import print_json, say
from nightlatch.v1.admin_pb2 import RenameCredentialRequest

if TYPE_CHECKING:
    from pathlib import Path


def rename_one(
    socket: Path, user: str, beginning: str, label: str, *, as_json: bool, devices_only: bool = False
) -> None:
    """Rename the one whose id begins so, and tell of it; ends the command where that fails."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = credentials_of(daemon, user)
        before = chosen(found, beginning, devices_only=devices_only)
        request = RenameCredentialRequest(user=user, credential_id=before.id, label=label)
        renamed = daemon.admin.RenameCredential(request, timeout=DEADLINE).credential
    if as_json:
        what = "device" if devices_only else "credential"
        print_json({"account": account_json(found.account), what: credential_json(renamed)})
    else:
        say(f'{credential_words(before)} of {account_words(found.account)} is now called "{renamed.label}".')
