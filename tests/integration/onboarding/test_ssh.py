"""Setting up a second step at the SSH login: slapd, sshd, the module, the daemon, a phone that scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.onboarding import DENIED, FIRST_CODE, KEPT, PUT_OFF
from testbed.second_factors import matched
from testbed.slapd import person_dn
from testbed.ssh_login import CODE, WELCOME

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.onboarding import OnboardingWorld
    from testbed.second_factors import Resident

NUMBER = r"Number \[1\]: "


@pytest.fixture(autouse=True)
def led(world: OnboardingWorld) -> None:
    """Whoever has nothing is led, through all factors."""
    world.govern('enrollment = "self"')


def test_a_phone_scans_the_code_from_the_terminal(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """The list, the QR code as ssh printed it, a wrong code, the right one, ten recovery codes, the shell.

    Afterwards the app is asked for, its first code is dead (OTP-07), and a recovery code works.
    """
    client = world.behind_password(person)
    client.expect(NUMBER)
    assert "1  Authenticator app" in str(client.before)
    client.sendline("")
    app = world.scanned(client, tmp_path)
    shown = str(client.before)
    assert "SHA-256, 6 digits, every 30 seconds" in shown
    assert max(map(len, shown.splitlines())) <= 80
    client.sendline(app.wrong())
    client.expect(r"That code was not right\. Code from your authenticator app: ")
    assert world.credentials(person) == {}
    first = app.fresh()
    client.sendline(first)
    codes = world.printed(client)
    assert len(codes) == 10
    client.sendline("")
    client.expect(WELCOME)
    client.close()
    assert set(world.credentials(person)) == {"totp", "recovery"}
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline(first)
    client.expect("That code was not right")
    client.expect(CODE)
    client.sendline("?")
    client.expect(r"(\d)  Recovery code")
    client.sendline(matched(client))
    client.expect("One of your recovery codes")
    client.sendline(codes[3])
    client.expect(WELCOME)
    client.close()


def test_a_number_is_proven_by_the_message_that_came(world: OnboardingWorld, person: Resident) -> None:
    """The directory's number is offered masked; a typed one is taken; its code counts."""
    world.slapd.modify(
        f"dn: {person_dn(person.name)}\nchangetype: modify\nreplace: mobile\nmobile: {person.number}\n"
    )
    client = world.behind_password(person)
    client.expect(NUMBER)
    client.sendline("2")
    client.expect(rf"1  •••• {person.number[-2:]} \(from your directory\)")
    client.expect(r"Number \[1\], or type a phone number: ")
    client.sendline("not a number")
    client.expect(r"A number is written with digits")
    client.expect(r"or type a phone number: ")
    client.sendline("1")
    client.expect(rf"Code sent to •••• {person.number[-2:]}, valid 5 minutes \(r to send again\): ")
    client.sendline("r")
    client.expect("another can be sent in")
    client.sendline(world.texted(person))
    world.printed(client)
    client.sendline("")
    client.expect(WELCOME)
    client.close()
    client = world.behind_password(person)
    client.expect("Code sent to ••••")
    client.sendline(world.texted(person))
    client.expect(WELCOME)
    client.close()


def test_nothing_less_than_the_code_lets_anybody_in(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """Three wrong codes, empty answers, or a closed connection: denied, and nothing is stored."""
    client = world.behind_password(person)
    client.expect(NUMBER)
    client.sendline("1")
    app = world.scanned(client, tmp_path)
    for _ in range(2):
        client.sendline(app.wrong())
        client.expect(FIRST_CODE)
    client.sendline("")
    assert client.expect([WELCOME, DENIED]) == 1
    client.close()
    client = world.behind_password(person)
    while (found := client.expect([WELCOME, DENIED, r"[:\]] $"])) == 2:
        client.sendline("")
    assert found == 1
    client.close()
    client = world.behind_password(person)
    client.expect(NUMBER)
    client.sendline("1")
    world.scanned(client, tmp_path)
    client.close()
    assert world.credentials(person) == {}


def test_a_login_goes_on_with_a_daemon_that_was_killed(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """The dialogue's state is in the ticket: after kill -9 the first code is typed, and is right."""
    world.govern('enrollment = "self"\nfactors = ["totp"]')
    client = world.behind_password(person)
    app = world.scanned(client, tmp_path)
    world.crash()
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()


def test_behind_a_public_key_it_is_the_same(world: OnboardingWorld, person: Resident, tmp_path: Path) -> None:
    """With mode=factor the person is led without a password, and asked for the app the next time."""
    world.govern('enrollment = "self"\nfactors = ["totp"]')
    client = world.ssh(person, world.key_door)
    app = world.scanned(client, tmp_path)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    client = world.ssh(person, world.key_door)
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()


def test_it_is_put_off_twice_and_then_set_up(
    world: OnboardingWorld, person: Resident, tmp_path: Path
) -> None:
    """The prompt counts down; the third login is led at once, and unlocking gives nothing back."""
    world.govern('enrollment = "self"\nfactors = ["totp"]\ngrace_logins = 2')
    for left in ("2 more times", "1 more time"):
        client = world.behind_password(person)
        client.expect(PUT_OFF)
        assert matched(client) == left
        client.sendline("n")
        client.expect(WELCOME)
        client.close()
    world.command("admin", "user", "unlock", person.name)
    client = world.behind_password(person)
    app = world.scanned(client, tmp_path)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    rows = world.audit("select count(*) from audit where event = 'login.grace'")
    assert rows == [(2,)]


def test_paper_is_asked_to_be_kept(world: OnboardingWorld, person: Resident, tmp_path: Path) -> None:
    """Closing the terminal in front of the codes keeps the factor that was proven, and lets nobody in."""
    client = world.behind_password(person)
    client.expect(NUMBER)
    client.sendline("1")
    client.sendline(world.scanned(client, tmp_path).fresh())
    client.expect(KEPT)
    client.close()
    client = world.behind_password(person)
    client.expect(CODE)
    client.close()
