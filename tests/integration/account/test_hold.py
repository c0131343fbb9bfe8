"""The hold after a recovery or emergency code, through real slapd and mail, and the command (REC-04)."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.cli.own_session import reason_of
from nightlatch.login.hold import HOLD
from nightlatch.v1 import login_pb2
from testbed.codes import SENDING, App
from testbed.own_account import AccountWorld, answers
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.own_account import OwnService
    from testbed.pki import Pki
    from testbed.second_factors import Resident


class Led(AccountWorld):
    """Where people may set something up in signing in."""

    def configure(self, *, email_channel: str = "mail", days: int = 30, extra: str = "") -> None:
        """Write the daemon's configuration."""
        super().configure(email_channel=email_channel, days=days, extra=extra)
        text, rule = self.daemon.config.read_text(), "trusted_device_days = 30"
        assert text.count(rule) == 1
        self.daemon.config.write_text(text.replace(rule, f'{rule}\nenrollment = "self"'))


@pytest.fixture(scope="module")
def world(open_folder: Path, pki: Pki) -> Iterator[AccountWorld]:
    """Everything, running."""
    running = Led(open_folder, pki)
    running.start()
    yield running
    running.stop()


HELD = "was added after a recovery code or an emergency code was used. Until "


def choose(text: str, words: str) -> str:
    """The number of the way that has these words."""
    return next(line.split()[0] for line in text.splitlines() if words in line)


def sign_in_by(service: OwnService, person: Resident, way: str, proof: str) -> bytes:
    """A session by one of several ways, told by its words in the list."""
    steps = service.steps("AnswerSession", service.begin(person), password_of(person.name), "?")
    *_, step = steps
    (step,) = service.steps("AnswerSession", step, choose(step.prompt.text, way))
    done = service.call("AnswerSession", ticket=step.ticket, answer=proof.encode())
    assert done.step.outcome.verdict == login_pb2.VERDICT_GRANTED, done.step
    return bytes(done.session)


def add_app(service: OwnService, session: bytes, label: str) -> tuple[App, str]:
    """A new app, and its id."""
    begun = service.call("BeginAdd", session=session, factor="totp", label=label).enrollment
    app = App(begun.qr_payload)
    code = app.fresh(good_for=SENDING).encode()
    made = service.call("ConfirmAdd", session=session, ticket=begun.ticket, answer=code)
    return app, made.credential_id


def proven(service: OwnService, session: bytes, code: str) -> bytes:
    """The session after a fresh proof by what is asked for first; empty where it was refused."""
    step = service.call("BeginProof", session=session).step
    assert step.HasField("prompt"), step
    answered = service.call("AnswerProof", session=session, ticket=step.ticket, answer=code.encode())
    return bytes(answered.session)


def refused(service: OwnService, method: str, **fields: object) -> str:
    """Why a call was turned away, for programs."""
    with pytest.raises(grpc.RpcError) as error:
        service.call(method, **fields)
    return reason_of(error.value)


def changes_of(person: Resident, credential_id: str) -> dict[str, dict[str, object]]:
    """Every call that changes more than adding does."""
    old = password_of(person.name).encode()
    return {
        "RemoveOwnCredential": {"credential_id": credential_id},
        "RenameOwnCredential": {"credential_id": credential_id, "label": "x"},
        "RegenerateRecoveryCodes": {},
        "BeginSecurityEmail": {"address": person.security},
        "ChangePassword": {"old_password": old, "new_password": b"Entirely-new-password-7"},
    }


def on_hold(service: OwnService, session: bytes) -> set[str]:
    """The names of what the account shows as on hold."""
    shown = service.call("GetAccount", session=session).credentials
    return {one.label for one in shown if one.HasField("hold_end_time")}


def held_for_administrators(world: AccountWorld, person: Resident) -> list[set[str]]:
    """The names of what administrators see on hold, by each of their commands."""
    commands = (("credential", "list"), ("admin", "user", "show"))
    told = [json.loads(world.command(*words, person.name, "--json").stdout) for words in commands]
    return [{one["label"] for one in each["credentials"] if one["hold_end_time"]} for each in told]


def let_a_day_go_by(world: AccountWorld) -> None:
    """Make every hold a day older, where it is kept."""
    with sqlite3.connect(world.daemon.folder / "state" / "nightlatch.db", timeout=10) as database:
        rows = database.execute("select account_id, state from standings").fetchall()
        for account_id, text in rows:
            state = json.loads(text)
            state["holds"] = [[held, end - HOLD] for held, end in state.get("holds", [])]
            database.execute(
                "update standings set state = ? where account_id = ?", (json.dumps(state), account_id)
            )


