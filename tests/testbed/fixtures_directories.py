"""Fixtures around directories: certificates, a slapd, the PAM helper."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from pydantic import TypeAdapter
from structlog.testing import LogCapture

from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.directories.build import build_directory
from nightlatch.directories.settings import DirectorySettings
from nightlatch.ports import Directory
from testbed.pamcheck import PamCheckProcess, PrivateUsers
from testbed.pki import Pki, make_pki
from testbed.slapd import Slapd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that servers of other users can enter; pytest's own are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="nightlatch-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def pki(open_folder: Path) -> Pki:
    """The certificates of this run."""
    return make_pki(open_folder / "pki")


@pytest.fixture
def slapd(open_folder: Path, pki: Pki) -> Iterator[Slapd]:
    """A running slapd of this test's own, with alice, bob, carol and dave (`testbed.slapd.password_of`)."""
    folder = Path(tempfile.mkdtemp(prefix="slapd-", dir=open_folder))
    folder.chmod(0o755)
    server = Slapd(folder, pki)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def common_slapd(open_folder: Path, pki: Pki) -> Iterator[Slapd]:
    """A slapd for all tests of a module, for those that leave it as they found it."""
    folder = Path(tempfile.mkdtemp(prefix="slapd-", dir=open_folder))
    folder.chmod(0o755)
    server = Slapd(folder, pki)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def newcomer(common_slapd: Slapd) -> str:
    """Somebody in `common_slapd` whom no other test knows."""
    name = f"person{next(_numbers)}"
    common_slapd.add(name)
    return name


MakeSlapd = Callable[..., Slapd]
"""Builds and starts a slapd: `Slapd`'s arguments behind the folder and the certificates."""


@pytest.fixture
def make_slapd(open_folder: Path, pki: Pki) -> Iterator[MakeSlapd]:
    """Slapds with parts of their own; they are stopped after the test."""
    made: list[Slapd] = []

    def make(*arguments: object, **named: object) -> Slapd:
        folder = Path(tempfile.mkdtemp(prefix="slapd-", dir=open_folder))
        folder.chmod(0o755)
        made.append(Slapd(folder, pki, *arguments, **named))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def directory_log() -> LogCapture:
    """What the directories of `make_directory` have logged."""
    return LogCapture()


MakeDirectory = Callable[[dict[str, object]], Directory]
"""Builds a directory from the values of its table; it is closed after the test."""


@pytest.fixture
async def make_directory(directory_log: LogCapture) -> AsyncIterator[MakeDirectory]:
    """Build directories from plain tables, such as `Slapd.settings()`; without a cache of groups."""
    log = structlog.wrap_logger(structlog.ReturnLogger(), processors=[directory_log])
    made: list[Directory] = []

    def make(table: dict[str, object]) -> Directory:
        settings = TypeAdapter(DirectorySettings).validate_python({"group_cache_seconds": 0, **table})
        made.append(build_directory(settings, log, SystemClock(), SystemRandomness()))
        return made[-1]

    yield make
    for directory in made:
        await directory.close()


@pytest.fixture
def pam_users(tmp_path: Path) -> PrivateUsers:
    """A private machine with alice, Bob, bob and carol, each with the password `Pw-NAME-x`."""
    return PrivateUsers(
        tmp_path / "machine", {name: f"Pw-{name}-x" for name in ("alice", "Bob", "bob", "carol")}
    )


@pytest.fixture
def pamcheck(pam_users: PrivateUsers) -> Iterator[PamCheckProcess]:
    """A running nightlatch-pamcheck that root may ask, on the machine of `pam_users`."""
    helper = PamCheckProcess(pam_users)
    helper.start()
    yield helper
    helper.stop()
