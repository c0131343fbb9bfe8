"""Changing one's own password, and what follows from it, through real slapd, mail and the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.cli.own_session import reason_of
from nightlatch.v1 import login_pb2
from testbed.front_door import Person
from testbed.own_account import answers
from testbed.slapd import password_of

if TYPE_CHECKING:
    from testbed.own_account import AccountWorld

NEW = "A new one for the tests 1"


def test_a_changed_password_is_the_one_that_counts(world: AccountWorld) -> None:
    """By the command: the next login takes the new password, other sessions are over, the person is told."""
    person = world.person()
    app = world.totp(person)
    world.enroll(person, "emergency")
    with world.service() as service:
        other = service.sign_in(person, app.fresh())
        old = password_of(person.name)
        done = world.account(person, "password", typed=answers(person, app, old, NEW, NEW))
        assert done.returncode == 0, done.stdout + done.stderr
        with pytest.raises(grpc.RpcError) as ended:
            service.call("GetAccount", session=other)
        assert reason_of(ended.value) == "SESSION_ENDED"
    assert "password was changed" in world.mailed(person, person.security, "password was changed")
    with world.daemon.channel() as channel:
        login = Person(channel, person.name)
        assert login.password(old).outcome.verdict == login_pb2.VERDICT_REFUSED
        assert login.password(NEW).prompt.kind == login_pb2.PROMPT_KIND_CODE


def test_a_wrong_old_password_changes_nothing_and_is_counted(world: AccountWorld) -> None:
    """Five wrong old passwords, then none is looked at for a while, nor is a right one (PPW-01)."""
    person = world.person()
    app = world.totp(person)
    with world.service() as service:
        session = service.sign_in(person, app.fresh())

        def change(old: str) -> grpc.StatusCode:
            with pytest.raises(grpc.RpcError) as refused:
                service.call(
                    "ChangePassword", session=session, old_password=old.encode(), new_password=NEW.encode()
                )
            code: grpc.StatusCode = refused.value.code()
            return code

        assert {change(f"wrong {number}") for number in range(5)} == {grpc.StatusCode.PERMISSION_DENIED}
        assert change(password_of(person.name)) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_nothing_secret_is_logged(world: AccountWorld) -> None:
    """Neither passwords nor sessions nor codes are in the daemon's log or state (LEK-01)."""
    person = world.person()
    app = world.totp(person)
    with world.service() as service:
        session = service.sign_in(person, app.fresh())
        old, new = password_of(person.name).encode(), b"Canary-of-a-new-one-88"
        service.call("ChangePassword", session=session, old_password=old, new_password=new)
    log = world.daemon.log.read_bytes()
    state = b"".join(path.read_bytes() for path in (world.daemon.folder / "state").iterdir())
    for secret in (new, session, session.hex().encode()):
        assert secret not in log + state
