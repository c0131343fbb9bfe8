"""A private PostgreSQL: its own directory, user postgres, a socket and a free port, durable on demand."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from testbed.ports import free_port
from testbed.process import Child, wait_until

_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
}


class Postgres:
    """A server that a test session started. Every database of it is made from scratch or from a template."""

    def __init__(self, *, durable: bool = False) -> None:
        """With `durable`, a commit is on the disk, as it is where people's factors are kept."""
        wanted = _SETTINGS if durable else {**_SETTINGS, **_FORGETFUL}
        # A short path, for the socket, and one that user postgres can reach.
        self._directory = Path(tempfile.mkdtemp(prefix="nightlatch-pg-", dir="/tmp"))
        self._binaries = max(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
        )
        self._made = 0
        user = pwd.getpwnam("postgres")
        os.chown(self._directory, user.pw_uid, user.pw_gid)
        data = self._directory / "data"
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(self._command("initdb", "-D", data, *options), check=True, stdout=subprocess.DEVNULL)
        self.port = free_port()
        settings = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            self._command("postgres", "-D", data, "-p", self.port, "-k", self._directory, *settings),
            self._directory / "log",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        wait_until(self._ready, "PostgreSQL", self.child)

    def url(self, database: str) -> str:
        """The URL of one of its databases, over the socket."""
        return f"postgresql://postgres@/{database}?host={self._directory}&port={self.port}"

    def tcp_url(self, database: str) -> str:
        """The same over TCP."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database; its name."""
        self._made += 1
        name = f"test{self._made}"
        self.run(f'create database "{name}" template "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.run(f'drop database if exists "{name}" with (force)')

    def run(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the administrator; its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def cut_off(self, url: str) -> None:
        """End every connection to the database of `url`."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )

    def backends(self, url: str) -> list[int]:
        """The pids of the server's processes that serve the database of `url`."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(self.url("postgres")) as connection:
            rows = connection.execute("select pid from pg_stat_activity where datname = %s", (name,))
            return [row[0] for row in rows]

    def alter(self, url: str, change: str) -> None:
        """Alter the database of `url`."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self.run(f'alter database "{name}" {change}')

    def stop(self) -> None:
        """End the server and remove its directory."""
        if self.child.running():
            self.child.signal(signal.SIGINT)  # PostgreSQL's fast shutdown; SIGTERM waits for clients
        self.child.wait()
        shutil.rmtree(self._directory)

    def _ready(self) -> bool:
        try:
            self.run("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def _command(self, program: str, *arguments: object) -> list[str]:
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return [*as_postgres, str(self._binaries / program), *map(str, arguments)]
