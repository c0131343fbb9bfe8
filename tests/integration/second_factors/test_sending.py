"""What is sent, and what is not: limits, the order of the steps, and providers that hang."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.second_factors import DIGITS, matched
from testbed.slapd import password_of
from testbed.ssh_login import CODE, PASSWORD, WELCOME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.second_factors import Resident, World

NUMBER = r"Number \[(\d)\]: "
QUICK = 2.0
"""Seconds in which a login with an app has to be over, whatever other people wait for."""
SENT = "select reason from audit where event = 'message.send' and user_name = '{}'"


@pytest.fixture
def hung() -> Iterator[int]:
    """The port of a server where the kernel connects and nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]


def test_the_fourth_message_in_ten_minutes_does_not_leave(world: World, person: Resident) -> None:
    """OOB-04: three are sent; then another way is offered in the same login; the refusal is in the audit."""
    app = world.totp(person)
    world.enroll(person, "email")
    for _ in range(2):
        client = world.behind_password(person)
        client.expect("Code sent to ")
        client.expect(": ")
        client.sendline(world.mailed(person, person.mailbox, DIGITS))
        client.expect(WELCOME)
        client.close()
    client = world.behind_password(person)
    client.expect("The message could not be sent just now")
    client.expect(NUMBER)
    client.sendline(matched(client))
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    reasons = [str(row[0]) for row in world.audit(SENT.format(person.name))]
    assert [reason.startswith("sent by mail") for reason in reasons].count(True) == 3
    assert any(reason.startswith("not sent: ") for reason in reasons)


def test_nothing_leaves_before_the_password_was_right(world: World, person: Resident) -> None:
    """OOB-04: a wrong password sends nothing, and takes nothing of what may be sent."""
    world.enroll(person, "email")
    before = world.audit(SENT.format(person.name))
    assert len(before) == 1
    client = world.ssh(person)
    client.expect(PASSWORD)
    client.sendline("wrong")
    client.expect("Permission denied")
    client.close()
    with world.daemon.channel() as channel:
        for _ in range(3):
            login = world.over_grpc(channel, person)
            assert login.password("wrong").outcome.verdict == login_pb2.VERDICT_REFUSED
    assert world.audit(SENT.format(person.name)) == before
    with world.daemon.channel() as channel:
        assert "Code sent to" in world.over_grpc(channel, person).password().prompt.text


def test_a_hung_mail_server_holds_up_nobody_else(world: World, person: Resident, hung: int) -> None:
    """OOB-06: whose mail hangs is offered another way in about ten seconds; others sign in meanwhile."""
    app = world.totp(person)
    world.enroll(person, "email")
    others = [world.person() for _ in range(3)]
    apps = [world.totp(other) for other in others]
    stuck = world.channel_table("stuck", hung)
    world.reload(email_channel="stuck", extra=stuck)
    try:
        started = time.monotonic()
        client = world.behind_password(person)

        def sign_in(place: int) -> float:
            begun = time.monotonic()
            with world.daemon.channel() as channel:
                outcome = world.over_grpc(channel, others[place]).sign_in(apps[place].fresh())
            assert outcome.verdict == login_pb2.VERDICT_GRANTED
            return time.monotonic() - begun

        with ThreadPoolExecutor(len(others)) as pool:
            assert max(pool.map(sign_in, range(len(others)))) < QUICK
        begun = time.monotonic()
        other = world.behind_password(others[0])
        other.expect(CODE)
        assert time.monotonic() - begun < QUICK
        other.close()
        client.expect("The message could not be sent just now")
        assert time.monotonic() - started < 13
        client.expect(NUMBER)
        client.sendline("")
        client.expect(CODE)
        client.sendline(app.fresh())
        client.expect(WELCOME)
        client.close()
    finally:
        world.reload()


def test_many_logins_at_once_send_no_more_than_may_be_sent(world: World, person: Resident) -> None:
    """OOB-04: five logins of one person at the same moment send what the limit leaves, and no more."""
    world.enroll(person, "email")
    with world.daemon.channel() as channel:
        logins = [world.over_grpc(channel, person) for _ in range(5)]
        with ThreadPoolExecutor(len(logins)) as pool:
            steps = list(pool.map(lambda login: login.password(password_of(person.name)), logins))
    sent = [step for step in steps if re.match("Code sent to", step.prompt.text)]
    assert len(sent) == 2
    assert {step.outcome.verdict for step in steps if step not in sent} == {login_pb2.VERDICT_UNAVAILABLE}
    assert len(world.mail.received(person.mailbox, 3)) == 3
