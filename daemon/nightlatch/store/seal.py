"""Sealing of credentials at rest.

MUST 1: a credential's state is written sealed, bound to table, column, account, credential and factor.
MUST 2: what does not open is an outage of that account, never an empty credential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.keys import Sealer, SealError
from nightlatch.model import Credential

if TYPE_CHECKING:
    from nightlatch.keys import MasterKey
    from nightlatch.ports import Randomness
    from nightlatch.store.database import Row

_KEY_CHECK = b"nightlatch"


class CredentialSeal:
    """Turns credentials into rows of `credentials` and back."""

    def __init__(self, key: MasterKey, randomness: Randomness) -> None:
        self._credentials = Sealer(key.derive("credentials"), randomness)
        self._store = Sealer(key.derive("store"), randomness)

    def row(self, credential: Credential) -> tuple[object, ...]:
        """The columns of `Statements.put_credentials`."""
        place = _place(credential.account_id, credential.id, credential.factor)
        return (
            credential.account_id,
            credential.id,
            credential.factor,
            credential.label,
            self._credentials.seal(credential.state, place),
            credential.created_at,
            credential.last_used_at,
            credential.expires_at,
        )

    def credential(self, row: Row) -> Credential:
        """The credential of a row; raises SealError when the row was not written as it is."""
        account_id, credential_id, factor, label, sealed, created_at, last_used_at, expires_at = row
        state = self._credentials.open(bytes(sealed), _place(account_id, credential_id, factor))
        return Credential(
            account_id, credential_id, factor, label, state, created_at, last_used_at, expires_at
        )

    def key_check(self) -> str:
        """A text that only this key opens, for `meta`."""
        return self._store.seal(_KEY_CHECK, _place("meta", "key_check", "")).hex()

    def opens(self, key_check: str) -> bool:
        """Whether this is the key that made `key_check`."""
        try:
            return self._store.open(bytes.fromhex(key_check), _place("meta", "key_check", "")) == _KEY_CHECK
        except (SealError, ValueError):
            return False


def _place(account_id: str, credential_id: str, factor: str) -> bytes:
    # Lengths first, so that no two places are written alike.
    lengths = f"{len(account_id)} {len(credential_id)}"
    return f"credentials.state {lengths} {account_id}{credential_id}{factor}".encode()
