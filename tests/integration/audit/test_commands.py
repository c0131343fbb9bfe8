"""The commands about the audit, against real daemons: one on SQLite, two on one PostgreSQL."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.v1 import login_pb2
from testbed.daemon import BIN, Nightlatchd
from testbed.fixtures_store import run
from testbed.front_door import Person, directory_table, enroll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

SYSLOG = re.compile(
    r"<8[3-6]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]+ nightlatch - [!-~]{1,32} "
    r'\[nightlatch@32473( [a-z]+="(\\["\\\]]|[^"\\\]])*")+\] \ufeff[^\n]+'
)
CEF = re.compile(r"CEF:0\|nightlatch\|nightlatch\|[^|]+\|[a-z_.]+\|[^|]+\|\d+\|(\w+=(\\.|[^=\\])*)+")


class Office:
    """Daemons on one store."""

    def __init__(self, daemons: list[Nightlatchd], store_url: str) -> None:
        self.one, self.two = daemons[0], daemons[-1]
        self.daemons = daemons
        self.url = store_url

    def json_lines(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints, one value a line."""
        done = self.one.command(*arguments, "--json")
        assert done.returncode in {0, 1}, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def restart(self) -> None:
        """Stop all, so that all is signed, and start again."""
        for daemon in self.daemons:
            daemon.stop()
        for daemon in self.daemons:
            daemon.start()


@pytest.fixture(params=["sqlite", "two daemons on postgresql"])
def office(request: pytest.FixtureRequest, door_folder: Path, slapd: Slapd) -> Iterator[Office]:
    """One daemon on SQLite, or two on PostgreSQL."""
    url = f"sqlite:///{door_folder / 'one' / 'state' / 'nightlatch.db'}"
    names, extra = ["one"], ""
    if request.param != "sqlite":
        url = str(request.getfixturevalue("postgres_url"))
        key = door_folder / "shared.key"
        key.touch(mode=0o600)
        key.write_bytes(b"\x07" * KEY_BYTES)
        names, extra = ["one", "two"], f'[store]\nurl = "{url}"\nkey_file = "{key}"\n'
    made = Office(
        [Nightlatchd(door_folder / name, directory_table(slapd), extra=extra) for name in names], url
    )
    for daemon in made.daemons:
        daemon.start()
    yield made
    for daemon in made.daemons:
        if daemon.running():
            daemon.stop()


def test_the_life_of_an_audit(office: Office, tmp_path: Path) -> None:
    """Logins on both daemons are listed, exported in three formats and verified; then one is changed."""
    with office.one.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with office.one.channel() as one, office.two.channel() as two:
        assert Person(one).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
        Person(two).sign_in(app.wrong())
    listed = office.json_lines("audit", "list", "--user", "alice")
    assert [(row["event"], row["result"]) for row in listed[:4]] == [
        ("login.factor", "refused"),
        ("login.password", "passed"),
        ("login.factor", "granted"),
        ("login.password", "passed"),
    ]
    assert re.fullmatch(r"offset=(-1|0|1)", listed[2]["facts"])
    only = office.json_lines("audit", "list", "--event", "login.", "--result", "granted", "--since", "1h")
    assert [row["id"] for row in only] == [listed[2]["id"]]
    assert len(office.json_lines("audit", "list", "--limit", "3")) == 3
    for form, shape in (("syslog", SYSLOG), ("cef", CEF)):
        lines = office.one.command("audit", "export", "--format", form).stdout.splitlines()
        assert len(lines) >= len(listed)
        assert [line for line in lines if not shape.fullmatch(line)] == []
    file = tmp_path / "audit.jsonl"
    assert office.one.command("audit", "export", "--output", str(file)).returncode == 0
    exported = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in exported] == sorted(row["id"] for row in exported)
    assert file.stat().st_mode & 0o777 == 0o600
    assert office.one.command("audit", "export", "--output", str(file)).returncode == 1
    office.restart()
    fine = office.one.command("audit", "verify")
    assert fine.returncode == 0, fine.stdout
    assert "none is missing" in fine.stdout
    run(office.url, f"update audit set result = 'granted' where id = {listed[0]['id']}")  # noqa: S608  # a number
    [found] = office.json_lines("audit", "verify")
    assert [(one["kind"], one["id"]) for one in found["findings"]] == [("edited", listed[0]["id"])]
    assert office.one.command("audit", "verify").returncode == 1


