"""Setting a forgotten password anew, through real slapd and mail and the command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from testbed.front_door import Person
from testbed.process import wait_until
from testbed.slapd import password_of

if TYPE_CHECKING:
    from testbed.own_account import AccountWorld, OwnService
    from testbed.second_factors import Resident

NEW = "Entirely-new-password-5"


def _answer(service: OwnService, step: login_pb2.Step, typed: str) -> login_pb2.Step:
    (after,) = service.steps("AnswerReset", step, typed)
    return after


def _login(world: AccountWorld, person: Resident, password: str) -> login_pb2.Step:
    with world.daemon.channel() as channel:
        return Person(channel, person.name).password(password)


def test_a_forgotten_password_is_set_behind_mail_and_second_factor(world: AccountWorld) -> None:
    """By the command: code from the mail, code from the app, a new password; it counts, and is told."""
    person = world.person()
    app = world.totp(person)
    world.enroll(person, "emergency")
    with world.talk_account(person, "forgot", session=False) as talk:
        assert talk.stdin
        assert talk.stdout
        typed = (world.security_code(person), app.fresh(), NEW, NEW)
        talk.stdin.write("".join(f"{line}\n" for line in typed))
        talk.stdin.flush()
        output = talk.stdout.read()
    assert talk.returncode == 0, output
    assert "Your password is set" in output
    assert _login(world, person, password_of(person.name)).outcome.verdict == login_pb2.VERDICT_REFUSED
    assert _login(world, person, NEW).HasField("prompt")
    assert world.mailed(person, person.security, "password was changed")


def test_the_first_answer_is_the_same_for_everybody(world: AccountWorld) -> None:
    """Known or not, with a security email or without: the same words, and no earlier answer (IDN-05)."""
    with_mail, without = world.person(), world.person()
    world.totp(with_mail)
    world.enroll(with_mail, "emergency")
    world.totp(without)
    answers, times = [], []
    with world.service() as service:
        service.call("BeginReset", user="somebody-else")  # connects
        for name in (with_mail.name, without.name, "nobody-at-all"):
            before = time.monotonic()
            step = service.call("BeginReset", user=name).step
            times.append(time.monotonic() - before)
            again = _answer(service, step, "AAAA-BBBB-CCCC")
            answers.append((step.prompt.text, step.prompt.echo, again.prompt.text, len(step.ticket) > 0))
    assert len(set(answers)) == 1
    assert all(0.25 <= taken < 0.4 for taken in times), times
    world.security_code(with_mail)


def test_what_is_mailed_alone_sets_no_password(world: AccountWorld) -> None:
    """Somebody who has the mailboxes, and no other factor, gets no further than the first code."""
    person = world.person()
    world.enroll(person, "emergency")
    world.enroll(person, "email")
    with world.service() as service:
        step = service.call("BeginReset", user=person.name).step
        step = _answer(service, step, world.security_code(person))
        assert step.outcome.verdict == login_pb2.VERDICT_REFUSED
    assert _login(world, person, password_of(person.name)).HasField("prompt")


def test_a_code_counts_once_and_guesses_are_bounded(world: AccountWorld) -> None:
    """A used code is a wrong one; five wrong ones end the try, and the next are not looked at for a while."""
    person = world.person()
    app = world.totp(person)
    world.enroll(person, "emergency")
    with world.service() as service:
        begun = service.call("BeginReset", user=person.name).step
        code = world.security_code(person)
        proof = _answer(service, begun, code)
        assert proof.prompt.kind == login_pb2.PROMPT_KIND_CODE
        again = _answer(service, begun, code)
        assert "not right" in again.prompt.text
        for _ in range(3):
            again = _answer(service, again, "AAAA-BBBB-CCCC")
        assert _answer(service, again, "AAAA-BBBB-CCCC").outcome.verdict == login_pb2.VERDICT_REFUSED
        locked = _answer(service, begun, "AAAA-BBBB-CCCC")
        assert locked.outcome.verdict == login_pb2.VERDICT_LOCKED
        password = _answer(service, proof, app.fresh())
        assert password.prompt.kind == login_pb2.PROMPT_KIND_PASSWORD
        assert not password.prompt.echo
        done = _answer(service, password, NEW)
        assert done.outcome.verdict == login_pb2.VERDICT_GRANTED
        with pytest.raises(grpc.RpcError) as spent:
            _answer(service, password, "Yet-another-password-6")
        assert spent.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert _login(world, person, NEW).HasField("prompt")


def test_messages_for_resets_are_limited_by_themselves(world: AccountWorld) -> None:
    """The fourth code in ten minutes is not sent; codes for signing in still are."""
    person = world.person()
    world.totp(person)
    world.enroll(person, "emergency")
    world.enroll(person, "email")
    with world.service() as service:
        for _ in range(3):
            service.call("BeginReset", user=person.name)
            world.security_code(person)
        service.call("BeginReset", user=person.name)
        wait_until(lambda: _limited(world, person), "the limit in the log")
        (step,) = service.steps("AnswerSession", service.begin(person), password_of(person.name))
        assert world.mailed(person, person.mailbox, r"\b\d{8}\b")
        assert step.HasField("prompt")


def _limited(world: AccountWorld, person: Resident) -> bool:
    rows = world.audit("select user_name from audit where event = 'message.send' and result = 'locked'")
    return (person.name,) in rows
