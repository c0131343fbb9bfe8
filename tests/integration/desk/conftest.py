"""One running world for each module, and a company for each test."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.applications import short_folder
from testbed.company import AUDITOR, CLIENTS, HELPER, STRANGER, Company
from testbed.front_door import directory_table
from testbed.second_factors import Resident, World
from testbed.slapd import GROUPS, group_dn, group_of_names, person_dn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.pki import Pki
    from testbed.slapd import Slapd


@pytest.fixture(scope="module")
def world(open_folder: Path, pki: Pki) -> Iterator[World]:
    """Everything, running; afterwards nothing secret may be in any log (LEK-01)."""
    folder = Path(tempfile.mkdtemp(prefix="dsk-", dir=open_folder))
    folder.chmod(0o755)
    made = World(folder, pki)
    try:
        made.start()
        yield made
        assert made.leaks() == []
    finally:
        made.stop()


@pytest.fixture
def person(world: World) -> Resident:
    """Somebody whom no other test knows."""
    return world.person()


@pytest.fixture
def company(open_folder: Path, slapd: Slapd) -> Iterator[Company]:
    """The daemon runs, with a helpdesk and an auditor on the host, and an application as a helpdesk."""
    slapd.add_all(group_of_names("ops", person_dn("bob")))
    slapd.add_all(group_of_names("admins", person_dn("alice"), group_dn("ops")))
    directory = f'{directory_table(slapd)}group_base = "{GROUPS}"\ngroup_cache_seconds = 0\n'
    roles = f"""
[administration]
sign_in_uids = [{STRANGER}]
[[roles]]
role = "admin"
groups = ["{group_dn("admins")}"]
[[roles]]
role = "helpdesk"
uids = [{HELPER}]
clients = ["desk"]
[[roles]]
role = "auditor"
uids = [{AUDITOR}]
"""
    made = Company(short_folder(open_folder), directories=directory, clients=CLIENTS + roles)
    folder = made.daemon.folder
    text = made.daemon.config.read_text()
    made.daemon.config.write_text(
        text.replace(
            "[listeners.admin]\n", f"[listeners.admin]\nallow_uids = [0, {HELPER}, {AUDITOR}, {STRANGER}]\n"
        )
    )
    made.daemon.start()
    for path in (folder.parent, folder, folder / "run"):
        path.chmod(0o755)
    made.daemon.admin_socket.chmod(0o666)
    yield made
    made.daemon.stop()
