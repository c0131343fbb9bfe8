"""A host with a store, for each test."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from nightlatch.keys import KEY_BYTES
from testbed.stored_host import Host, fill, open_it


@pytest.fixture
def bare_host(open_folder: Path) -> Host:
    """A host with a configuration and a key."""
    root = Path(tempfile.mkdtemp(prefix="host-", dir=open_folder))
    root.chmod(0o755)
    made = Host(root)
    made.state.mkdir(mode=0o700)
    key = made.state / "master.key"
    key.touch(mode=0o600)
    key.write_bytes(b"k" * KEY_BYTES)
    made.configure()
    return made


@pytest.fixture
async def host(bare_host: Host) -> Host:
    """The same, with a store that has one credential."""
    store = open_it(bare_host.url)
    await fill(store, "before")
    await store.close()
    return bare_host
