"""What is sent, and what is not: limits, the order of the steps, and providers that hang."""

from __future__ import annotations

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.process import wait_until
from testbed.second_factors import DIGITS, matched
from testbed.slapd import password_of
from testbed.ssh_login import CODE, PASSWORD, WELCOME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.second_factors import Resident, World

NUMBER = r"Number \[(\d)\]: "
QUICK = 6.0
"""Seconds in which a login with an app has to be over, where a hung provider would cost ten."""
SENT = "select reason from audit where event = 'message.send' and user_name = '{}'"


@pytest.fixture
def hung() -> Iterator[int]:
    """The port of a server where the kernel connects and nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]


def test_the_fourth_message_in_ten_minutes_does_not_leave(world: World, person: Resident) -> None:
    """OOB-04: three are sent, beside the enrolment's; then another way is offered, with the reason."""
    app = world.totp(person)
    world.enroll(person, "email")
    for _ in range(3):
        client = world.behind_password(person)
        client.expect("Code sent to ")
        client.expect(": ")
        client.sendline(world.mailed(person, person.mailbox, DIGITS))
        client.expect(WELCOME)
        client.close()
    client = world.behind_password(person)
    client.expect("Too many messages were sent; another one can be sent in 10 minutes")
    client.expect(NUMBER)
    client.sendline(matched(client))
    client.expect(CODE)
    client.sendline(app.fresh())
    client.expect(WELCOME)
    client.close()
    reasons = [str(row[0]) for row in world.audit(SENT.format(person.name))]
    assert [reason.startswith("sent by mail") for reason in reasons].count(True) == 4
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
        assert time.monotonic() - started < 20
        client.expect(NUMBER)
        client.sendline("")
        client.expect(CODE)
        client.sendline(app.fresh())
        client.expect(WELCOME)
        client.close()
    finally:
        world.reload()


def test_many_logins_at_once_send_no_more_than_may_be_sent(world: World, person: Resident) -> None:
    """OOB-04: five logins of one person at once send what the limit leaves; the others read for how long."""
    world.enroll(person, "email")
    with world.daemon.channel() as channel:
        logins = [world.over_grpc(channel, person) for _ in range(5)]
        with ThreadPoolExecutor(len(logins)) as pool:
            steps = list(pool.map(lambda login: login.password(password_of(person.name)), logins))
    sent = [step for step in steps if re.match("Code sent to", step.prompt.text)]
    assert len(sent) == 3
    others = [step.outcome for step in steps if step not in sent]
    assert {outcome.verdict for outcome in others} == {login_pb2.VERDICT_LOCKED}
    assert {outcome.message for outcome in others} == {
        "Too many messages were sent. Try again in 10 minutes."
    }
    assert len(world.mail.received(person.mailbox, 4)) == 4


def test_what_the_carrier_reports_is_in_the_audit(world: World, person: Resident) -> None:
    """A message that was not delivered: account, provider's id and state, and nowhere the number."""
    world.enroll(person, "sms")
    receipts = (
        "select result, reason, account_id from audit where event = 'message.receipt' and user_name = '{}'"
    )
    wait_until(lambda: len(world.audit(receipts.format(person.name))) == 1, "the enrolment's receipt")
    world.carrier.delivers = False
    try:
        with world.daemon.channel() as channel:
            world.over_grpc(channel, person).password()
        wait_until(lambda: len(world.audit(receipts.format(person.name))) == 2, "the second receipt")
    finally:
        world.carrier.delivers = True
    sent = [str(row[0]) for row in world.audit(SENT.format(person.name))]
    ids = [reason.removeprefix("sent by carrier, id ") for reason in sent]
    rows = world.audit(receipts.format(person.name))
    assert [row[:2] for row in rows] == [
        ("passed", f"delivered by carrier, id {ids[0]}"),
        ("unavailable", f"undelivered by carrier, id {ids[1]}, error 011"),
    ]
    assert len({row[2] for row in rows}) == 1
    expected = {(ids[0], "delivered"), (ids[1], "undelivered")}

    def logged() -> bool:
        events = [event for event in world.daemon.events() if event["event"] == "message.receipt"]
        return {(event["provider_id"], event["state"]) for event in events} >= expected

    wait_until(logged, "both in the log")


def test_a_carrier_that_reports_without_an_end_disturbs_nobody(world: World, person: Resident) -> None:
    """OOB-06: 20,000 receipts of nobody's messages: others sign in meanwhile, and the audit stays small."""
    app = world.totp(person)
    rows = "select count(*) from audit where event = 'message.receipt' and account_id = ''"
    flooded = world.person()
    world.enroll(flooded, "sms")
    before = world.audit(rows)[0][0]
    world.carrier.flood = 20_000
    with world.daemon.channel() as channel:
        assert "Code sent to" in world.over_grpc(channel, flooded).password().prompt.text
        wait_until(lambda: "message.receipts_dropped" in world.daemon.log.read_text(), "the first drop")
        begun = time.monotonic()
        assert world.over_grpc(channel, person).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
        assert time.monotonic() - begun < QUICK
    after = world.audit(rows)[0][0]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert 0 < after - before <= 2 * 60
