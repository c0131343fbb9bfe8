"""Trusted devices over gRPC: a token that an application keeps, and that changes with its use."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.slapd import password_of

if TYPE_CHECKING:
    import grpc

    from testbed.codes import App
    from testbed.second_factors import Resident, World

TRUST_TOKEN = "Trust this device for 30 days? [y/N] "
OVER = 10.5
"""Seconds after which a spent token is a copy: ten of grace, by the daemon's own clock."""


@dataclass
class Application:
    """A client that keeps device tokens."""

    channel: grpc.Channel
    person: Resident

    def begin(self, token: str = "") -> login_pb2.Step:
        """The step after the right password, with a device's token or without one."""
        request = login_pb2.BeginLoginRequest(
            user=self.person.name,
            service="portal",
            origin=login_pb2.Origin(remote_host="192.0.2.7"),
            primary=login_pb2.PRIMARY_PASSWORD,
            evidence=[login_pb2.Evidence(device_token=token)] if token else [],
            keeps_device_token=True,
        )
        step = login_pb2_grpc.LoginServiceStub(self.channel).BeginLogin(request, timeout=15).step
        return self.answer(step, password_of(self.person.name))

    def answer(self, step: login_pb2.Step, answer: str) -> login_pb2.Step:
        """The step after an answer."""
        request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=answer.encode())
        return login_pb2_grpc.LoginServiceStub(self.channel).AnswerLogin(request, timeout=15).step

    def vouch(self, app: App) -> str:
        """Log in with a code and trust the device: its token."""
        step = self.answer(self.begin(), app.fresh())
        assert step.prompt.text == TRUST_TOKEN
        outcome = self.answer(step, "y").outcome
        assert outcome.verdict == login_pb2.VERDICT_GRANTED
        return outcome.device_token


def test_a_token_changes_with_its_use_and_an_old_one_is_theft(world: World, person: Resident) -> None:
    """DEV-01, DEV-02: rotated, given again in the grace; of no use to others; later, it ends the trust."""
    neighbour = world.person()
    world.totp(neighbour)
    world.enroll(person, "email")
    app = world.totp(person)
    with world.daemon.channel() as channel:
        application = Application(channel, person)
        old = application.vouch(app)
        assert re.fullmatch(r"\S{40,}", old)
        outcome = application.begin(old).outcome
        assert outcome.verdict == login_pb2.VERDICT_GRANTED
        new = outcome.device_token
        assert new not in {"", old}
        world.secrets |= {old, new, old.partition(".")[2], new.partition(".")[2]}
        again = application.begin(old).outcome
        assert (again.verdict, again.device_token) == (login_pb2.VERDICT_GRANTED, new)
        stranger = Application(channel, neighbour)
        assert stranger.begin(new).WhichOneof("kind") == "prompt"
        assert len(world.devices(person)) == 1
        time.sleep(OVER)
        stolen = application.begin(old)
        assert stolen.WhichOneof("kind") == "prompt"
        assert world.devices(person) == []
        assert application.begin(new).WhichOneof("kind") == "prompt"
    assert world.mailed(person, person.mailbox, "A device is no longer trusted")


def test_a_token_is_worth_nothing_without_the_password(world: World, person: Resident) -> None:
    """DEV-03: with a wrong password the token is not looked at, and stays good."""
    app = world.totp(person)
    with world.daemon.channel() as channel:
        application = Application(channel, person)
        token = application.vouch(app)
        world.secrets.add(token)
        request = login_pb2.BeginLoginRequest(
            user=person.name,
            service="portal",
            primary=login_pb2.PRIMARY_PASSWORD,
            evidence=[login_pb2.Evidence(device_token=token)],
        )
        step = login_pb2_grpc.LoginServiceStub(channel).BeginLogin(request, timeout=15).step
        assert application.answer(step, "wrong").outcome.verdict == login_pb2.VERDICT_REFUSED
        assert application.begin(token).outcome.verdict == login_pb2.VERDICT_GRANTED
