"""Logins over a real SSH server: the module, the daemon, a real slapd, a person with a phone."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from testbed.slapd import password_of, person_dn
from testbed.ssh_login import CODE, PASSWORD, WELCOME

if TYPE_CHECKING:
    from testbed.front_door import FrontDoor


def test_password_and_code_open_the_door_and_nothing_less_does(door: FrontDoor) -> None:
    """Wrong password, wrong code and a used code are refused; right password and code reach the shell."""
    app = door.enroll("alice")
    assert not door.ssh().run({PASSWORD: "wrong", CODE: app.code()})
    refused = door.ssh()
    assert not refused.run({PASSWORD: password_of("alice"), CODE: app.wrong()})
    assert "That code was not right." in refused.transcript
    code = app.fresh()
    assert door.ssh().run({PASSWORD: password_of("alice"), CODE: code})
    assert not door.ssh().run({PASSWORD: password_of("alice"), CODE: code})


def test_the_code_that_confirmed_an_enrolment_is_spent(door: FrontDoor) -> None:
    """OTP-07: the confirming code does not log in."""
    app = door.enroll("alice")
    confirming = app._totp.at(app.last * 30)
    assert not door.ssh().run({PASSWORD: password_of("alice"), CODE: confirming})


def test_a_daemon_killed_between_password_and_code_is_not_noticed(door: FrontDoor) -> None:
    """Kill -9 and a new start while the person looks for the phone: the code that is typed then counts."""
    app = door.enroll("alice")
    client = door.ssh().open()
    client.expect(PASSWORD)
    client.sendline(password_of("alice"))
    client.expect(CODE)
    door.daemon.kill()
    door.daemon.start()
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()


def test_a_code_typed_while_the_daemon_restarts_waits_for_it(door: FrontDoor) -> None:
    """The module connects again within its deadline: a restart under its hands is a short wait."""
    app = door.enroll("alice")
    client = door.ssh().open()
    client.expect(PASSWORD)
    client.sendline(password_of("alice"))
    client.expect(CODE)
    door.daemon.stop()
    client.sendline(app.fresh())
    door.daemon.start()
    client.expect(WELCOME)
    client.close()


def test_after_a_public_key_only_the_code_is_asked(key_door: FrontDoor) -> None:
    """mode=factor behind publickey: one prompt, and the key alone is not enough."""
    app = key_door.enroll("alice")
    attempt = key_door.ssh()
    attempt.key = key_door.sshd.key
    assert attempt.run({CODE: app.fresh()})
    assert len(attempt.prompts) == 1
    attempt = key_door.ssh()
    attempt.key = key_door.sshd.key
    assert not attempt.run({CODE: app.wrong()})
    assert not key_door.ssh().run({PASSWORD: password_of("alice"), CODE: app.fresh()})


@pytest.mark.parametrize("state", ["stopped", "hung"])
def test_without_an_answering_daemon_nobody_gets_in(door: FrontDoor, state: str) -> None:
    """FLT-01: stopped or hung, the login is denied within the module's deadline, as an outage."""
    app = door.enroll("alice")
    if state == "stopped":
        door.daemon.stop()
    else:
        door.daemon.signal(signal.SIGSTOP)
    assert not door.ssh().run({PASSWORD: password_of("alice"), CODE: app.code()}, seconds=30)
    assert "Authentication service cannot retrieve" in door.sshd.log
    if state == "hung":
        door.daemon.signal(signal.SIGCONT)
        assert door.sign_in(app)


def test_people_without_a_code_are_told_what_to_do(door: FrontDoor) -> None:
    """Whoever has no second factor is refused after the right password, with words, not before."""
    attempt = door.ssh("bob")
    assert not attempt.run({PASSWORD: password_of("bob")})
    assert "none is set up yet" in attempt.transcript


def test_another_name_of_a_person_opens_nobody_else_s_session(door: FrontDoor) -> None:
    """PAM-11: "dave" is a user of the host, and a second name of alice: her password and code are not his."""
    door.slapd.remove(person_dn("dave"))
    door.slapd.modify(f"dn: {person_dn('alice')}\nchangetype: modify\nadd: uid\nuid: dave\n")
    app = door.enroll("dave")
    attempt = door.ssh("dave")
    assert not attempt.run({PASSWORD: password_of("alice"), CODE: app.fresh()})
    assert len(attempt.prompts) == 1, "the code is not asked for"
    assert 'Sign in as "alice", please.' in attempt.transcript
    assert door.ssh("alice").run({PASSWORD: password_of("alice"), CODE: app.fresh()})
