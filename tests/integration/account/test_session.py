"""Signing in to one's own account, and what a session is good for, through real slapd and the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.cli.own_session import reason_of
from nightlatch.v1 import account_pb2, account_pb2_grpc, login_pb2, login_pb2_grpc
from testbed.own_account import answers
from testbed.slapd import password_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.own_account import AccountWorld


def test_the_account_is_shown_behind_password_and_code(world: AccountWorld) -> None:
    """What a person has, and the sign-ins, are shown after the two steps, and after nothing less."""
    person = world.person()
    app = world.totp(person)
    world.print_codes(person)
    shown = world.shown(person, app)
    assert {one["factor"]: one["uses_left"] for one in shown["credentials"]} == {"totp": None, "recovery": 10}
    newest = shown["sign_ins"][0]
    assert (newest["service"], newest["factor"], newest["result"]) == ("account", "totp", "granted")
    wrong = world.account(person, "show", typed=f"{password_of(person.name)}\n{app.wrong()}\n")
    assert wrong.returncode == 1
    assert "Authenticator" not in wrong.stdout.partition("\n")[2]


def test_an_ordinary_user_signs_in_too(world: AccountWorld) -> None:
    """The socket lets every user in, and who they are on this host proves nothing: they sign in."""
    person = world.person()
    app = world.totp(person)
    assert world.socket.stat().st_mode & 0o777 == 0o666
    with world.service() as service, pytest.raises(grpc.RpcError) as refused:
        service.call("GetAccount", session=b"")
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(refused.value) == "SESSION_ENDED"
    with world.service() as service:
        assert service.call("GetAccount", session=service.sign_in(person, app.fresh())).user == person.name


def test_a_session_is_kept_for_the_next_command_until_signing_out(
    world: AccountWorld, tmp_path: Path
) -> None:
    """With a private runtime folder the second command asks for nothing; after signing out it does."""
    person = world.person()
    app = world.totp(person)
    tmp_path.chmod(0o700)
    first = world.account_with_session(person, tmp_path, "show", "--json", typed=answers(person, app))
    assert first.returncode == 0, first.stderr
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    second = world.account_with_session(person, tmp_path, "show", "--json")
    assert json.loads(second.stdout)["user"] == person.name
    bearer = kept.read_bytes()
    assert world.account_with_session(person, tmp_path, "sign-out").returncode == 0
    kept.write_bytes(bearer)
    kept.chmod(0o600)
    ended = world.account_with_session(person, tmp_path, "show", "--json")
    assert ended.returncode == 1
    assert "Password" in ended.stdout


def test_credentials_are_added_named_and_removed(world: AccountWorld) -> None:
    """A new factor counts after its code; the last one to sign in with stays; every change is told."""
    person = world.person()
    app = world.totp(person)
    with world.talk_account(person, "add", "email", "--address", person.mailbox) as talk:
        assert talk.stdin
        talk.stdin.write(answers(person, app))
        talk.stdin.flush()
        talk.stdin.write(world.mailed(person, person.mailbox, r"\b\d{8}\b") + "\n")
        talk.stdin.flush()
        assert talk.stdout
        output = talk.stdout.read()
    assert talk.returncode == 0, output
    ids = world.credentials(person)
    with world.service() as service:
        (step,) = service.steps("AnswerSession", service.begin(person), password_of(person.name))
        code = world.mailed(person, person.mailbox, r"\b\d{8}\b").encode()
        session = service.call("AnswerSession", ticket=step.ticket, answer=code).session
        service.call("RenameOwnCredential", session=session, credential_id=ids["totp"], label="old phone")
        assert {one.label for one in service.call("GetAccount", session=session).credentials} >= {"old phone"}
        service.call("RemoveOwnCredential", session=session, credential_id=ids["totp"])
        assert "old phone" in world.mailed(person, person.mailbox, "step was removed: old phone")
        with pytest.raises(grpc.RpcError) as last:
            service.call("RemoveOwnCredential", session=session, credential_id=ids["email"])
    assert last.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "last credential" in (last.value.details() or "")


def test_a_session_reaches_nobody_elses_account(world: AccountWorld) -> None:
    """Another person's credential does not exist for a session, nor is it served elsewhere (API-02)."""
    one, other = world.person(), world.person()
    app, others = world.totp(one), world.totp(other)
    with world.service() as service:
        mine = service.sign_in(one, app.fresh())
        service.sign_in(other, others.fresh())
        with pytest.raises(grpc.RpcError) as missing:
            service.call("RemoveOwnCredential", session=mine, credential_id=world.credentials(other)["totp"])
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND
    with world.daemon.channel() as channel, pytest.raises(grpc.RpcError) as elsewhere:
        account_pb2_grpc.AccountServiceStub(channel).GetAccount(account_pb2.GetAccountRequest(), timeout=15)
    assert elsewhere.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_no_other_login_leads_to_a_session(world: AccountWorld) -> None:
    """A login begun on the PAM socket is not one for the account, whatever service it names (DEV-03)."""
    person = world.person()
    world.totp(person)
    with world.daemon.channel() as channel, world.service() as service:
        login = login_pb2_grpc.LoginServiceStub(channel)
        begun = login.BeginLogin(
            login_pb2.BeginLoginRequest(
                user=person.name, service="account", primary=login_pb2.PRIMARY_ESTABLISHED
            ),
            timeout=15,
        )
        with pytest.raises(grpc.RpcError) as refused:
            service.call("AnswerSession", ticket=begun.step.ticket, answer=b"1")
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_recovery_code_lets_a_person_add_and_remove_nothing(world: AccountWorld) -> None:
    """Signed in by a printed code, a new factor can be added; removing asks for another proof (REC-04)."""
    person = world.person()
    world.totp(person)
    codes = world.print_codes(person)
    with world.service() as service:
        step = service.begin(person)
        *_, step = service.steps("AnswerSession", step, password_of(person.name), "?", "2")
        done = service.call("AnswerSession", ticket=step.ticket, answer=codes[0].encode())
        ids = world.credentials(person)
        with pytest.raises(grpc.RpcError) as asked:
            service.call("RemoveOwnCredential", session=done.session, credential_id=ids["totp"])
        assert reason_of(asked.value) == "PROOF_NEEDED"
        with pytest.raises(grpc.RpcError) as regenerating:
            service.call("RegenerateRecoveryCodes", session=done.session)
        assert reason_of(regenerating.value) == "PROOF_NEEDED"
        begun = service.call("BeginAdd", session=done.session, factor="totp", label="new")
    assert begun.enrollment.qr_payload


