"""A daemon with people who have factors, whose store is backed up and put back by the real commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.command import NIGHTLATCH, program
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table, enroll
from testbed.slapd import password_of

if TYPE_CHECKING:
    import grpc

    from testbed.codes import App
    from testbed.slapd import Slapd

_TABLES = '[[policies]]\nname = "devices"\ntrusted_device_days = 30\n'
_PLUGINS = '["totp", "recovery", "trusted_device"]'
POSTGRES_BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Household:
    """The daemon, its store, and the backup of it."""

    def __init__(self, folder: Path, slapd: Slapd, postgres_url: str = "") -> None:
        """With `postgres_url` the store is there, otherwise in the daemon's state folder."""
        self.postgres_url = postgres_url
        self.backup = folder / "backup"
        self.key = folder / "master.key"
        store = f'[store]\nurl = "{postgres_url}"\nkey_file = "{self.key}"\n' if postgres_url else ""
        self.daemon = Nightlatchd(folder, directory_table(slapd), extra=_TABLES + store)
        text = self.daemon.config.read_text().replace('["totp"]', _PLUGINS)
        self.daemon.config.write_text(text)
        if postgres_url:
            assert program(NIGHTLATCH, "key", "create", self.key).returncode == 0

    @property
    def database(self) -> Path:
        """The file of the embedded store."""
        return self.daemon.folder / "state" / "nightlatch.db"

    def store(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run `nightlatch store`."""
        return program(NIGHTLATCH, "store", *words, "--config", self.daemon.config)

    def store_json(self, *words: object) -> dict[str, object]:
        """What it tells programs."""
        answered = self.store(*words, "--json")
        assert answered.stderr == ""
        told: dict[str, object] = json.loads(answered.stdout)
        return told

    def back_up(self) -> None:
        """Make the backup, as the page on operations tells, while the daemon runs."""
        if self.postgres_url:
            options = ("--format=custom", f"--file={self.backup}", f"--dbname={self.postgres_url}")
            subprocess.run([POSTGRES_BIN / "pg_dump", *options], check=True)
        else:
            made = self.store("backup", self.backup)
            assert (made.returncode, made.stderr) == (0, "")

    def put_back(self) -> dict[str, object]:
        """Put the backup back, as the same page tells, while no daemon runs; what ended."""
        if not self.postgres_url:
            return self.store_json("restore", self.backup, "--yes")
        self.pg_restore()
        return self.store_json("restored", "--yes")

    def pg_restore(self) -> None:
        """What is to be done on PostgreSQL first."""
        options = ("--clean", "--if-exists", "--single-transaction", "--no-owner")
        subprocess.run(
            [POSTGRES_BIN / "pg_restore", *options, f"--dbname={self.postgres_url}", self.backup], check=True
        )

    def app(self, user: str) -> App:
        """Give a person an authenticator app."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, user)

    def codes(self, user: str) -> list[str]:
        """Give a person printed codes."""
        shown = self.daemon.command("credential", "enroll", "recovery", user, "--json")
        return [one["value"] for one in json.loads(shown.stdout.splitlines()[0])["details"]]

    def factors(self, user: str) -> list[str]:
        """What a person has, devices too."""
        return [
            one["factor"]
            for kind in ("credential", "device")
            for one in json.loads(self.daemon.command(kind, "list", user, "--json").stdout)[f"{kind}s"]
        ]

    def granted(self, user: str, code: str) -> bool:
        """Whether password and code let a person in."""
        with self.daemon.channel() as channel:
            person = Person(channel, user)
            step = person.password()
            if step.WhichOneof("kind") == "prompt":
                step = person.answer(step, code)
            return step.outcome.verdict == login_pb2.VERDICT_GRANTED


def with_device(channel: grpc.Channel, user: str, token: str = "") -> login_pb2.Step:
    """The step after the password, of an application that keeps a device's token."""
    logins = login_pb2_grpc.LoginServiceStub(channel)
    request = login_pb2.BeginLoginRequest(
        user=user,
        service="portal",
        origin=login_pb2.Origin(remote_host="192.0.2.7"),
        primary=login_pb2.PRIMARY_PASSWORD,
        evidence=[login_pb2.Evidence(device_token=token)] if token else [],
        keeps_device_token=True,
    )
    step = logins.BeginLogin(request, timeout=15).step
    return answered(channel, step, password_of(user))


def answered(channel: grpc.Channel, step: login_pb2.Step, answer: str) -> login_pb2.Step:
    """The step after an answer."""
    request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=answer.encode())
    return login_pb2_grpc.LoginServiceStub(channel).AnswerLogin(request, timeout=15).step
