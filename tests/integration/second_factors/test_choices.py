"""Several ways to confirm: the list at SSH, its default, and another way when a message can not leave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from testbed.process import wait_until
from testbed.second_factors import matched
from testbed.ssh_login import CODE, WELCOME

if TYPE_CHECKING:
    from testbed.second_factors import Resident, World

NUMBER = r"Number \[(\d)\]: "
RECOVERY = r"One of your recovery codes \(or \? for another way\): "


def offered(text: str) -> dict[str, str]:
    """The numbers of the ways in a list, by their words."""
    return {words: number for number, words in re.findall(r"^ +(\d)  (.+?)\r?$", text, re.MULTILINE)}


def test_a_question_mark_lists_every_way_by_name(world: World, person: Resident) -> None:
    """All five, masked, paper that was never used behind the rest, the last resort at the end.

    A wrong number is told; the chosen way is asked.
    """
    world.enroll(person, "emergency")
    world.enroll(person, "email")
    world.enroll(person, "sms")
    codes = world.print_codes(person)
    world.totp(person)
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline("?")
    client.expect("How do you want to confirm it is you[?]")
    client.expect(NUMBER)
    assert matched(client) == "1"
    ways = offered(str(client.before))
    assert list(ways) == [
        'Authenticator app "phone"',
        f"Text message to •••• {person.number[-2:]}",
        "Email to u•••@nl.test",
        "Recovery code",
        "I can't access any of these",
    ]
    assert list(ways.values()) == ["1", "2", "3", "4", "5"]
    client.sendline("9")
    client.expect("That is not one of the numbers")
    client.expect(NUMBER)
    client.sendline(ways["Recovery code"])
    client.expect(RECOVERY)
    client.sendline(codes[0].lower().replace("-", " "))
    client.expect(WELCOME)
    client.close()


def test_the_way_used_last_is_asked_first(world: World, person: Resident) -> None:
    """Who signed in by another way is asked for that way at the next login, and it is the list's default."""
    codes = world.print_codes(person)
    app = world.totp(person)
    client = world.behind_password(person)
    client.expect(CODE)
    client.sendline("?")
    client.expect(NUMBER)
    client.sendline(offered(str(client.before))["Recovery code"])
    client.expect(RECOVERY)
    client.sendline(codes[0])
    client.expect(WELCOME)
    client.close()
    client = world.behind_password(person)
    client.expect(RECOVERY)
    client.sendline("?")
    client.expect(NUMBER)
    ways = offered(str(client.before))
    assert matched(client) == ways["Recovery code"] == "1"
    client.sendline(ways['Authenticator app "phone"'])
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    client = world.behind_password(person)
    client.expect(CODE)
    client.close()


def test_when_no_text_can_be_sent_another_way_is_offered_in_the_same_login(
    world: World, person: Resident
) -> None:
    """OOB-06: the gateway is down; the list comes by itself, another way is its default, and signs in.

    When the gateway is back, messages leave again without anybody's help.
    """
    app = world.totp(person)
    world.enroll(person, "sms")
    world.carrier.down()
    try:
        client = world.behind_password(person)
        client.expect("The message could not be sent just now")
        client.expect(NUMBER)
        ways = offered(str(client.before))
        assert matched(client) == ways['Authenticator app "phone"']
        client.sendline("")
        client.expect(CODE)
        client.sendline(app.fresh())
        client.expect(WELCOME)
        client.close()
    finally:
        world.carrier.up()

    def sent() -> bool:
        return world.command("channel", "test", "carrier", "--to", person.number).returncode == 0

    wait_until(sent, "the carrier")


def test_who_has_nothing_but_a_message_that_can_not_leave_is_told_of_an_outage(
    world: World, person: Resident
) -> None:
    """OOB-06: the second step is not skipped, and the words do not blame the password."""
    world.enroll(person, "sms")
    world.carrier.down()
    try:
        client = world.behind_password(person)
        client.expect(r"Nothing is wrong with your password\. \(ref [0-9a-f-]+\)")
        assert client.expect([WELCOME, "Permission denied"]) == 1
        client.close()
    finally:
        world.carrier.up()
