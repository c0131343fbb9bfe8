"""What an outage of an LDAP server looks like from outside, and when it is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import Secret
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from nightlatch.ports import Directory

CONNECT, ANSWER = 0.3, 0.5
QUICK = {"connect_timeout": CONNECT, "operation_timeout": ANSWER}
SLACK = 5.0
"""Seconds that a busy machine may take beside; the reason tells which limit it was."""


async def fails(question: Awaitable[object], because: str, within: float) -> None:
    """See that a question is unavailable, for this reason, within so many seconds."""
    start = time.monotonic()
    with pytest.raises(Unavailable, match=because):
        await question
    assert time.monotonic() - start < within


async def login(directory: Directory, name: str = "alice") -> None:
    """Find somebody, and check the right password."""
    account = await directory.find(name)
    assert account is not None
    await directory.check_password(account, Secret(password_of(name)))
