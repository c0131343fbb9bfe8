"""The office that tests of policy run in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.daemon import Nightlatchd
from testbed.office import RULES, Office
from testbed.slapd import group_dn, group_of_names, person_dn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.slapd import Slapd


def running(folder: Path, slapd: Slapd) -> Office:
    """An office whose daemon runs, with `RULES`."""
    slapd.add_all(group_of_names("ops", person_dn("bob")))
    slapd.add_all(group_of_names("admins", person_dn("alice"), group_dn("ops")))
    office = Office(slapd, Nightlatchd(folder / "d", ""))
    office.write(RULES)
    office.daemon.start()
    return office


@pytest.fixture
def office(door_folder: Path, slapd: Slapd) -> Iterator[Office]:
    """The daemon runs, with `RULES`, and nobody has a second factor."""
    office = running(door_folder, slapd)
    yield office
    office.daemon.stop()


@pytest.fixture(scope="module")
def common_office(open_folder: Path, common_slapd: Slapd) -> Iterator[Office]:
    """The same for tests that only ask; alice has an app."""
    folder = Path(tempfile.mkdtemp(prefix="office-", dir=open_folder))
    folder.chmod(0o755)
    office = running(folder, common_slapd)
    office.enroll("alice")
    yield office
    office.daemon.stop()
