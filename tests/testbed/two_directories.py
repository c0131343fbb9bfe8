"""A host whose people are in two directories, local ones and a slapd's; some names are in both."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.daemon import Nightlatchd
from testbed.front_door import directory_table, enroll
from testbed.pamcheck import PamCheckProcess, PrivateUsers
from testbed.process import wait_until
from testbed.slapd import person_dn

if TYPE_CHECKING:
    from pathlib import Path

    import grpc

    from testbed.codes import App
    from testbed.slapd import Slapd

LOCAL = {name: f"Local-{name}-x" for name in ("alice", "Bob", "bob", "erin")}
"""The passwords of the local people."""
CORP = {name: f"Corp-{name}-x" for name in ("alice", "bob", "dave")}
"""The passwords of the slapd's people."""
_TRUST = '[[policies]]\nname = "devices"\ntrusted_device_days = 30\n'


class TwoDirectories:
    """nightlatchd with both directories, on a private machine."""

    def __init__(self, folder: Path, slapd: Slapd) -> None:
        self.slapd = slapd
        self.rules = _TRUST
        """The rules that count, from the next time that the configuration is written."""
        for name, password in CORP.items():
            slapd.set_password(person_dn(name), password)
        self.machine = PrivateUsers(folder / "machine", dict(LOCAL))
        self.helper = PamCheckProcess(self.machine)
        self.daemon = Nightlatchd(folder / "d", "")
        self.daemon.machine = self.machine
        self._corp = directory_table(slapd)
        self._local = f'[[directories]]\nname = "local"\nkind = "pam"\nsocket = "{self.helper.socket}"\n'

    def start(self, first: str = "local") -> None:
        """Start, with the directory that is asked first."""
        self.helper.start()
        self._write(first)
        self.daemon.start()

    def stop(self) -> None:
        """End it all."""
        if self.daemon.running():
            self.daemon.stop()
        self.helper.stop()

    def ask_first(self, name: str) -> None:
        """Have the daemon ask another directory first."""
        before = self._reloads()
        self._write(name)
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: self._reloads() > before, "the reload")

    def enroll(self, user: str) -> App:
        """Give whoever has the name now an authenticator app."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, user)

    def _write(self, first: str) -> None:
        tables = self._local + self._corp if first == "local" else self._corp + self._local
        self.daemon.write(tables, extra=self.rules)
        config = self.daemon.config
        config.write_text(config.read_text().replace('["totp"]', '["totp", "trusted_device"]'))

    def _reloads(self) -> int:
        return sum(event["event"] == "config.reloaded" for event in self.daemon.events())


class Visitor:
    """Somebody with a name, a password, and perhaps a device, at an application."""

    def __init__(self, channel: grpc.Channel, name: str, password: str) -> None:
        self._login = login_pb2_grpc.LoginServiceStub(channel)
        self.name = name
        self._password = password

    def come(self, token: str = "") -> login_pb2.Step:
        """The step after the password."""
        request = login_pb2.BeginLoginRequest(
            user=self.name,
            service="portal",
            origin=login_pb2.Origin(remote_host="192.0.2.7"),
            primary=login_pb2.PRIMARY_PASSWORD,
            evidence=[login_pb2.Evidence(device_token=token)] if token else [],
            keeps_device_token=True,
        )
        return self.answer(self._login.BeginLogin(request, timeout=15).step, self._password)

    def answer(self, step: login_pb2.Step, answer: str) -> login_pb2.Step:
        """The step after an answer."""
        request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=answer.encode())
        return self._login.AnswerLogin(request, timeout=15).step

    def sign_in(self, code: str) -> login_pb2.Outcome:
        """A whole login with a code, and the device is not to be trusted."""
        return self._declined(self.answer(self.come(), code))

    def vouch(self, code: str) -> str:
        """Sign in and trust the device: its token."""
        step = self.answer(self.answer(self.come(), code), "y")
        assert step.outcome.verdict == login_pb2.VERDICT_GRANTED
        return step.outcome.device_token

    def _declined(self, step: login_pb2.Step) -> login_pb2.Outcome:
        offered = "Trust this device" in step.prompt.text
        return (self.answer(step, "n") if offered else step).outcome
