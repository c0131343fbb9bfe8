"""Whole logins through a real nightlatchd, with a real Samba as Active Directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, enroll
from testbed.samba import BASE, DISABLED, DOMAIN, SERVICE_UPN, Samba, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.fixtures_active_directory import NewName


@pytest.fixture
def daemon(door_folder: Path, samba: Samba) -> Iterator[Nightlatchd]:
    """A daemon with the domain as its only directory."""
    table = f"""
[[directories]]
name = "corp"
kind = "active_directory"
urls = ["{samba.tls_url}"]
ca_file = "{samba.ca_file}"
bind_dn = "{SERVICE_UPN}"
bind_password_file = "{samba.service_password_file}"
base = "{BASE}"
netbios_name = "NL"
"""
    running = Nightlatchd(door_folder / "d", table, level="debug")
    running.start()
    yield running
    running.stop()


def _reasons(daemon: Nightlatchd) -> str:
    return daemon.log.read_text()


def test_password_and_code(daemon: Nightlatchd, samba: Samba, new_name: NewName) -> None:
    """Password and code are granted, enrolled under one name of the person and used under others."""
    name = new_name("greta")
    samba.add_person(name)
    with daemon.channel(admin=True) as admin, daemon.channel() as pam:
        app = enroll(admin, name)
        for typed in (name, f"{name}@{DOMAIN}"):
            person = Person(pam, typed)
            assert person.password("wrong").outcome.verdict == login_pb2.VERDICT_REFUSED
            step = person.password(password_of(name))
            assert person.answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_GRANTED


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
