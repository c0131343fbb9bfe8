"""What a real Samba says of people who may not sign in, and what nightlatch makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from nightlatch.errors import Refused, Restricted
from nightlatch.model import Secret
from testbed.samba import DISABLED, LONG_AGO, Samba, password_of

if TYPE_CHECKING:
    from nightlatch.model import Account
    from nightlatch.ports import Directory
    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory


class State(NamedTuple):
    """A state that keeps a person out."""

    attributes: dict[str, Any]
    reason: str
    words: str


STATES = {
    "disabled (533)": State({"userAccountControl": DISABLED}, "is disabled", "Your account is disabled."),
    "expired (701)": State(
        {"accountExpires": str(LONG_AGO)}, "account has expired", "Your account has expired."
    ),
    "must change (773)": State({"pwdLastSet": 0}, "wants the password changed", "must change your password"),
    "hours (530)": State({"logonHours": bytes(21)}, "time of day", "may not sign in at this time"),
    "elsewhere (531)": State({"userWorkstations": "OTHERPC"}, "other computers", "from this computer"),
}


async def _known(directory: Directory, name: str) -> Account:
    account = await directory.find(name)
    assert account is not None
    return account


async def _outcome(directory: Directory, account: Account, password: str) -> Refused:
    with pytest.raises(Refused) as refused:
        await directory.check_password(account, Secret(password))
    return refused.value


@pytest.mark.parametrize("state", STATES)
async def test_kept_out_with_the_right_password(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, state: str
) -> None:
    """Whoever shows the right password is told why it does not help; a wrong one is told nothing of it."""
    name = new_name("kept.out")
    samba.add_person(name, **STATES[state].attributes)
    directory = make_directory(samba.settings())
    account = await _known(directory, name)
    told = await _outcome(directory, account, password_of(name))
    assert isinstance(told, Restricted)
    assert STATES[state].reason in told.reason
    assert STATES[state].words in told.words
    wrong = await _outcome(directory, account, "something else")
    assert (type(wrong), wrong.reason) == (Refused, "wrong password")


async def test_an_expired_password(samba: Samba, make_directory: MakeDirectory, new_name: NewName) -> None:
    """A password that is too old (532) is told as that, to who knows it; changed, it lets in again."""
    name = new_name("old.password")
    dn = samba.add_person(name)
    directory = make_directory(samba.settings())
    account = await _known(directory, name)
    await directory.check_password(account, Secret(password_of(name)))
    samba.expire_password(dn)
    told = await _outcome(directory, account, password_of(name))
    assert isinstance(told, Restricted)
    assert told.words == "Your password has expired. Change it, then sign in again."
    assert type(await _outcome(directory, account, "something else")) is Refused
    samba.modify(dn, unicodePwd='"Another-1"'.encode("utf-16-le"))
    await directory.check_password(account, Secret("Another-1"))


async def test_a_locked_account(samba: Samba, make_directory: MakeDirectory, new_name: NewName) -> None:
    """Locked (775) looks the same to a right and to a wrong password, and only the log says which it is."""
    name = new_name("locked")
    dn = samba.add_person(name)
    directory = make_directory(samba.settings())
    account = await _known(directory, name)
    for _ in range(3):
        assert (await _outcome(directory, account, "something else")).reason == "wrong password"
    for password in ("something else", password_of(name)):
        told = await _outcome(directory, account, password)
        assert type(told) is Refused
        assert "locked" in told.reason
    samba.modify(dn, lockoutTime=0)
    await directory.check_password(account, Secret(password_of(name)))


async def test_everyone_tells_who_may_not_sign_in(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """Reading everyone, those who are disabled or expired are not enabled; the others are."""
    names = {state: new_name("may.not") for state in STATES}
    for state, name in names.items():
        samba.add_person(name, **STATES[state].attributes)
    never, later = new_name("never"), new_name("later")
    samba.add_person(never, accountExpires="0")
    samba.add_person(later, accountExpires=str(LONG_AGO * 2))
    directory = make_directory(samba.settings())
    enabled = {person.account.name: person.enabled async for page in directory.people() for person in page}
    assert [state for state, name in names.items() if not enabled[name]] == [
        "disabled (533)",
        "expired (701)",
    ]
    assert enabled[never]
    assert enabled[later]
