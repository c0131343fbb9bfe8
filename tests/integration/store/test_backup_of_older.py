"""Backups that another version of nightlatch made: older ones are put back, newer ones are refused."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.store.opening import REVISION
from testbed.aged import aged, empty
from testbed.codes import STEP
from testbed.fixtures_store import run

if TYPE_CHECKING:
    from testbed.backups import Household
    from testbed.codes import App

NEWER = "9000"


def url_of(household: Household) -> str:
    """Where the store is."""
    return household.postgres_url or f"sqlite:///{household.database}"


def make_older(household: Household, revision: str) -> None:
    """Stop the daemon; the host is as an older version left it, with everybody's factors."""
    household.daemon.stop()
    aged(url_of(household), revision)
    (household.daemon.folder / "state" / "audit-heads").unlink()


def put_back(household: Household) -> dict[str, object]:
    """Put an older version's backup back, as the page on operations tells."""
    if household.postgres_url:
        empty(household.postgres_url)
    return household.put_back()


def revision(household: Household) -> object:
    """What the store says that it is."""
    return run(url_of(household), "select version_num from alembic_version")[0][0]


def signs_in(household: Household, app: App, restored_in: int = 0) -> bool:
    """Whether alice gets in, with what her phone shows next."""
    app.last = max(app.last, restored_in + 1)
    return household.granted("alice", app.fresh())


@pytest.mark.parametrize("older", ["0001", "0002"])
def test_a_backup_of_an_older_version_is_put_back(household: Household, older: str) -> None:
    """STO-06: behind an upgrade, too, apps stay, spent codes are dead, printed ones end; all of it works."""
    app = household.app("alice")
    household.codes("bob")
    make_older(household, older)
    household.back_up()
    household.daemon.start()  # moves the store, and goes on
    assert revision(household) == REVISION
    used = app.fresh(0)
    assert household.granted("alice", used)
    household.daemon.stop()

    told = put_back(household)
    assert (told["kept"], told["ended"]) == ({"totp": 1}, {"recovery": 1})
    assert (told["without"], told["unreadable"]) == (["bob"], 0)
    assert revision(household) == REVISION
    restored_in = int(time.time()) // STEP
    household.daemon.start()
    assert "store.older_than_its_audit" not in {event["event"] for event in household.daemon.events()}
    assert (household.factors("alice"), household.factors("bob")) == (["totp"], [])
    assert not household.granted("alice", used)
    assert signs_in(household, app, restored_in)
    (household.daemon.folder / "state" / "audit-heads").unlink()  # of what was written behind the backup
    verified = household.daemon.command("audit", "verify", "--json")
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["before_the_chain"] > 0


@pytest.mark.parametrize("household", ["sqlite"], indirect=True)
def test_what_an_older_store_had_lost_is_told(household: Household) -> None:
    """Where the store before is an older version's as well, the list of what came back is whole."""
    household.app("alice")
    household.codes("bob")
    make_older(household, "0001")
    household.back_up()
    run(url_of(household), "delete from credentials where factor = 'totp'")
    told = put_back(household)
    returned = told["returned"]
    assert isinstance(returned, dict)
    assert [(one["user"], one["factor"]) for one in returned["credentials"]] == [("alice", "totp")]
    assert returned["enabled"] == []
    assert Path(str(told["before"])).exists()


def test_a_backup_of_a_newer_version_is_refused(household: Household) -> None:
    """Whatever its tables are: in words, with its name, and the store stays as it is and works."""
    app = household.app("alice")
    household.back_up()
    household.daemon.stop()
    newer = f"sqlite:///{household.backup}" if not household.postgres_url else household.postgres_url
    run(newer, f"update alembic_version set version_num = '{NEWER}'")  # noqa: S608  # a word of this test
    run(newer, "alter table meta rename to settings")
    before = stored(household)
    words = ("restored",) if household.postgres_url else ("restore", household.backup)
    for options in (["--dry-run"], ["--yes"]):
        refused = household.store(*words, *options)
        assert refused.returncode == 1
        assert f"made by a newer nightlatch: its tables have revision {NEWER}" in refused.stderr
        assert household.postgres_url or f"store: {household.backup} was made" in refused.stderr
    assert stored(household) == before
    if household.postgres_url:
        run(newer, f"update alembic_version set version_num = '{REVISION}'")  # noqa: S608  # as above
        run(newer, "alter table settings rename to meta")
    household.daemon.start()
    assert signs_in(household, app)


@pytest.mark.parametrize("household", ["postgresql"], indirect=True)
def test_an_older_dump_over_newer_tables_is_told(household: Household) -> None:
    """PostgreSQL keeps tables that the dump does not know: that is said, with what to do, and helps."""
    app = household.app("alice")
    make_older(household, "0001")
    household.back_up()
    household.daemon.start()
    household.daemon.stop()
    household.pg_restore()
    refused = household.store("restored", "--yes")
    assert refused.returncode == 3
    assert "is there already. Put a dump of an older version into an empty database" in refused.stderr
    assert revision(household) == "0001"
    put_back(household)
    restored_in = int(time.time()) // STEP
    household.daemon.start()
    assert signs_in(household, app, restored_in)


def stored(household: Household) -> object:
    """What is in the store, and beside it."""
    folder = household.database.parent
    if household.postgres_url:
        return run(household.postgres_url, "select * from credentials")
    return household.database.read_bytes(), sorted(path.name for path in folder.iterdir())
