"""Recovery codes and the emergency code: the ways back in when the phone is lost."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.second_factors import LETTERS, matched
from testbed.ssh_login import CODE, WELCOME

if TYPE_CHECKING:
    from testbed.second_factors import Resident, World

NUMBER = r"Number \[\d\]: "
RECOVERY = r"One of your recovery codes[^:]*: "
SEND_IT = r"We can send an emergency code to your security email u•••@nl\.test\.[\s\S]*Send it\? \[y/N\] "
LAST_RESORT = r"(\d)  I can't access any of these[\s\S]*" + NUMBER
SENT = r"Emergency code sent to u•••@nl\.test, valid 30 minutes \(r to send again\)[^:]*: "


def test_a_printed_code_signs_in_once(world: World, person: Resident) -> None:
    """REC-04: ten are shown; one signs in at SSH, never again; its owner is told by mail."""
    world.enroll(person, "email")
    codes = world.print_codes(person)
    assert len(set(codes)) == 10
    for accepted in (True, False):
        client = world.behind_password(person)
        if accepted:  # nobody has used one yet: the mailbox, which was proven, is asked first
            client.expect(r"\(or \? for another way\): ")
            client.sendline("?")
            client.expect(r"(\d)  Recovery code[\s\S]*" + NUMBER)
            client.sendline(matched(client))
        client.expect(RECOVERY)
        client.sendline(codes[0])
        assert client.expect([WELCOME, "That code was not right."]) == int(not accepted)
        client.close()
    told = world.mailed(person, person.mailbox, r"A recovery code of yours was used[\s\S]*")
    assert "9 codes are left." in told
    assert re.search(r"Time: \d{4}-\d\d-\d\d \d\d:\d\d UTC", told)


def test_a_new_set_kills_the_old_one_and_few_are_announced(world: World, person: Resident) -> None:
    """REC-04: three left, and each login says so; after new ones are printed, no old one signs in."""
    old = world.print_codes(person)
    with world.daemon.channel() as channel:
        granted = [world.over_grpc(channel, person).sign_in(code) for code in old[:7]]
        assert {one.verdict for one in granted} == {login_pb2.VERDICT_GRANTED}
        assert [one.message for one in granted[5:]] == ["", "3 recovery codes are left: make new ones soon."]
        new = world.print_codes(person)
        assert world.over_grpc(channel, person).sign_in(old[8]).verdict != login_pb2.VERDICT_GRANTED
        assert world.over_grpc(channel, person).sign_in(new[0]).verdict == login_pb2.VERDICT_GRANTED
    assert list(world.credentials(person)) == ["recovery"]


def test_few_codes_are_announced_at_ssh(world: World, person: Resident) -> None:
    """The person at the terminal reads how many are left."""
    codes = world.print_codes(person)
    with world.daemon.channel() as channel:
        for code in codes[:7]:
            world.over_grpc(channel, person).sign_in(code)
    client = world.behind_password(person)
    client.expect(RECOVERY)
    client.sendline(codes[7])
    client.expect("2 recovery codes are left: make new ones soon")
    client.expect(WELCOME)
    client.close()


def test_an_emergency_code_signs_in_and_everybody_is_told(world: World, person: Resident) -> None:
    """The last resort is asked for first, mailed to the security email, and told at the other address."""
    world.enroll(person, "sms")
    world.enroll(person, "emergency")
    world.totp(person)
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline("?")
    client.expect(LAST_RESORT)
    client.sendline(matched(client))
    client.expect(SEND_IT)
    client.sendline("y")
    client.expect(SENT)
    code = world.mailed(person, person.security, LETTERS)
    client.sendline(code.lower())
    client.expect("You are in by an emergency code. Set up a new second step now")
    client.expect(WELCOME)
    client.close()
    world.told(person, "An emergency code for your account was sent")
    with world.daemon.channel() as channel:
        again = world.over_grpc(channel, person)
        assert again.sign_in(code).verdict != login_pb2.VERDICT_GRANTED


def test_no_emergency_code_leaves_without_a_yes(world: World, person: Resident) -> None:
    """Anything but yes leads back to the list, and nothing was sent to the security email."""
    world.enroll(person, "emergency")
    app = world.totp(person)
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline("?")
    client.expect(LAST_RESORT)
    client.sendline(matched(client))
    client.expect(SEND_IT)
    client.sendline("")
    client.expect(NUMBER)
    client.sendline("1")
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    mails = world.mail.received(person.security)
    assert [mail["Subject"] for mail in mails].count("Your emergency code") == 0


def test_an_emergency_code_may_be_typed_into_a_later_login(world: World, person: Resident) -> None:
    """Who hung up to read the mail begins again: nothing is sent anew, and the code counts."""
    world.enroll(person, "emergency")
    world.totp(person)
    for asked in (
        SENT,
        r"An emergency code was sent to u•••@nl\.test; it is valid for 29 more minutes[^:]*: ",
    ):
        client = world.behind_password(person)
        client.expect(CODE)
        client.sendline("?")
        client.expect(LAST_RESORT)
        client.sendline(matched(client))
        client.expect(SEND_IT)
        client.sendline("y")
        client.expect(asked)
        if asked == SENT:
            client.close()
    client.sendline(world.mailed(person, person.security, LETTERS))
    client.expect(WELCOME)
    client.close()


def test_the_security_email_goes_behind_a_code_sent_to_it(world: World, person: Resident) -> None:
    """Removing any credential needs fresh proof: this one's own, from its own mailbox; others are told."""
    world.enroll(person, "emergency")
    world.enroll(person, "sms")
    ids = world.credentials(person)
    with world.talk("credential", "remove", person.name, ids["emergency"]) as talk:
        assert talk.stdin
        assert talk.stdout
        assert json.loads(talk.stdout.readline())["prompt"].startswith("Emergency code sent to u•••@nl.test")
        for typed, confirmed in (
            ("ABCDEFGH2345", False),
            (world.mailed(person, person.security, LETTERS), True),
        ):
            talk.stdin.write(typed + "\n")
            talk.stdin.flush()
            said = json.loads(talk.stdout.readline())
            assert said.get("confirmed", "removed" in said) is confirmed
    assert world.credentials(person) == {"sms": ids["sms"]}
    world.told(person, "removed")
