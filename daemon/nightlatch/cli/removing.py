"""Taking a credential away: behind a proof by the person, or on the administrator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.connection import DEADLINE, SENDING_DEADLINE
from nightlatch.cli.listing import account_words, credential_json, credential_words
from nightlatch.cli.output import print_json, say
from nightlatch.cli.question import Question
from nightlatch.v1.admin_pb2 import RemoveCredentialRequest
from nightlatch.v1.enrollment_pb2 import BeginRemovalRequest, ConfirmRemovalRequest

if TYPE_CHECKING:
    from nightlatch.cli.connection import Daemon
    from nightlatch.v1.admin_pb2 import Account, Credential

UNCHANGED = "Nothing was removed."


def remove_proven(
    daemon: Daemon, user: str, account: Account, credential: Credential, *, as_json: bool
) -> None:
    """Remove it when the person has proven it once more; raises Failure where they did not."""
    begin = BeginRemovalRequest(user=user, credential_id=credential.id)
    begun = daemon.enrollment.BeginRemoval(begin, timeout=SENDING_DEADLINE)
    if as_json:
        print_json({"credential": credential_json(credential), "prompt": begun.prompt})
    else:
        say(f"To remove {credential_words(credential)} of {account_words(account)}, prove it once more.")

    def send(answer: bytes) -> str:
        confirm = ConfirmRemovalRequest(ticket=begun.ticket, answer=answer)
        return daemon.enrollment.ConfirmRemoval(confirm, timeout=DEADLINE).credential_id

    Question(begun.prompt, unchanged=UNCHANGED, as_json=as_json).until_right(send)


def remove_unproven(daemon: Daemon, user: str, credential: Credential) -> None:
    """Remove it without any proof."""
    request = RemoveCredentialRequest(user=user, credential_id=credential.id)
    daemon.admin.RemoveCredential(request, timeout=DEADLINE)
