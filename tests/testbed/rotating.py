"""A shop that takes receipts, and whose daemons change the key that signs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nightlatch.login.receipt_keys import MARK, Generation
from testbed.fixtures_store import run
from testbed.shop import Shop
from testbed.slapd import password_of

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from nightlatch.client import Client
    from nightlatch.client.receipts import Keys
    from testbed.slapd import Slapd

_NO_FACTOR = '[[policies]]\nname = "watched"\nsecond_factor = "observe"\n'
"""So that a receipt costs no code: those are rare."""


class RotatingShop(Shop):
    """A daemon, and what its key set and its receipts are."""

    def __init__(
        self, folder: Path, slapd: Slapd, *, url: str = "", key: Path | None = None, like: Shop | None = None
    ) -> None:
        """`url` and `key` are those of a database on PostgreSQL; without them the store is embedded."""
        store = f'[store]\nurl = "{url}"\nkey_file = "{key}"\n' if url else ""
        super().__init__(folder, slapd, store=store + _NO_FACTOR, like=like)
        self.url = url or f"sqlite:///{self.daemon.folder / 'state' / 'nightlatch.db'}"

    def receipt(self, mfa: Client) -> str:
        """A new receipt of alice's."""

        def no_question(prompt: object) -> str:
            raise AssertionError(prompt)

        result = mfa.login("alice", password_of("alice"), service="shop", ask=no_question)
        assert result.granted
        return result.receipt

    def keys(self) -> Keys:
        """The key set, as somebody gets it who had none."""
        with self.client() as mfa:
            return mfa.keys()

    def receipts(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `nightlatch admin receipts`."""
        return self.daemon.command("admin", "receipts", *words)

    def told(self, *words: str) -> dict[str, Any]:
        """What it tells programs."""
        done = self.receipts(*words, "--json")
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def let_pass(self, seconds: float) -> None:
        """As if the last rotation were so much longer ago."""
        [[text]] = run(self.url, f"select value from meta where name = '{MARK}'")  # noqa: S608  # a word of our own
        was = Generation.of(str(text))
        then = Generation(was.number, was.since - seconds, was.at_once).text()
        self.set_mark(then)

    def set_mark(self, text: str) -> None:
        """Write the row of the generation behind the daemon's back."""
        run(self.url, f"delete from meta where name = '{MARK}'")  # noqa: S608  # see above
        run(self.url, f"insert into meta (name, value) values ('{MARK}', '{text}')")  # noqa: S608  # see above

    def audited(self) -> list[tuple[object, ...]]:
        """The rotations, as the audit has them."""
        return run(
            self.url, "select result, caller, facts from audit where event = 'receipts.rotate' order by id"
        )


def kids(keys: Keys) -> list[str]:
    """The ids of the keys in a set."""
    return [key["kid"] for key in json.loads(keys.jwks)["keys"]]
