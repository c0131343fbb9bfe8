"""Whole logins through a real nightlatchd, with a real Samba as Active Directory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from nightlatch.v1 import login_pb2
from testbed.applications import VPN, Installation
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, enroll
from testbed.samba import DISABLED, DOMAIN, Samba, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.fixtures_active_directory import NewName


def _table(samba: Samba) -> str:
    return samba.table('netbios_name = "NL"')


@pytest.fixture
def daemon(door_folder: Path, samba: Samba) -> Iterator[Nightlatchd]:
    """A daemon with the domain as its only directory."""
    running = Nightlatchd(door_folder / "d", _table(samba), level="debug")
    running.start()
    yield running
    running.stop()


def _reasons(daemon: Nightlatchd) -> str:
    return daemon.log.read_text()


def test_password_and_code(daemon: Nightlatchd, samba: Samba, new_name: NewName) -> None:
    """Password and code are granted under the sAMAccountName, and to a PAM service by no other (PAM-11)."""
    name = new_name("greta")
    samba.add_person(name)
    with daemon.channel(admin=True) as admin, daemon.channel() as pam:
        app = enroll(admin, name)
        person = Person(pam, name)
        assert person.password("wrong").outcome.verdict == login_pb2.VERDICT_REFUSED
        step = person.password(password_of(name))
        assert person.answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_GRANTED
        other = Person(pam, f"{name}@{DOMAIN}").password(password_of(name)).outcome
        assert other.verdict == login_pb2.VERDICT_REFUSED
        assert other.message == f'Sign in as "{name}", please.'


@pytest.mark.parametrize("written", ["{}", "{}@" + DOMAIN], ids=["sAMAccountName", "userPrincipalName"])
def test_a_rule_for_one_name_is_for_all_of_them(
    open_folder: Path, samba: Samba, new_name: NewName, written: str
) -> None:
    r"""POL-03: a rule that names somebody either way demands by NAME, NAME@DOMAIN and DOMAIN\NAME alike."""
    name = new_name("hanna")
    samba.add_person(name)
    rules = f"""
[[policies]]
name = "all of us"
second_factor = "observe"
[[policies]]
name = "strict"
match = {{ users = ["{written.format(name)}"] }}
"""
    folder = Path(tempfile.mkdtemp(prefix="names-", dir=open_folder))
    folder.chmod(0o755)
    made = Installation(folder, directories=_table(samba), clients=VPN + rules)
    made.daemon.start()
    try:
        with made.daemon.channel(admin=True) as admin, made.vpn().channel() as vpn:
            app = enroll(admin, name)
            for typed in (name, name.upper(), f"{name}@{DOMAIN}", f"NL\\{name}"):
                person = Person(vpn, typed, "vpn")
                outcome = person.answer(person.password(password_of(name)), app.fresh()).outcome
                assert (outcome.verdict, outcome.user) == (login_pb2.VERDICT_GRANTED, name), typed
                assert outcome.factor == "totp"
    finally:
        made.daemon.stop()


class Kept(NamedTuple):
    """What keeps somebody out, what the person reads, and what the log says."""

    attributes: dict[str, int]
    words: str
    reason: str


DISABLING = Kept({"userAccountControl": DISABLED}, "Your account is disabled", "is disabled in the directory")
CHANGING = Kept({"pwdLastSet": 0}, "must change your password", "wants the password changed")


@pytest.mark.parametrize("kept", [DISABLING, CHANGING], ids=["disabled", "must change"])
def test_who_is_kept_out_is_told_why(
    daemon: Nightlatchd, samba: Samba, new_name: NewName, kept: Kept
) -> None:
    """Behind the right password the person reads why, and the log says it; behind a wrong one, neither."""
    name = new_name("kept.away")
    dn = samba.add_person(name)
    samba.modify(dn, **kept.attributes)
    with daemon.channel() as pam:
        wrong = Person(pam, name).password("wrong").outcome
        assert wrong.verdict == login_pb2.VERDICT_REFUSED
        assert kept.reason not in _reasons(daemon)
        told = Person(pam, name).password(password_of(name)).outcome
    assert told.verdict == login_pb2.VERDICT_REFUSED
    assert kept.words in told.message
    assert kept.words not in wrong.message
    assert kept.reason in _reasons(daemon)
    assert password_of(name) not in _reasons(daemon)
