"""LEK-01: codes, tokens and addresses, at the most talkative level, in every factor's good and bad hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    from testbed.second_factors import Resident, World

CANARY = "canary-7xq2"


def test_no_code_and_no_address_is_written_anywhere(world: World, person: Resident) -> None:
    """Whatever is sent, typed, refused or told, right or wrong, logs and database have none of it."""
    ghost = f"{CANARY}@nl.test"
    world.secrets |= {CANARY, ghost, "12121212", "343434"}
    codes = world.print_codes(person)
    world.enroll(person, "email")
    world.enroll(person, "sms")
    refused = world.command("credential", "enroll", "email", person.name, "--address", ghost)
    assert refused.returncode == 1
    assert world.command("channel", "test", "mail", "--to", ghost).returncode == 1
    with world.daemon.channel() as channel:
        login = world.over_grpc(channel, person)
        step = login.password()
        world.carrier.down()
        step = login.answer(step, "?")
        assert "Recovery code" in step.prompt.text
        login.answer(login.password(), "1")
        world.carrier.up()
        assert login.sign_in(codes[0]).verdict != login_pb2.VERDICT_GRANTED
        login = world.over_grpc(channel, person)
        step = login.password()
        number = next(
            line.split()[0] for line in login.answer(step, "?").prompt.text.splitlines() if "Recovery" in line
        )
        step = login.answer(login.answer(login.password(), "?"), number)
        for typed in ("12121212", "343434", CANARY):
            step = login.answer(step, typed)
    assert world.leaks() == []


def test_the_search_finds_what_is_there(world: World) -> None:
    """What stands in a log is found by the search for it: the test above can fail."""
    world.secrets.add("daemon.ready")
    try:
        assert world.leaks() == ["daemon.ready"]
    finally:
        world.secrets.discard("daemon.ready")
