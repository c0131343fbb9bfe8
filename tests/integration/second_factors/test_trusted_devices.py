"""Trusted devices at SSH: a key that sshd has verified spares its owner the code."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from testbed.second_factors import matched
from testbed.slapd import password_of
from testbed.ssh_login import CODE, PASSWORD, WELCOME

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.codes import App
    from testbed.second_factors import Resident, World
    from testbed.sshd import Sshd

TRUST = r"Trust this device \(key SHA256:([^)]+)\) for 30 days\? \[y/N\] "


def vouch(world: World, person: Resident, app: App, key: Path | None = None) -> str:
    """Log in with key and code, and trust the device; how the offer named the key."""
    client = world.ssh(person, world.key_door, key)
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(TRUST)
    named = matched(client)
    client.sendline("y")
    client.expect(WELCOME)
    client.close()
    return named


def asked(world: World, person: Resident, door: Sshd, key: Path | None = None) -> bool:
    """Whether a login with a key is asked for a code; if not, it has to reach the shell."""
    client = world.ssh(person, door, key)
    prompted = client.expect([CODE, WELCOME]) == 0
    client.close()
    return prompted


def another_key(world: World, person: Resident) -> Path:
    """A second key of the person's that the door takes."""
    key = world.key_door.folder / f"second-{person.name}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", key], check=True)
    with (world.key_door.folder / "keys" / person.name).open("a") as authorized:
        authorized.write(key.with_suffix(".pub").read_text())
    return key


def test_a_trusted_key_is_asked_nothing_until_it_is_revoked(world: World, person: Resident) -> None:
    """Offered with the key's name; then no prompt; listed, renamed, revoked; then the prompt is back."""
    world.enroll(person, "email")
    app = world.totp(person)
    vouch_as_named(world, person, app)
    assert not asked(world, person, world.key_door)
    (device,) = world.devices(person)
    assert device["label"].startswith("SSH key SHA256:")
    assert world.command("device", "rename", person.name, device["id"][:8], "laptop").returncode == 0
    assert "laptop" in world.command("device", "list", person.name).stdout
    assert set(world.credentials(person)) == {"email", "totp"}
    revoked = world.command("device", "revoke", person.name, device["id"], "--yes")
    assert revoked.returncode == 0
    assert world.devices(person) == []
    assert asked(world, person, world.key_door)
    assert world.mailed(person, person.mailbox, "A device is trusted for your account")


def vouch_as_named(world: World, person: Resident, app: App) -> None:
    """Trust the device, and hold the offer's words to what `ssh-keygen -l` says."""
    named = vouch(world, person, app)
    first, _, last = named.partition("…")
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", world.key_door.key], capture_output=True, text=True, check=True
    ).stdout
    fingerprint = told.split()[1].removeprefix("SHA256:")
    assert fingerprint.startswith(first)
    assert fingerprint.endswith(last)
    assert min(len(first), len(last)) >= 3


def test_another_key_and_another_person_are_asked(world: World, person: Resident) -> None:
    """DEV-01: trust is in one key for one account: a second key is asked, and so is somebody else's login."""
    neighbour = world.person()
    world.totp(neighbour)
    vouch(world, person, world.totp(person))
    assert not asked(world, person, world.key_door)
    assert asked(world, person, world.key_door, another_key(world, person))
    assert asked(world, neighbour, world.key_door)


def test_no_is_the_default(world: World, person: Resident) -> None:
    """Enter lets in, and trusts nothing."""
    app = world.totp(person)
    client = world.ssh(person, world.key_door)
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(TRUST)
    client.sendline("")
    client.expect(WELCOME)
    client.close()
    assert world.devices(person) == []
    assert asked(world, person, world.key_door)


def test_behind_key_and_password_the_password_is_still_asked(world: World, person: Resident) -> None:
    """DEV-03: where the password is the first factor, a trusted key spares the code, not the password."""
    answers = {PASSWORD: password_of(person.name), CODE: world.totp(person).fresh(), TRUST: "y"}
    for expected in ([PASSWORD, CODE, TRUST], [PASSWORD]):
        client = world.ssh(person, world.strict_door)
        seen = []
        while (found := client.expect([*answers, WELCOME])) < len(answers):
            seen.append(list(answers)[found])
            client.sendline(answers[seen[-1]])
        client.close()
        assert seen == expected
    client = world.ssh(person, world.strict_door)
    client.expect(PASSWORD)
    client.sendline("wrong")
    assert client.expect([WELCOME, "Permission denied|Connection closed|Password: "]) == 1
    client.close()


def test_a_password_alone_has_no_device_to_offer(world: World, person: Resident) -> None:
    """Where sshd reports no key, nothing is offered."""
    app = world.totp(person)
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline(app.fresh())
    assert client.expect([WELCOME, "Trust this device"]) == 0
    client.close()


def test_with_no_days_old_trust_is_worth_nothing(world: World, person: Resident) -> None:
    """DEV-04: a reload that takes the days away brings the prompt back, and there is no offer any more."""
    app = world.totp(person)
    vouch(world, person, app)
    assert not asked(world, person, world.key_door)
    world.reload(days=0)
    try:
        client = world.ssh(person, world.key_door)
        client.expect(CODE)
        client.sendline(app.fresh())
        assert client.expect([WELCOME, "Trust this device"]) == 0
        client.close()
    finally:
        world.reload()
    assert not asked(world, person, world.key_door)


def test_all_devices_are_revoked_at_once(world: World, person: Resident) -> None:
    """`device revoke --all` ends the trust in every key."""
    app = world.totp(person)
    second = another_key(world, person)
    vouch(world, person, app)
    vouch(world, person, app, second)
    assert not asked(world, person, world.key_door, second)
    said = world.command("device", "revoke", person.name, "--all", "--yes", "--json")
    assert len(json.loads(said.stdout)["revoked"]) == 2
    assert asked(world, person, world.key_door)
    assert asked(world, person, world.key_door, second)
