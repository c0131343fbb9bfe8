"""What all tests of SMS gateways share: a folder of secrets, and a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message
from testbed.sms import CODE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def message() -> Message:
    """A login code."""
    return Message("login_code", {"code": CODE, "minutes": "5"})


@pytest.fixture
def secret_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a secret into a file as an administrator does."""

    def write(text: str = TOKEN) -> Path:
        path = tmp_path / f"secret-{len(list(tmp_path.iterdir()))}"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    return write
