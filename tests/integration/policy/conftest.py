"""The office that tests of policy run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.daemon import Nightlatchd
from testbed.office import RULES, Office
from testbed.slapd import group_dn, group_of_names, person_dn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd


@pytest.fixture
def office(door_folder: Path, slapd: Slapd) -> Iterator[Office]:
    """The daemon runs, with `RULES`."""
    slapd.add_all(group_of_names("ops", person_dn("bob")))
    slapd.add_all(group_of_names("admins", person_dn("alice"), group_dn("ops")))
    office = Office(slapd, Nightlatchd(door_folder / "d", ""))
    office.write(RULES)
    office.daemon.start()
    yield office
    office.daemon.stop()
