"""The whole front door: slapd, nightlatchd, sshd, and people with their phones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.v1 import enrollment_pb2, enrollment_pb2_grpc, login_pb2, login_pb2_grpc
from testbed.codes import SENDING, App
from testbed.daemon import Nightlatchd
from testbed.slapd import PEOPLE, SERVICE_DN, Slapd, password_of
from testbed.ssh_login import CODE, PASSWORD, SshLogin
from testbed.sshd import Sshd, SshUser

if TYPE_CHECKING:
    import grpc

MODULE = Path(__file__).resolve().parents[2] / "build" / "pam_module" / "pam_nightlatch.so"
USERS = tuple(SshUser(name, 21001 + at) for at, name in enumerate(("alice", "bob", "carol", "dave")))


def directory_table(slapd: Slapd) -> str:
    """The configuration's table for a slapd."""
    return f"""
[[directories]]
name = "corp"
kind = "ldap"
urls = ["{slapd.tls_url}"]
ca_file = "{slapd.ca_file}"
bind_dn = "{SERVICE_DN}"
bind_password_file = "{slapd.service_password_file}"
base = "{PEOPLE}"
connect_timeout = 2.0
operation_timeout = 3.0
"""


class FrontDoor:
    """One host with everything. Started by its fixture."""

    def __init__(
        self, folder: Path, slapd: Slapd, *, module_options: str = "", key_users: bool = False
    ) -> None:
        self.folder = folder
        self.slapd = slapd
        self.daemon = Nightlatchd(folder / "d", directory_table(slapd), level="debug")
        auth = f"auth required {MODULE} socket={self.daemon.pam_socket} timeout=5 {module_options}"
        users = tuple(SshUser(user.name, user.uid, needs_key=key_users) for user in USERS)
        self.sshd = Sshd(folder / "sshd", users, auth)

    def start(self) -> None:
        """Start the daemon and the SSH server."""
        self.daemon.start()
        self.sshd.start()

    def stop(self) -> None:
        """End them."""
        self.sshd.stop()
        self.daemon.stop()

    def enroll(self, user: str, label: str = "phone") -> App:
        """Give a person an authenticator app, as the command line does."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, user, label)

    def ssh(self, user: str = "alice") -> SshLogin:
        """A login to be."""
        return SshLogin(self.sshd.port, user, self.folder)

    def sign_in(self, app: App, user: str = "alice") -> bool:
        """One whole login with the right answers."""
        return self.ssh(user).run({PASSWORD: password_of(user), CODE: app.fresh()})


def enroll(channel: grpc.Channel, user: str, label: str = "phone") -> App:
    """Enrol an authenticator app over the admin socket."""
    service = enrollment_pb2_grpc.EnrollmentServiceStub(channel)
    request = enrollment_pb2.BeginEnrollmentRequest(user=user, factor="totp", label=label)
    begun = service.BeginEnrollment(request, timeout=15)
    app = App(begun.qr_payload)
    answer = app.fresh(good_for=SENDING).encode()  # the oldest that counts: later ones need no waiting
    service.ConfirmEnrollment(
        enrollment_pb2.ConfirmEnrollmentRequest(ticket=begun.ticket, answer=answer), timeout=15
    )
    return app


class Person:
    """A login over gRPC, as a PAM module makes it."""

    def __init__(self, channel: grpc.Channel, user: str = "alice", service: str = "sshd") -> None:
        self._login = login_pb2_grpc.LoginServiceStub(channel)
        self.user = user
        self.service = service

    def begin(self, primary: login_pb2.Primary.ValueType = login_pb2.PRIMARY_PASSWORD) -> login_pb2.Step:
        """The first step."""
        request = login_pb2.BeginLoginRequest(
            user=self.user,
            service=self.service,
            origin=login_pb2.Origin(remote_host="192.0.2.7", terminal="ssh"),
            primary=primary,
        )
        return self._login.BeginLogin(request, timeout=15).step

    def answer(self, step: login_pb2.Step, answer: str) -> login_pb2.Step:
        """The step after an answer."""
        request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=answer.encode())
        return self._login.AnswerLogin(request, timeout=15).step

    def password(self, password: str = "") -> login_pb2.Step:
        """The step after the password."""
        return self.answer(self.begin(), password or password_of(self.user))

    def sign_in(self, code: str) -> login_pb2.Outcome:
        """A whole login with the right password and this code, typed once."""
        return self.answer(self.password(), code).outcome
