"""Two directories behind one daemon: a name that is in both is two people, who share nothing."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from testbed.slapd import person_dn
from testbed.two_directories import CORP, LOCAL, TwoDirectories, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

GRANTED, REFUSED = login_pb2.VERDICT_GRANTED, login_pb2.VERDICT_REFUSED
LOCKED, UNAVAILABLE = login_pb2.VERDICT_LOCKED, login_pb2.VERDICT_UNAVAILABLE


@pytest.fixture
def both(door_folder: Path, slapd: Slapd) -> Iterator[TwoDirectories]:
    """A daemon that asks the local accounts first, then the slapd."""
    world = TwoDirectories(door_folder, slapd)
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture
def channel(both: TwoDirectories) -> Iterator[grpc.Channel]:
    """A connection to it."""
    with both.daemon.channel() as channel:
        yield channel


def _asked_for_a_code(step: login_pb2.Step) -> bool:
    return step.prompt.kind == login_pb2.PROMPT_KIND_CODE


def test_the_first_directory_that_knows_the_name(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: alice is the local one, with the local password alone; dave is found in the second."""
    for name in ("alice", "dave"):
        both.enroll(name)
    assert _asked_for_a_code(Visitor(channel, "alice", LOCAL["alice"]).come())
    assert Visitor(channel, "alice", CORP["alice"]).come().outcome.verdict == REFUSED
    assert _asked_for_a_code(Visitor(channel, "dave", CORP["dave"]).come())