def test_a_recovery_code_takes_no_account_from_its_person(world: AccountWorld) -> None:
    """A stolen code adds an app that signs in and changes nothing; its person is told, and acts (REC-04)."""
    person = world.person()
    world.enroll(person, "email")
    mine = world.totp(person)
    codes = world.print_codes(person)
    ids = world.credentials(person)
    with world.service() as service:
        thief = sign_in_by(service, person, "Recovery code", codes[0])
        stolen, added = add_app(service, thief, "stolen")
        asked = service.call("BeginProof", session=thief).step
        assert f'"stolen" {HELD}' in asked.prompt.text
        assert '"phone"' in asked.prompt.text.splitlines()[-1]
        assert proven(service, thief, stolen.fresh()) == b""
        second = sign_in_by(service, person, '"stolen"', stolen.fresh())
        for session in (thief, second):
            for method, fields in changes_of(person, ids["email"]).items():
                assert refused(service, method, session=session, **fields) == "PROOF_NEEDED", method
        assert world.mailed(person, person.mailbox, "A recovery code of yours was used")
        assert world.mailed(person, person.mailbox, "second step was added: stolen")
        owner = sign_in_by(service, person, '"phone"', mine.fresh())
        assert on_hold(service, owner) == {"stolen"}
        service.call("RegenerateRecoveryCodes", session=owner)
        assert world.mailed(person, person.mailbox, "second step was added: Recovery code")
        add_app(service, thief, "another")
        add_app(service, owner, "tablet")
        assert on_hold(service, owner) == {"stolen", "another"}
        service.call("RemoveOwnCredential", session=owner, credential_id=added)
    rows = world.audit("select event from audit where facts like 'hold_until=%'")
    assert rows == [("credential.add",)] * 2


def test_a_lost_phone_is_put_right_the_day_after(world: AccountWorld) -> None:
    """By the command: a code, a new app; a change is refused in words, and done the day after (REC-04)."""
    person = world.person()
    world.totp(person)
    lost = world.credentials(person)["totp"]
    codes = world.print_codes(person)
    with world.service() as service:
        new, _ = add_app(service, sign_in_by(service, person, "Recovery code", codes[0]), "new")
    shown = world.account(person, "show", typed=answers(person, new))
    assert '"new" was added after a recovery code' in shown.stdout
    assert held_for_administrators(world, person) == [{"new"}, {"new"}]
    assert "changes nothing until" in world.command("credential", "list", person.name).stdout
    early = world.account(person, "remove", lost, "--yes", typed=answers(person, new, "1", "2", "3"))
    assert early.returncode == 1
    assert f'"new" {HELD}' in early.stdout
    assert "Use an older one, or ask your administrator." in early.stdout
    let_a_day_go_by(world)
    assert held_for_administrators(world, person) == [set(), set()]
    assert "changes nothing until" not in world.command("credential", "list", person.name).stdout
    late = world.account(person, "remove", lost, "--yes", typed=answers(person, new))
    assert late.returncode == 0, late.stdout + late.stderr
    assert sorted(world.credentials(person)) == ["recovery", "totp"]


def test_what_an_emergency_code_leads_to_is_no_second_proof(world: AccountWorld) -> None:
    """Mailbox and password lead to an app on hold, which neither changes nor resets anything (REC-04)."""
    person = world.person()
    world.enroll(person, "emergency")
    with world.service() as service:
        step = service.call("BeginSession", user=person.name, draws_qr=True).step
        *_, step = service.steps("AnswerSession", step, password_of(person.name), "y")
        *_, step = service.steps("AnswerSession", step, world.security_code(person), "y")
        (step,) = service.steps("AnswerSession", step, choose(step.prompt.text, "uthenticator app"))
        app = App(step.prompt.qr_payload)
        (step,) = service.steps("AnswerSession", step, app.fresh())  # shows recovery codes, too
        done = service.call("AnswerSession", ticket=step.ticket, answer=b"")
        assert done.step.outcome.verdict == login_pb2.VERDICT_GRANTED
        for method, fields in changes_of(person, world.credentials(person)["emergency"]).items():
            assert refused(service, method, session=done.session, **fields) == "PROOF_NEEDED", method
        step = service.call("BeginReset", user=person.name).step
        (step,) = service.steps("AnswerReset", step, world.security_code(person))
        before, question = step.prompt.text.split("\n")
        assert HELD in before
        assert question == "One of your recovery codes: "
    mine = world.credentials(person)["totp"]
    named = world.account(person, "rename", mine, "mine", typed=answers(person, app))
    assert (named.returncode, "fresh proof" in named.stdout) == (1, True)
    assert HELD in named.stderr
    assert "Wait until then, or ask your administrator." in named.stderr
    let_a_day_go_by(world)
    assert world.account(person, "rename", mine, "mine", typed=answers(person, app)).returncode == 0