def test_a_cut_tail_is_found_by_what_each_daemon_keeps(office: Office, tmp_path: Path) -> None:
    """Rows and heads removed from the database: a file beside it has the head, and so has the log."""
    with office.two.channel() as two:
        Person(two).password("wrong")
    office.restart()
    writer = office.json_lines("audit", "list", "--limit", "1")[0]["writer"]
    run(office.url, f"delete from audit where writer = '{writer}'")  # noqa: S608  # hexadecimal digits
    run(office.url, f"delete from audit_writers where writer = '{writer}'")  # noqa: S608  # as above
    log = tmp_path / "log"
    log.write_text(
        "\n".join(line for line in office.two.log.read_text().splitlines() if '"audit.head"' in line)
    )
    [found] = office.json_lines("audit", "verify", "--heads", str(log))
    assert {(one["kind"], one["writer"]) for one in found["findings"]} == {("cut", writer)}
    file = office.two.folder / "state" / "audit-heads"
    assert writer in file.read_text()
    [found] = office.json_lines("audit", "verify", "--heads", str(file))
    assert {one["kind"] for one in found["findings"]} == {"cut"}


def test_new_rows_are_followed(office: Office) -> None:
    """Rows come out as they are written, by whichever daemon; the daemon's end ends it."""
    command: list[str | Path] = [
        BIN / "nightlatch",
        "audit",
        "follow",
        "--json",
        "--socket",
        office.one.admin_socket,
    ]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert following.stdout is not None
        with office.two.channel() as two:
            # Nobody tells when it has begun: people go on signing in until one is seen.
            Person(two).password("wrong")
            started = wait_until_followed(following, lambda: Person(two).password("wrong"))
        assert started["event"] == "login.password"
        assert started["result"] == "refused"
        office.one.stop()
        assert following.wait(timeout=15) in {0, 3}
    finally:
        following.kill()
        following.communicate()


def wait_until_followed(following: subprocess.Popen[str], act: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever acts
    """The first row that comes out."""
    import select  # noqa: PLC0415  # for this alone

    assert following.stdout is not None
    for _ in range(60):
        ready, _, _ = select.select([following.stdout], [], [], 1.0)
        if ready:
            return dict(json.loads(following.stdout.readline()))
        act()
    pytest.fail("nothing was followed")


def test_why_somebody_was_refused(office: Office, slapd: Slapd) -> None:
    """Wrong password, wrong and used code, a slow clock, a pause, a directory away: each has its sentence."""
    with office.one.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with office.one.channel() as one, office.two.channel() as two:
        Person(one).password("wrong")
        code = app.fresh()
        assert Person(two).sign_in(code).verdict == login_pb2.VERDICT_GRANTED
        for typed in (code, app.code(-4), app.wrong(), app.wrong(), app.wrong(), app.fresh()):
            Person(one).sign_in(typed)
    slapd.stop()
    try:
        with office.one.channel() as one:
            Person(one).password()
        [told] = office.json_lines("why", "Alice")
    finally:
        slapd.start()
    assert "directory corp" in told["not_looked_up"]
    because = [row["because"] for row in told["events"]]
    assert because[0].startswith("directory corp: ")
    assert re.fullmatch(
        r"locked until \d\d:\d\d:\d\d: second factor blocked after failures in a row", because[1]
    )
    assert because[2] == "wrong code (failure 5 in a row: a pause of 30 s)"
    assert because[3:5] == ["wrong code (4 of 4 before a pause)", "wrong code (3 of 4 before a pause)"]
    # A step of the clock may begin between the typing and the look at it.
    slow = r"code of 1[25]0 seconds ago: typed late, or the phone's clock is about 2 min( 30 s)? slow"
    assert re.match(slow, because[5])
    assert because[5].endswith(" (2 of 4 before a pause)")
    assert because[6] == "code used before (1 of 4 before a pause)"
    assert because[7] == "wrong password (1 of 5 before a pause)"
    words = office.one.command("why", "alice").stdout
    assert "sshd 192.0.2.7" in words
    assert "code used before" in words
    granted = office.json_lines("why", "alice", "--all")[0]["events"]
    assert "granted" in {row["result"] for row in granted}


def test_why_of_somebody_unknown(office: Office) -> None:
    """A name that no directory knows is found by the name as typed, which is written nowhere."""
    with office.one.channel() as one:
        Person(one, "mallory {'event': 'grant'}").password("x")
    [told] = office.json_lines("why", "Mallory {'event': 'grant'}")
    [because] = [row["because"] for row in told["events"]]
    assert because == "no directory knows the name (1 of 5 before a pause)"
    everything = office.one.command("audit", "export").stdout
    assert "mallory" not in everything.lower()
    assert office.json_lines("why", "somebody") == [{"user": "somebody", "not_looked_up": None, "events": []}]