def test_credentials_are_not_shared(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: with the order turned round, alice is another, without an app."""
    local_app = both.enroll("alice")
    assert Visitor(channel, "alice", LOCAL["alice"]).sign_in(local_app.fresh()).verdict == GRANTED
    both.ask_first("corp")
    corp = Visitor(channel, "alice", CORP["alice"])
    assert corp.come().outcome.verdict == REFUSED
    corp_app = both.enroll("alice")
    assert _asked_for_a_code(corp.answer(corp.come(), local_app.code(1)))
    assert corp.sign_in(corp_app.fresh()).verdict == GRANTED
    both.ask_first("local")
    local = Visitor(channel, "alice", LOCAL["alice"])
    assert _asked_for_a_code(local.answer(local.come(), corp_app.code(1)))
    assert local.sign_in(local_app.fresh()).verdict == GRANTED


def test_devices_are_not_shared(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: a device that one alice trusts is nothing to the other, and still good for the first."""
    token = Visitor(channel, "alice", LOCAL["alice"]).vouch(both.enroll("alice").fresh())
    both.ask_first("corp")
    both.enroll("alice")
    assert _asked_for_a_code(Visitor(channel, "alice", CORP["alice"]).come(token))
    both.ask_first("local")
    assert Visitor(channel, "alice", LOCAL["alice"]).come(token).outcome.verdict == GRANTED


def test_limits_are_not_shared(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: guesses at the code of one alice lock her, and not the other."""
    app = both.enroll("alice")
    local = Visitor(channel, "alice", LOCAL["alice"])
    verdicts = []
    for _ in range(6):
        step = local.come()
        while step.WhichOneof("kind") == "prompt":
            step = local.answer(step, app.wrong())
        verdicts.append(step.outcome.verdict)
    assert verdicts[-1] == LOCKED
    both.ask_first("corp")
    assert Visitor(channel, "alice", CORP["alice"]).sign_in(both.enroll("alice").fresh()).verdict == GRANTED


def test_case_makes_two_local_people(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: Bob and bob are two, and BOB is neither of them but the slapd's bob, who has any case."""
    app = both.enroll("Bob")
    assert Visitor(channel, "Bob", LOCAL["Bob"]).sign_in(app.fresh()).verdict == GRANTED
    assert Visitor(channel, "bob", LOCAL["bob"]).come().outcome.verdict == REFUSED
    both.enroll("bob")
    neighbour = Visitor(channel, "bob", LOCAL["bob"])
    assert _asked_for_a_code(neighbour.answer(neighbour.come(), app.fresh()))
    for password in (LOCAL["Bob"], LOCAL["bob"]):
        assert Visitor(channel, "BOB", password).come().outcome.verdict == REFUSED
    both.enroll("BOB")
    told = Visitor(channel, "BOB", CORP["bob"]).come().outcome
    assert (told.verdict, told.message) == (REFUSED, 'Sign in as "bob", please.'), (
        "found, by another spelling"
    )


def test_an_outage_makes_nobody_another_person(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-03: while the first directory is away, nobody is taken for the second's, or refused."""
    both.enroll("alice")
    both.ask_first("corp")
    both.slapd.stop()
    for name in ("alice", "erin"):
        for password in (LOCAL[name], "wrong"):
            assert Visitor(channel, name, password).come().outcome.verdict == UNAVAILABLE
    both.ask_first("local")
    assert _asked_for_a_code(Visitor(channel, "alice", LOCAL["alice"]).come())
    assert Visitor(channel, "dave", CORP["dave"]).come().outcome.verdict == UNAVAILABLE


def test_a_removed_local_user_leaves_the_name_behind(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-04: for PAM the name is the person: who gets it gets the app, until that is removed."""
    app = both.enroll("erin")
    both.machine.remove("erin")
    assert Visitor(channel, "erin", LOCAL["erin"]).come().outcome.verdict == REFUSED
    both.machine.add("erin", "Another-erin-x")
    newcomer = Visitor(channel, "erin", "Another-erin-x")
    assert newcomer.sign_in(app.fresh()).verdict == GRANTED
    listed = both.daemon.command("credential", "list", "erin", "--json")
    (credential,) = json.loads(listed.stdout)["credentials"]
    ended = both.daemon.command("credential", "remove", "erin", credential["id"], "--without-proof", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert newcomer.come().outcome.verdict == REFUSED


def test_a_corp_account_that_is_made_anew_inherits_nothing(
    both: TwoDirectories, channel: grpc.Channel
) -> None:
    """IDN-04: beside it, a person of the slapd with the same name and DN is a new one."""
    both.enroll("dave")
    both.slapd.remove(person_dn("dave"))
    both.slapd.add("dave", password="Another-dave-x")
    step = Visitor(channel, "dave", "Another-dave-x").come()
    assert step.outcome.verdict == REFUSED
    assert "none is set up" in step.outcome.message


def _verdict(visitor: Visitor) -> object:
    try:
        return visitor.come().outcome.verdict
    except grpc.RpcError as error:
        return error.code()


STRANGE = (
    "padding:1:2\nattacker:0:65536",
    "../alice",
    "-rf",
    "$(id)",
    "a" * 300,
    "alice\u202e",
    "Local-alice-x",
)


def test_strange_names_are_nobody_s_and_in_no_log(both: TwoDirectories, channel: grpc.Channel) -> None:
    """IDN-05: what no directory can know is refused like a wrong password, and written nowhere as typed."""
    verdicts = [_verdict(Visitor(channel, name, LOCAL["alice"])) for name in STRANGE]
    assert set(verdicts) <= {REFUSED, grpc.StatusCode.INVALID_ARGUMENT}
    with sqlite3.connect(both.daemon.folder / "state" / "nightlatch.db") as database:
        written = "\n".join(database.iterdump())
    written += both.daemon.log.read_text() + both.helper.log()
    assert [name for name in STRANGE if name.rpartition("\n")[2] in written] == []


def test_words_for_the_right_password_alone(both: TwoDirectories, channel: grpc.Channel) -> None:
    """PPW-03: a person with an expired password is told so after the right one alone."""
    both.machine.age("alice", "0:0:99999:7:::")
    step = Visitor(channel, "alice", LOCAL["alice"]).come()
    assert step.outcome.verdict == REFUSED
    assert "password must be changed" in step.outcome.message
    assert Visitor(channel, "alice", "wrong").come().outcome.message == "Sign-in refused."


def test_long_and_odd_passwords(both: TwoDirectories, channel: grpc.Channel) -> None:
    """PPW-02: 64 characters of any script are a password, whole; 1 MiB and NUL are refused before PAM."""
    long = "ü漢🔑x" * 16
    both.machine.set_password("alice", long)
    both.enroll("alice")
    assert _asked_for_a_code(Visitor(channel, "alice", long).come())
    checks = both.helper.log().count("(PAM ")
    for never in ("x" * 2**20, "Pw\x00", long * 9):
        assert _verdict(Visitor(channel, "alice", never)) in {
            REFUSED,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
    assert both.helper.log().count("(PAM ") == checks
    assert Visitor(channel, "alice", long[:-1]).come().outcome.verdict == REFUSED
