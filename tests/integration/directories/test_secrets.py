"""LEK-01: canaries as passwords come out nowhere, however talkative everything is and whatever fails."""

from __future__ import annotations

import io
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ldap3.utils.log import EXTENDED, OFF, set_library_log_detail_level

from nightlatch.errors import NightlatchError, Refused
from nightlatch.model import Account, Secret
from testbed import hostile
from testbed.slapd import SERVICE_PASSWORD, Slapd, person_dn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from structlog.testing import LogCapture

    from testbed.fixtures_directories import MakeDirectory
    from testbed.pamcheck import PamCheckProcess
    from testbed.pki import Pki

CANARY = "Canary-7f3a-of-this-test"
QUICK = {"connect_timeout": 0.3, "operation_timeout": 0.3}


@pytest.fixture
def talkative() -> Iterator[io.StringIO]:
    """All that the standard library's logging gets, with ldap3 at its most talkative."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    set_library_log_detail_level(EXTENDED)
    yield heard
    set_library_log_detail_level(OFF)
    root.setLevel(level)
    root.removeHandler(handler)


def _everything_about(error: BaseException | None) -> str:
    """An error with its causes and contexts, and every local variable of ours and of libraries on the way."""
    if error is None:
        return ""
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__) if not _is_test(frame)]
    own = f"{error!r} {error} {vars(error)!r} {frames!r}"
    return own + _everything_about(error.__cause__) + _everything_about(error.__context__)


def _is_test(frame: FrameType) -> bool:
    return Path(frame.f_code.co_filename).is_relative_to(Path(__file__).parents[2])


async def test_ldap_tells_no_password(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture, talkative: io.StringIO
) -> None:
    """A right password, a wrong one, and the service account's: none is in a log, a repr or an error."""
    slapd.set_password(person_dn("alice"), CANARY)
    directory = make_directory(slapd.settings())
    alice = await directory.find("alice")
    assert alice is not None
    await directory.check_password(alice, Secret(CANARY))
    told = []
    for wrong in (CANARY + "!", CANARY + "\x00", CANARY * 100):
        with pytest.raises(Refused) as refused:
            await directory.check_password(alice, Secret(wrong))
        told.append(_everything_about(refused.value))
    told += [
        talkative.getvalue(),
        repr(directory_log.entries),
        repr(vars(directory)),
        repr(alice),
        slapd.log(),
    ]
    assert "BIND" in talkative.getvalue()
    for text in told:
        assert CANARY not in text
        assert SERVICE_PASSWORD not in text


@pytest.mark.parametrize(
    "behaviour",
    [hostile.reset, hostile.silence, hostile.rubbish, hostile.trickle],
    ids=lambda one: one.__name__,
)
async def test_ldap_failures_tell_no_password(
    slapd: Slapd,
    pki: Pki,
    make_directory: MakeDirectory,
    talkative: io.StringIO,
    behaviour: hostile.Behaviour,
) -> None:
    """A server that fails in the middle of a bind brings no password into the error or its frames."""
    alice = Account("corp", "some-id", "alice", person_dn("alice"))
    async with hostile.serving(behaviour, hostile.server_context(pki)) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        with pytest.raises(NightlatchError) as failed:
            await directory.check_password(alice, Secret(CANARY))
        assert CANARY.encode() in seen
    told = _everything_about(failed.value)
    assert CANARY not in told
    assert CANARY not in talkative.getvalue()


async def test_pam_tells_no_password(
    pamcheck: PamCheckProcess, make_directory: MakeDirectory, directory_log: LogCapture
) -> None:
    """The helper's log, its command line and environment, and our errors hold no password and no name."""
    directory = make_directory({"name": "local", "kind": "pam", "socket": str(pamcheck.socket)})
    told = []
    for _ in range(2):
        with pytest.raises(NightlatchError) as failed:
            await directory.check_password(Account("local", "alice", "alice"), Secret(CANARY))
        told.append(_everything_about(failed.value))
        pamcheck.users.write_service("# empty\n")
    told += [pamcheck.log(), repr(directory_log.entries)]
    told += [repr(pamcheck.proc(file)) for file in ("cmdline", "environ")]
    for text in told:
        assert CANARY not in text
    assert "alice" not in pamcheck.log()
