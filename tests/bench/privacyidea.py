"""privacyIDEA from PyPI in a virtual environment of its own, behind gunicorn, with people and TOTP tokens."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

from testbed.codes import App
from testbed.ports import free_port
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RELEASE = "privacyidea==3.14"
WORKERS = 4
_SECONDS = 60
_CONFIGURATION = """
import logging
SECRET_KEY = "{secret}"
PI_PEPPER = "{pepper}"
PI_ENCFILE = "{folder}/enckey"
PI_AUDIT_KEY_PRIVATE = "{folder}/private.pem"
PI_AUDIT_KEY_PUBLIC = "{folder}/public.pem"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/pi.db"
PI_LOGLEVEL = logging.WARNING
PI_LOGFILE = "{folder}/pi.log"
"""


def installed(cache: Path) -> Path:
    """The programs' folder of a virtual environment with privacyIDEA; made where there is none.

    Raises RuntimeError with what pip said.
    """
    programs = cache / "bin"
    if not (programs / "gunicorn").exists() or not (programs / "pi-manage").exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", cache], check=True)
        command: list[str | Path] = [
            programs / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            RELEASE,
            "gunicorn",
        ]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        if pip.returncode:
            version = ".".join(map(str, sys.version_info[:3]))
            raise RuntimeError(f"{RELEASE} can not be installed with Python {version}:\n{pip.stderr[-4000:]}")
    return programs


class PrivacyIdea:
    """A server with the users of a passwd file, each with a TOTP token (SHA-256, 6 digits) without a PIN."""

    def __init__(self, folder: Path, programs: Path, names: Sequence[str]) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._programs = programs
        self.names = names
        self.port = free_port()
        self.apps: list[App] = []
        words = {"secret": secrets.token_hex(32), "pepper": secrets.token_hex(16), "folder": folder}
        (folder / "pi.cfg").write_text(_CONFIGURATION.format(**words))
        lines = (
            f"{name}:x:{21000 + at}:{21000 + at}:First Last:/:/bin/sh\n" for at, name in enumerate(names)
        )
        (folder / "passwd").write_text("".join(lines))
        self._environment = {**os.environ, "PRIVACYIDEA_CONFIGFILE": str(folder / "pi.cfg")}
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The pid of gunicorn's parent."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Make keys and tables, start, and enrol everybody."""
        for made in ("create_enckey", "create_audit_keys", "create_tables"):
            self._manage("setup", made)
        with closing(sqlite3.connect(self._folder / "pi.db")) as database:
            assert database.execute("pragma journal_mode = wal").fetchone() == ("wal",)
        password = secrets.token_hex(16)
        self._manage("admin", "add", "admin", "-p", password)
        app = f'privacyidea.app:create_app("production", "{self._folder}/pi.cfg", silent=True)'
        command: list[str | Path] = [
            self._programs / "gunicorn",
            "-w",
            str(WORKERS),
            "-b",
            f"127.0.0.1:{self.port}",
        ]
        self._child = Child([*command, "-t", "120", app], self._folder / "gunicorn.log", self._environment)
        wait_until(self._answers, "privacyIDEA", self._child, 60)
        token = self._post("/auth", {"username": "admin", "password": password})["result"]["value"]["token"]
        resolver = {"type": "passwdresolver", "fileName": str(self._folder / "passwd")}
        self._post("/resolver/local", resolver, token)
        self._post("/realm/people", {"resolvers": "local"}, token)
        self._post("/defaultrealm/people", {}, token)
        with ThreadPoolExecutor(WORKERS) as pool:
            self.apps = list(pool.map(lambda name: self._enroll(name, token), self.names))

    def stop(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.stop()

    def _enroll(self, name: str, token: str) -> App:
        wanted = {"type": "totp", "genkey": 1, "user": name, "realm": "people", "hashlib": "sha256"}
        return App(self._post("/token/init", wanted, token)["detail"]["googleurl"]["value"])

    def _post(self, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": token}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310, our own server
            told: dict[str, Any] = json.load(answer)
        return told

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz/", timeout=_SECONDS):
                return True
        except OSError:
            return False

    def _manage(self, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / "pi-manage", *arguments]
        run = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"pi-manage {arguments[0]} {arguments[1]} failed:\n{run.stderr[-4000:]}")
