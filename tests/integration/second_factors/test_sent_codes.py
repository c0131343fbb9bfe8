"""Codes by email and by text message: enrolled by the real command, used at SSH, removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from testbed.second_factors import DIGITS, matched
from testbed.ssh_login import WELCOME

if TYPE_CHECKING:
    from testbed.second_factors import Resident, World

SENT_MAIL = r"Code sent to u•••@nl\.test, valid 5 minutes \(r to send again\)[^:]*: "
AGAIN = r"Code sent to [^ ]+ already; another can be sent in \d+ seconds?[^:]*: "


def test_a_mailed_code_signs_in(world: World, person: Resident) -> None:
    """Proven by the code in the mailbox, then asked at SSH; `r` before 30 seconds says how long to wait."""
    world.enroll(person, "email")
    client = world.behind_password(person)
    client.expect(SENT_MAIL)
    client.sendline("r")
    client.expect(AGAIN)
    client.sendline(world.mailed(person, person.mailbox, DIGITS))
    client.expect(WELCOME)
    client.close()
    assert len(world.mail.received(person.mailbox, 2)) == 2


def test_a_code_belongs_to_its_login(world: World, person: Resident) -> None:
    """OOB-01: the code of one login is worth nothing in another of the same person, and works in its own."""
    world.enroll(person, "email")
    clients, codes = [], []
    for _ in range(2):
        clients.append(world.behind_password(person))
        clients[-1].expect(SENT_MAIL)
        codes.append(world.mailed(person, person.mailbox, DIGITS))
    first, second = clients
    second.sendline(codes[0])
    second.expect("That code was not right. ")
    first.sendline(codes[0])
    first.expect(WELCOME)
    second.sendline(codes[1])
    second.expect(WELCOME)
    first.close()
    second.close()


def test_a_texted_code_signs_in(world: World, person: Resident) -> None:
    """Proven over SMPP, then asked at SSH with the number masked, in the question and in the list."""
    world.totp(person)
    world.enroll(person, "sms")
    shown = f"•••• {person.number[-2:]}"
    client = world.behind_password(person)
    client.expect(f"Code sent to {shown}, valid 5 minutes[^:]*: |Code from your authenticator app [^:]*: ")
    client.sendline("?")
    client.expect(rf"(\d)  Text message to {shown}[\s\S]*Number \[\d\]: ")
    client.sendline(matched(client))
    client.expect(rf"Code sent to {shown}( already|, valid)[^:]*: ")
    client.sendline(world.texted(person))
    client.expect(WELCOME)
    client.close()


def test_an_address_is_removed_behind_a_code_sent_to_it(world: World, person: Resident) -> None:
    """A wrong code removes nothing, the right one does; the person is told elsewhere; the last one stays."""
    world.enroll(person, "email")
    world.enroll(person, "sms")
    ids = world.credentials(person)
    with world.talk("credential", "remove", person.name, ids["email"]) as talk:
        assert talk.stdin
        assert talk.stdout
        assert json.loads(talk.stdout.readline())["prompt"].startswith("Code sent to u•••@nl.test")
        for typed, confirmed in (("00000000", False), (world.mailed(person, person.mailbox, DIGITS), True)):
            talk.stdin.write(typed + "\n")
            talk.stdin.flush()
            said = json.loads(talk.stdout.readline())
            assert said.get("confirmed", "removed" in said) is confirmed
    assert world.credentials(person) == {"sms": ids["sms"]}
    world.told(person, "removed")
    last = world.command("credential", "remove", person.name, ids["sms"], answer="000000\n")
    assert last.returncode == 1
    assert "last credential" in last.stderr


def test_an_address_that_breaks_a_header_is_refused(world: World, person: Resident) -> None:
    """OOB-05: line breaks, other countries and premium numbers are refused before anything is sent."""
    refused = {
        "email": ("a@nl.test\r\nBcc: x@nl.test", "a@nl.test,b@nl.test", "Ada <a@nl.test>"),
        "sms": ("+1 900 555 0100", "+49 1512 3456789", "+1 415 555 0110\r\n+1 415 555 0111"),
    }
    for factor, addresses in refused.items():
        for address in addresses:
            said = world.command("credential", "enroll", factor, person.name, "--address", address)
            assert said.returncode == 2, said
    assert world.credentials(person) == {}


def test_a_channel_is_tried_by_the_administrator(world: World, person: Resident) -> None:
    """`channel test` sends one message by each channel, and explains what a provider refused."""
    for channel, address in (("mail", person.mailbox), ("carrier", person.number)):
        sent = world.command("channel", "test", channel, "--to", address)
        assert (sent.returncode, "took a message" in sent.stdout) == (0, True), sent
    assert world.mailed(person, person.mailbox, "test message")
    world.told(person, "test message")
    refused = world.command("channel", "test", "mail", "--to", "nobody@nl.test")
    assert refused.returncode == 1
    assert "550" in refused.stderr
    assert "User unknown" in refused.stderr
