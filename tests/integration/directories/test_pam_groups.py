"""Groups and everybody on a private machine, and a user database that is broken, away, or hangs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from testbed.pamcheck import PrivateUsers

TESTBED = Path(__file__).parents[2] / "testbed"
NSSWITCH = "passwd: files {source}\ngroup: files {source}\nshadow: files\n"
_MOUNT = 'mount --bind "$D/nsswitch.conf" /etc/nsswitch.conf; exec "$@"'


def _ask(
    machine: PrivateUsers,
    *questions: tuple[str, str],
    source: str = "",
    timeout: float = 5.0,
    descriptors: int | None = None,
) -> dict[str, Any]:
    """What a PamDirectory on the machine says; `source` is what NSS has besides the files: away or hangs."""
    (machine.folder / "nsswitch.conf").write_text(NSSWITCH.format(source="trouble" if source else ""))
    request = {"ask": questions, "timeout": timeout, "descriptors": descriptors}
    done = subprocess.run(
        machine.command("sh", "-ec", _MOUNT, "x", sys.executable, TESTBED / "local_accounts.py"),
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**machine.environment, "LD_LIBRARY_PATH": str(machine.folder), "NSS_SOURCE": source},
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _answers(machine: PrivateUsers, *questions: tuple[str, str], **options: Any) -> list[Any]:  # noqa: ANN401
    return list(_ask(machine, *questions, **options)["answers"])


@pytest.fixture
def trouble(pam_users: PrivateUsers) -> PrivateUsers:
    """The machine, with a source for nsswitch.conf that can be away or hang."""
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", pam_users.folder / "libnss_trouble.so.2", TESTBED / "nss_source.c"],
        check=True,
    )
    return pam_users


def _groups(*names: str) -> list[list[object]]:
    return [[name, name, []] for name in names]


def test_groups_of_a_person(pam_users: PrivateUsers) -> None:
    """The primary group and all others; a person in none has the primary one; Bob's are not bob's."""
    pam_users.add_group("ops", 30001, "alice", "Bob")
    pam_users.add_group("admins", 30002, "carol", "alice")
    found = _answers(pam_users, *(("groups", name) for name in ("alice", "Bob", "bob")))
    assert found == [_groups("alice", "ops", "admins"), _groups("Bob", "ops"), _groups("bob")]


def test_a_number_without_a_group(pam_users: PrivateUsers) -> None:
    """A primary group that group(5) does not have is told by its number."""
    passwd = pam_users.folder / "passwd"
    passwd.write_text(passwd.read_text() + "dora:x:22000:4711::/:/bin/sh\n")
    assert _answers(pam_users, ("groups", "dora"), ("group", "4711")) == [_groups("4711"), None]


def test_a_group_of_ten_thousand(pam_users: PrivateUsers) -> None:
    """A line of group(5) may be longer than the first buffer, and somebody in 300 groups is in all."""
    pam_users.add_group("everybody", 30001, *(f"person{number:05}" for number in range(10_000)), "alice")
    for number in range(300):
        pam_users.add_group(f"project{number}", 31000 + number, "alice")
    named, groups = _answers(pam_users, ("group", "everybody"), ("groups", "alice"))
    assert named == ["everybody", "everybody", []]
    assert len(groups) == 302


def test_a_group_by_its_name(pam_users: PrivateUsers) -> None:
    """A group is found by exactly its name; what is no name is no group (IDN-05)."""
    pam_users.add_group("ops", 30001)
    wrong = ("OPS", "ops ", "", "30001", "ops\x00x", "ops\nx", "o" * 300, "no-such")
    assert _answers(pam_users, ("group", "ops"), *(("group", name) for name in wrong)) == [
        ["ops", "ops", []],
        *[None] * len(wrong),
    ]


def test_nobody_has_no_groups(pam_users: PrivateUsers) -> None:
    """Somebody who was removed in the middle of a login is not somebody without groups."""
    assert _answers(pam_users, ("groups", "zoe")) == [
        "unavailable: the account is gone, and its groups with it"
    ]


def test_everybody(pam_users: PrivateUsers) -> None:
    """Reports see everybody with all groups, page by page; who has no shell to log in to is not enabled."""
    pam_users.add_group("ops", 30001, "alice", "nobody")
    passwd = pam_users.folder / "passwd"
    more = "".join(f"p{number}:x:{23000 + number}:30001::/:/bin/sh\n" for number in range(1000))
    passwd.write_text(
        passwd.read_text() + more + "p999:x:1:1::/:/bin/sh\nno name:x:22001:1::/:/bin/sh\n\n# a comment\n"
    )
    (pages,) = _answers(pam_users, ("people", ""))
    people = {name: (enabled, groups) for page in pages for name, enabled, groups in page}
    assert [len(page) for page in pages] == [500, 500, len(people) - 1000]
    assert people["local:alice"] == (True, ["alice", "ops"])
    assert people["local:nobody"] == (False, ["nogroup", "ops"])
    assert people["local:p999"] == (True, ["ops"])
    assert "local:no name" not in people


QUESTIONS = (("find", "alice"), ("find", "zoe"), ("groups", "alice"), ("group", "ops"), ("people", ""))


@pytest.mark.parametrize("free", [0, 1])
def test_without_descriptors_nobody_is_unknown(pam_users: PrivateUsers, free: int) -> None:
    """A daemon that can open no file takes nobody for unknown, and nobody for somebody without groups."""
    pam_users.add_group("ops", 30001, "alice")
    found = _answers(pam_users, *QUESTIONS, descriptors=free)
    right = _answers(pam_users, *QUESTIONS)
    for at, (told, truth) in enumerate(zip(found, right, strict=True)):
        assert told == truth or str(told).startswith("unavailable"), QUESTIONS[at]
    if free == 0:
        assert all("Too many open files" in str(told) for told in found)


def test_a_source_that_is_away(trouble: PrivateUsers) -> None:
    """Where sssd or winbind refuses, who is not in the files is not unknown, and groups are not complete."""
    alice, zoe, groups, group, _ = _answers(trouble, *QUESTIONS, source="away")
    assert alice == ["local:alice", "alice"]
    for told in (zoe, groups, group):
        assert told == "unavailable: the user database did not answer: Connection refused"


def test_a_source_that_hangs(trouble: PrivateUsers) -> None:
    """PPW-04: a look-up that hangs ends in time, holds no other one, and never the daemon's loop."""
    told = _ask(trouble, ("groups", "alice"), ("find", "zoe"), ("find", "bob"), source="hangs", timeout=0.5)
    late = "unavailable: no answer in 0.5 s"
    assert told["answers"] == [late, late, ["local:bob", "bob"]]
    assert told["ticks"] > 20
