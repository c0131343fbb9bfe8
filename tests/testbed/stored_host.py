"""A host with a store and no daemon, whose backups are made and put back by the real commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.model import Account, AuditEvent, Changes, Credential, DecisionRequest, Result
from nightlatch.store import open_store
from testbed.command import nightlatch
from testbed.fixtures_store import KEY, START, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result as Ran

    from nightlatch.store import SqlStore

_TEXT = """\
[daemon]
state_dir = "{root}/state"
runtime_dir = "{root}/run"
[listeners.pam]
socket = "{root}/pam.sock"
[listeners.admin]
socket = "{root}/admin.sock"
[plugins]
enabled = ["totp"]
[[directories]]
name = "corp"
kind = "ldap"
urls = ["ldaps://dc1.example.com"]
bind_dn = "cn=nightlatch"
bind_password_file = "{root}/none"
base = "dc=example"
{more}
"""
HELD = Credential("corp:alice", "c1", "codes", "paper", b"ten of them", START)
"""What alice has in every such store."""


@dataclass(frozen=True)
class Host:
    """A state folder with a store, its key, and the configuration that names them. No daemon runs."""

    root: Path

    @property
    def state(self) -> Path:
        """The daemon's state folder."""
        return self.root / "state"

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.state / "nightlatch.db"

    @property
    def url(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.database}"

    def configure(self, more: str = "") -> None:
        """Write the configuration."""
        file = self.root / "nightlatch.toml"
        file.write_text(_TEXT.format(root=self.root, more=more))
        file.chmod(0o644)

    def store(self, *words: object, typed: str = "") -> Ran:
        """Run `nightlatch store`."""
        return nightlatch("store", *words, "--config", self.root / "nightlatch.toml", typed=typed)

    def events(self) -> list[str]:
        """The audit."""
        return [str(row[0]) for row in run(self.url, "select event from audit order by id")]

    def left_over(self) -> set[str]:
        """What is in the state folder beside the store, its key, its heads and the mark of a backup."""
        usual = {"nightlatch.db", "nightlatch.db-wal", "nightlatch.db-shm", "master.key", "last-backup"}
        return {path.name for path in self.state.iterdir()} - usual - {"audit-heads"}


async def fill(store: SqlStore, event: str) -> None:
    """Write a credential, and a row of the audit."""
    account = Account("corp", "alice", "alice")
    row = AuditEvent(event, Result.CHANGED, "", "", account.id)
    request = DecisionRequest((), account.id, account)
    await store.decide(request, lambda _: (Changes(put=(HELD,), events=(row,)), None))


def open_it(url: str) -> SqlStore:
    """The store, open as a daemon has it."""
    return open_store(url, KEY, SetClock(), SystemRandomness())


async def change(store: SqlStore, changes: Changes) -> None:
    """Change what alice has."""
    request = DecisionRequest((), HELD.account_id, standing=True)
    await store.decide(request, lambda _: (changes, None))
