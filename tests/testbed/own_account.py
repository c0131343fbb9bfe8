"""A host whose people look after their own accounts: slapd, Postfix, nightlatchd with an account socket."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import grpc

from nightlatch.v1 import account_pb2, account_pb2_grpc, login_pb2
from testbed.carrier import Carrier
from testbed.daemon import BIN, Nightlatchd
from testbed.front_door import directory_table
from testbed.mail import MailServer
from testbed.quick_command import run_command
from testbed.second_factors import LETTERS, NAMES, World
from testbed.slapd import SERVICE_DN, Parts, Slapd, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.codes import App
    from testbed.pki import Pki
    from testbed.second_factors import Resident

OWN_PASSWORD = (
    f'access to attrs=userPassword by dn.exact="{SERVICE_DN}" =w by self =xw by anonymous auth by * none\n'
)
"""Lets people write their own password and the service account any, and nobody read one."""
GRANTED = login_pb2.VERDICT_GRANTED


class AccountWorld(World):
    """Everything, running between `start` and `stop`; without SSH servers."""

    def __init__(self, open_folder: Path, pki: Pki, *, policy: Parts | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix="own-", dir=open_folder))
        folder.chmod(0o755)
        super().__init__(folder, pki)
        self._parts = policy or Parts()
        self.socket = folder / "d" / "run" / "account.sock"

    def start(self) -> None:
        """Start all servers."""
        folder, ending = self.folder, self._ending
        parts = Parts(
            self._parts.modules,
            self._parts.directives,
            OWN_PASSWORD + self._parts.first_access,
            self._parts.ldif,
        )
        self.slapd = Slapd(self._folder("slapd"), self._pki, NAMES, parts)
        self.mail = MailServer(self._folder("mail"), self._pki, lambda _token: None)
        self.carrier = Carrier()
        ending.callback(self.carrier.close)
        self.daemon = Nightlatchd(folder / "d", directory_table(self.slapd), level="debug")
        self.configure()
        for server in (self.slapd, self.mail, self.daemon):
            ending.callback(server.stop)
            server.start()

    def configure(self, *, email_channel: str = "mail", days: int = 30, extra: str = "") -> None:
        """Write the daemon's configuration, with the account socket."""
        listener = f'\n[listeners.account]\nsocket = "{self.socket}"\n'
        super().configure(email_channel=email_channel, days=days, extra=extra + listener)
        text = self.daemon.config.read_text()
        assert text.count("language_attribute") == 1
        self.daemon.config.write_text(
            text.replace("language_attribute", "may_reset_passwords = true\nlanguage_attribute")
        )

    def service(self) -> OwnService:
        """The account socket, as a program calls it."""
        return OwnService(self.socket)

    def account(self, person: Resident, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run `nightlatch account`, without keeping a session."""
        return run_command(self._command(person, *arguments, "--no-session"), typed)

    def account_with_session(
        self, person: Resident, folder: Path, *arguments: str, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `nightlatch account` with a runtime folder."""
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        return run_command(self._command(person, *arguments), typed, environment)

    def talk_account(self, person: Resident, *arguments: str, session: bool = True) -> subprocess.Popen[str]:
        """A command that is answered line by line; without `session` one that signs nobody in."""
        return subprocess.Popen(
            self._command(person, *arguments, *(["--no-session"] if session else [])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def security_code(self, person: Resident) -> str:
        """The next code in the person's security mailbox."""
        return self.mailed(person, person.security, LETTERS)

    def shown(self, person: Resident, app: App) -> dict[str, Any]:
        """What `nightlatch account show --json` prints, behind its prompts."""
        done = self.account(person, "show", "--json", typed=answers(person, app))
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout[done.stdout.index("{") :]))

    def _command(self, person: Resident, *arguments: str) -> list[str]:
        own = ["--user", person.name, "--socket", str(self.socket)]
        return [str(BIN / "nightlatch"), "account", *arguments, *own]


def answers(person: Resident, app: App, *more: str) -> str:
    """Password and code, a line each, and what follows."""
    return "".join(f"{line}\n" for line in (password_of(person.name), app.fresh(), *more))


class OwnService:
    """A program at the account socket. Failed calls raise grpc.RpcError."""

    def __init__(self, socket: Path) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")
        self._stub = account_pb2_grpc.AccountServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._channel.close()

    def call(self, method: str, **fields: object) -> Any:  # noqa: ANN401, whatever the method answers
        """The answer of a method, by its name."""
        request = getattr(account_pb2, f"{method}Request")(**fields)
        return getattr(self._stub, method)(request, timeout=30)

    def sign_in(self, person: Resident, code: str, password: str = "") -> bytes:
        """A session, by password and code."""
        step = self.begin(person)
        step = self.call(
            "AnswerSession", ticket=step.ticket, answer=(password or password_of(person.name)).encode()
        ).step
        done = self.call("AnswerSession", ticket=step.ticket, answer=code.encode())
        assert done.step.outcome.verdict == GRANTED, done.step
        return bytes(done.session)

    def begin(self, person: Resident) -> login_pb2.Step:
        """The first step."""
        step: login_pb2.Step = self.call("BeginSession", user=person.name).step
        return step

    def steps(self, method: str, step: login_pb2.Step, *typed: str) -> Iterator[login_pb2.Step]:
        """The steps after each of some answers."""
        for answer in typed:
            step = self.call(method, ticket=step.ticket, answer=answer.encode()).step
            yield step
