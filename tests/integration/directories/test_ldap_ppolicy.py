"""A real slapd with a password policy: what it says beside right and wrong, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Refused, Restricted
from nightlatch.model import Secret
from testbed.slapd import Slapd, password_of, person_dn
from testbed.slapd_policy import OLD, must_change, policy_parts

if TYPE_CHECKING:
    from structlog.testing import LogCapture

    from nightlatch.ports import Directory
    from testbed.fixtures_directories import MakeDirectory, MakeSlapd


async def _check(directory: Directory, name: str, password: str = "") -> None:
    account = await directory.find(name)
    assert account is not None
    await directory.check_password(account, Secret(password or password_of(name)))


async def _refusal(directory: Directory, name: str, password: str = "") -> Refused:
    with pytest.raises(Refused) as refused:
        await _check(directory, name, password)
    return refused.value


async def test_a_policy_without_objections(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """Under a policy that has nothing against them, right passwords pass and wrong ones are wrong."""
    directory = make_directory(make_slapd(parts=policy_parts()).settings())
    for _ in range(2):
        await _check(directory, "alice")
        assert (await _refusal(directory, "alice", "wrong")).reason == "wrong password"


async def test_locked_by_the_directory(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """A locked account is refused with that reason, alike for the right and a wrong password."""
    slapd = make_slapd(parts=policy_parts())
    directory = make_directory(slapd.settings())
    for _ in range(3):
        assert (await _refusal(directory, "alice", "wrong")).reason == "wrong password"
    for password in ("", "wrong"):
        refused = await _refusal(directory, "alice", password)
        assert type(refused) is Refused
        assert refused.reason == "locked by the directory"
    await _check(directory, "bob")


async def test_locked_without_a_word(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """A server that does not tell of locks (ppolicy_use_lockout is off) refuses: a wrong password to us."""
    directory = make_directory(make_slapd(parts=policy_parts(tell_locked=False)).settings())
    for password in ("wrong", "wrong", "wrong", ""):
        assert (await _refusal(directory, "alice", password)).reason == "wrong password"


async def test_expired(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """An expired password is refused with that reason; a wrong one is a wrong one."""
    directory = make_directory(make_slapd(parts=policy_parts(max_age=86400)).settings())
    assert (await _refusal(directory, OLD)).reason == "password expired"
    assert (await _refusal(directory, OLD, "wrong")).reason == "wrong password"


async def test_grace_logins_are_counted_down(
    make_slapd: MakeSlapd, make_directory: MakeDirectory, directory_log: LogCapture
) -> None:
    """An expired password with grace logins left is let in, the log says how many are left, then it ends."""
    directory = make_directory(make_slapd(parts=policy_parts(max_age=86400, grace=2)).settings())
    await _check(directory, OLD)
    await _check(directory, OLD)
    assert (await _refusal(directory, OLD)).reason == "password expired"
    assert [(entry["log_level"], entry["event"], entry["remark"]) for entry in directory_log.entries] == [
        ("warning", "directory.password_remark", "the password has expired; logins left: 1"),
        ("warning", "directory.password_remark", "the password has expired; logins left: 0"),
    ]


async def test_a_password_that_expires_soon_is_noted(
    make_slapd: MakeSlapd, make_directory: MakeDirectory, directory_log: LogCapture
) -> None:
    """Days before a password expires the person is let in; the log has it for who looks for it."""
    directory = make_directory(make_slapd(parts=policy_parts(max_age=800_000_000)).settings())
    await _check(directory, OLD)
    (entry,) = directory_log.entries
    assert entry["log_level"] == "debug"
    assert "expires in" in entry["remark"]


async def test_must_be_changed_first(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """After a reset the right password is restricted, with words for the person; a wrong one is wrong."""
    slapd = make_slapd(parts=policy_parts())
    slapd.modify(must_change("alice"))
    directory = make_directory(slapd.settings())
    restricted = await _refusal(directory, "alice")
    assert isinstance(restricted, Restricted)
    assert restricted.words == "Your password must be changed. Change it, then sign in again."
    assert not isinstance(await _refusal(directory, "alice", "wrong"), Restricted)
    # The connection that the person was bound on is bound anew for the next.
    await _check(directory, "bob")


async def test_enabled(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """Who an administrator has locked is not enabled; who is locked for wrong passwords still is."""
    slapd: Slapd = make_slapd(parts=policy_parts())
    slapd.modify(
        f"dn: {person_dn('alice')}\nchangetype: modify\nreplace: pwdAccountLockedTime\n"
        "pwdAccountLockedTime: 000001010000Z\n"
    )
    directory = make_directory(slapd.settings())
    for _ in range(3):
        await _refusal(directory, "bob", "wrong")
    assert (await _refusal(directory, "alice")).reason == "locked by the directory"
    enabled = {person.account.name: person.enabled async for page in directory.people() for person in page}
    assert enabled == {"alice": False, "bob": True, "carol": True, "dave": True, OLD: True}
