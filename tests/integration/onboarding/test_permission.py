"""Who may set up a second step at the SSH login: invites, other factors, emergency codes, over gRPC too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.codes import App
from testbed.onboarding import DENIED, FIRST_CODE, INVITE
from testbed.second_factors import LETTERS
from testbed.slapd import password_of
from testbed.ssh_login import WELCOME

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.onboarding import OnboardingWorld
    from testbed.second_factors import Resident


def test_an_invite_is_asked_for_and_works_once(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """Wrong, empty and made-up ones are denied; the right one leads on; a second use of it does not."""
    world.govern('enrollment = "invite"\nfactors = ["totp"]')
    client = world.behind_password(person)
    for answer in ("", "0000-0000", "x" * 200):
        client.expect(INVITE)
        client.sendline(answer)
    assert client.expect([WELCOME, DENIED]) == 1
    assert "That invite is not good. Ask your administrator for a new one." in str(client.before)
    client.close()
    invite = world.invite(person)
    client = world.behind_password(person)
    client.expect(INVITE)
    client.sendline(invite.lower())
    client.expect(FIRST_CODE)
    client.close()
    client = world.behind_password(person)
    client.expect(INVITE)
    client.sendline(invite)
    client.expect("That invite was not right")
    client.close()
    client = world.behind_password(person)
    client.expect(INVITE)
    client.sendline(world.invite(person))
    client.sendline(world.scanned(client, tmp_path).fresh())
    client.expect(WELCOME)
    client.close()
    events = world.audit("select event, result from audit where event like 'invite.%'")
    assert [event for event, _ in events].count("invite.create") == 2
    used = [result for event, result in events if event == "invite.use"]
    assert used.count("passed") == 2
    assert used.count("refused") >= 4  # an ssh that loses its terminal may answer with nothing before it ends


def test_a_revoked_invite_is_none(world: OnboardingWorld, person: Resident) -> None:
    """What an administrator has ended, or replaced, is refused."""
    world.govern('enrollment = "invite"\nfactors = ["totp"]')
    invite = world.invite(person, "--days", "1")
    assert "is good no more" in world.command("invite", person.name, "--revoke").stdout
    client = world.behind_password(person)
    client.expect(INVITE)
    client.sendline(invite)
    client.expect("That invite was not right")
    client.close()


def test_who_has_another_factor_proves_it_first(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """The rule wants the app, SMS is there: its code leads to the QR code, and not in (ENR-04)."""
    world.govern('enrollment = "self"\nfactors = ["totp"]')
    world.enroll(person, "sms")
    client = world.behind_password(person)
    client.expect("Confirm first that it is you")
    client.expect("Code sent to ••••")
    client.sendline("000000")
    client.expect("That code was not right")
    client.sendline(world.texted(person))
    app = world.scanned(client, tmp_path)
    client.sendline(app.wrong())
    client.expect(FIRST_CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    assert set(world.credentials(person)) == {"sms", "totp"}
    world.told(person, "added")


def test_after_an_emergency_code_a_new_factor_is_offered(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """The person is in whatever they say, and with a yes leaves with an app."""
    world.govern('enrollment = "self"\nfactors = ["totp", "emergency"]')
    world.enroll(person, "emergency")
    for answer in ("n", "y"):
        client = world.behind_password(person)
        client.expect(r"Send it\? \[y/N\] ")
        client.sendline("y")
        client.sendline(world.mailed(person, person.security, LETTERS))
        client.expect(r"You are in by an emergency code\. Set up a new second step now\? \[Y/n\] ")
        client.sendline(answer)
        if answer == "y":
            client.sendline(world.scanned(client, tmp_path).fresh())
        client.expect(WELCOME)
        client.close()
    assert set(world.credentials(person)) == {"emergency", "totp"}


def test_an_application_that_draws_gets_the_same_steps(world: OnboardingWorld, person: Resident) -> None:
    """Over gRPC: payload and details by themselves, no secret in the text, granted by the first code."""
    world.govern('enrollment = "self"\nfactors = ["totp"]')
    with world.daemon.channel() as channel:
        service = login_pb2_grpc.LoginServiceStub(channel)
        begin = login_pb2.BeginLoginRequest(
            user=person.name, service="vpn", primary=login_pb2.PRIMARY_PASSWORD, draws_qr=True
        )
        step = service.BeginLogin(begin, timeout=15).step

        def answer(text: str) -> login_pb2.Step:
            request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=text.encode())
            return service.AnswerLogin(request, timeout=15).step

        step = answer(password_of(person.name))
        assert step.prompt.kind == login_pb2.PROMPT_KIND_ENROLLMENT
        assert step.prompt.text == "Code from your authenticator app: "
        app = App(step.prompt.qr_payload)
        details = {detail.name: detail.value for detail in step.prompt.details}
        assert details["secret"].replace(" ", "") in step.prompt.qr_payload
        world.hide(details["secret"].replace(" ", ""))
        outcome = answer(app.fresh()).outcome
    assert (outcome.verdict, outcome.user) == (login_pb2.VERDICT_GRANTED, person.name)


def test_closed_is_closed(world: OnboardingWorld, person: Resident) -> None:
    """Without a rule that opens it, the person is told whom to ask, and no question comes."""
    world.govern('enrollment = "closed"')
    client = world.behind_password(person)
    client.expect("Ask your administrator to set one up for you")
    assert client.expect([WELCOME, DENIED]) == 1
    client.close()
