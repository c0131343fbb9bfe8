"""Messages in the person's language, from a real slapd's preferredLanguage to the mailbox and the phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.mail import mail_text
from testbed.second_factors import DIGITS
from testbed.slapd import person_dn

if TYPE_CHECKING:
    from testbed.second_factors import Resident, World


def speaks(world: World, person: Resident, language: str) -> None:
    """Write into the directory what a person reads (RFC 2798, 2.7)."""
    world.slapd.modify(
        f"dn: {person_dn(person.name)}\nchangetype: modify\n"
        f"replace: preferredLanguage\npreferredLanguage: {language}\n"
    )


def newest(world: World, mailbox: str, count: int) -> str:
    """Subject and text of the newest of so many mails."""
    return mail_text(world.mail.received(mailbox, count)[-1])


def test_codes_and_notices_are_in_the_language_of_the_directory(world: World, person: Resident) -> None:
    """Chinese by mail and by text message: at the enrolment, at the login, and in the notice of a change."""
    speaks(world, person, "zh-CN, en;q=0.5")
    world.enroll(person, "email")
    assert "验证码" in newest(world, person.mailbox, 1)
    with world.daemon.channel() as channel:
        login = world.over_grpc(channel, person)
        step = login.password()
        told = newest(world, person.mailbox, 2)
        assert "您的登录验证码" in told
        found = re.search(DIGITS, told)
        assert found is not None
        world.secrets.add(found[0])
        step = login.answer(step, found[0])
        assert step.outcome.verdict == login_pb2.VERDICT_GRANTED
    world.enroll(person, "sms")
    notice = newest(world, person.mailbox, 3)
    assert re.search(r"时间.*\d{4}-\d\d-\d\d \d\d:\d\d UTC", notice)
    assert re.search(r"[\u4e00-\u9fff]{4}", world.carrier.to(person.number)[0])


def test_who_says_nothing_is_written_to_in_the_installations_language(world: World, person: Resident) -> None:
    """English without a setting, then what [sending] says; the directory's word goes before both."""
    other = world.person()
    speaks(world, other, "fr")
    world.enroll(person, "email")
    assert "Confirm this address" in newest(world, person.mailbox, 1)
    world.reload(extra='[sending]\nlanguage = "zh-Hans"\n')
    try:
        with world.daemon.channel() as channel:
            assert "Code sent to" in world.over_grpc(channel, person).password().prompt.text
        assert "您的登录验证码" in newest(world, person.mailbox, 2)
        world.enroll(other, "email")
        assert "Confirm this address" in newest(world, other.mailbox, 1)
    finally:
        world.reload()