def test_devices_are_listed_and_revoked_by_their_person(world: AccountWorld) -> None:
    """A trusted device is shown to its person, who ends the trust; then its token spares nothing (DEV-04)."""
    person = world.person()
    app = world.totp(person)
    with world.daemon.channel() as channel, world.service() as service:
        login = login_pb2_grpc.LoginServiceStub(channel)

        def begin(token: str = "") -> login_pb2.Step:
            request = login_pb2.BeginLoginRequest(
                user=person.name,
                service="sshd",
                origin=login_pb2.Origin(remote_host="192.0.2.7"),
                primary=login_pb2.PRIMARY_PASSWORD,
                keeps_device_token=True,
                evidence=[login_pb2.Evidence(device_token=token)] if token else [],
            )
            return login.BeginLogin(request, timeout=15).step

        def answer(step: login_pb2.Step, typed: str) -> login_pb2.Step:
            request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=typed.encode())
            return login.AnswerLogin(request, timeout=15).step

        step = answer(answer(answer(begin(), password_of(person.name)), app.fresh()), "y")
        token = step.outcome.device_token
        session = service.sign_in(person, app.fresh())
        assert len(service.call("GetAccount", session=session).devices) == 1
        assert service.call("RevokeOwnDevices", session=session).devices == 1
        assert not answer(begin(token), password_of(person.name)).HasField("outcome")


def test_an_administrator_lists_and_ends_a_persons_sessions(world: AccountWorld) -> None:
    """What is ended counts at the very next call, and the list never shows what the person holds."""
    person = world.person()
    app = world.totp(person)
    with world.service() as service:
        session = service.sign_in(person, app.fresh())
        listed = json.loads(world.command("session", "list", person.name, "--json").stdout)["sessions"]
        assert len(listed) == 1
        assert listed[0]["id"].encode() not in session
        ended = json.loads(world.command("session", "end", person.name, listed[0]["id"], "--json").stdout)
        assert ended["ended"] == 1
        with pytest.raises(grpc.RpcError) as refused:
            service.call("GetAccount", session=session)
        assert reason_of(refused.value) == "SESSION_ENDED"
