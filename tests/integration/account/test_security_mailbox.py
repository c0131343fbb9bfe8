"""The security email and printed codes, set by the person, through real mail and the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from testbed.front_door import Person
from testbed.own_account import answers
from testbed.second_factors import LETTERS
from testbed.slapd import password_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.own_account import AccountWorld


def test_a_security_email_is_proven_by_the_code_sent_to_it(world: AccountWorld, tmp_path: Path) -> None:
    """A wrong code stores nothing, the right one does; from then on emergency codes and notices go there."""
    person = world.person()
    app = world.totp(person)
    with world.talk_account(person, "security-email", person.security) as talk:
        assert talk.stdin
        assert talk.stdout
        talk.stdin.write(answers(person, app, "AAAA-BBBB-CCCC"))
        talk.stdin.flush()
        talk.stdin.write(world.security_code(person) + "\n")
        talk.stdin.flush()
        output = talk.stdout.read()
    assert talk.returncode == 0, output
    assert "not right" in output
    done = world.account_with_session(person, tmp_path, "show", "--json", typed=answers(person, app))
    shown = json.loads(done.stdout[done.stdout.index("{") :])
    assert shown["security_email"] == f"{person.security[0]}•••@nl.test"
    assert [one["factor"] for one in shown["credentials"]] == ["totp"]
    printed = world.account_with_session(person, tmp_path, "recovery-codes", "--yes")
    assert printed.returncode == 0, printed.stderr
    assert world.mailed(person, person.security, "second step was added")
    with world.daemon.channel() as channel:
        login = Person(channel, person.name)
        step = login.answer(login.password(), "?")
        number = next(line.split()[0] for line in step.prompt.text.splitlines() if "can't access" in line)
        step = login.answer(login.answer(step, number), "y")
        code = world.mailed(person, person.security, LETTERS)
        step = login.answer(step, code)
        assert step.WhichOneof("kind") == "outcome"
        assert step.outcome.verdict == login_pb2.VERDICT_GRANTED


def test_new_printed_codes_end_the_old_ones(world: AccountWorld) -> None:
    """After making new codes, none of the old set signs anybody in (REC-04)."""
    person = world.person()
    app = world.totp(person)
    old = world.print_codes(person)
    with world.service() as service:
        session = service.sign_in(person, app.fresh())
        made = service.call("RegenerateRecoveryCodes", session=session).enrollment
        new = [detail.value for detail in made.details]
        assert len(new) == 10

        def by_code(code: str) -> login_pb2.Verdict.ValueType:
            *_, step = service.steps(
                "AnswerSession", service.begin(person), password_of(person.name), "?", "2", code
            )
            verdict: login_pb2.Verdict.ValueType = step.outcome.verdict
            return verdict

        assert by_code(old[0]) != login_pb2.VERDICT_GRANTED
        assert by_code(new[0]) == login_pb2.VERDICT_GRANTED


def test_a_security_email_needs_a_proof_by_a_factor(world: AccountWorld) -> None:
    """An address that is none is refused in words, and no session means no mail."""
    person = world.person()
    app = world.totp(person)
    with world.service() as service:
        session = service.sign_in(person, app.fresh())
        with pytest.raises(grpc.RpcError) as wrong:
            service.call("BeginSecurityEmail", session=session, address="nobody at all")
        assert wrong.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.RpcError) as unsigned:
            service.call("BeginSecurityEmail", session=b"x" * 80, address=person.security)
        assert unsigned.value.code() is grpc.StatusCode.UNAUTHENTICATED
