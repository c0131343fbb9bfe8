"""Changing a password of Active Directory as its person, through a real nightlatchd and a real Samba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, enroll
from testbed.own_account import GRANTED, OwnService
from testbed.samba import Samba, password_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.fixtures_active_directory import NewName

NEW = "Brand-new-Pässword-4"


def test_the_next_login_takes_the_new_password(door_folder: Path, samba: Samba, new_name: NewName) -> None:
    """What the domain's rules do not take is told in words; after the change the new one counts alone."""
    name = new_name("rosa")
    samba.add_person(name)
    account_socket = door_folder / "d" / "run" / "account.sock"
    table = samba.table(f'[listeners.account]\nsocket = "{account_socket}"')
    daemon = Nightlatchd(door_folder / "d", table, level="debug")
    daemon.start()
    try:
        with daemon.channel(admin=True) as admin, daemon.channel() as pam, OwnService(account_socket) as own:
            app = enroll(admin, name)
            step = own.call("BeginSession", user=name).step
            for typed in (password_of(name), app.fresh()):
                answered = own.call("AnswerSession", ticket=step.ticket, answer=typed.encode())
                step = answered.step
            assert step.outcome.verdict == GRANTED
            old = password_of(name).encode()
            with pytest.raises(grpc.RpcError) as refused:
                own.call("ChangePassword", session=answered.session, old_password=old, new_password=b"short")
            assert "password rules" in (refused.value.details() or "")
            own.call("ChangePassword", session=answered.session, old_password=old, new_password=NEW.encode())
            person = Person(pam, name)
            assert person.password(password_of(name)).outcome.verdict == login_pb2.VERDICT_REFUSED
            login = person.answer(person.password(NEW), app.fresh())
            assert login.outcome.verdict == GRANTED
    finally:
        daemon.stop()
