"""People that rules name by another name than their own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog
from structlog.testing import capture_logs

from nightlatch.app import known_names
from nightlatch.app.known_names import tell_other_names
from nightlatch.config.policies import PolicySettings
from testbed.core import ALICE, FakeDirectory

if TYPE_CHECKING:
    import pytest

    from nightlatch.model import Account

LOG = structlog.get_logger()
KNOWN = {"alice": ALICE, "asmith": replace(ALICE, other_names=("asmith",))}


def rule(**match: object) -> PolicySettings:
    """A rule that matches so."""
    return PolicySettings.model_validate({"name": "r", "match": match})


async def told(directories: list[FakeDirectory], *rules: PolicySettings) -> list[tuple[str, str]]:
    """What the log says: the event, and the name that a rule has."""
    with capture_logs() as logs:
        await tell_other_names(rules, directories, LOG)
    return [(entry["event"], entry.get("named", "")) for entry in logs]


async def test_only_who_goes_by_another_name_is_told() -> None:
    """Exceptions too, since they leave nobody out; spellings and unknown people are nothing to tell."""
    wanted = rule(users=("ALICE", "asmith", "!ASmith", "nobody"))
    directories = [FakeDirectory("corp", KNOWN), FakeDirectory("old", {})]
    assert await told(directories, wanted, rule(scope="everyone")) == [
        ("policy.other_name", "asmith"),
        ("policy.other_name", "ASmith"),
    ]
    assert await told(directories, rule(users=("asmith",), directories=("old",))) == []


async def test_a_directory_that_is_away_is_told_once_and_stops_nothing() -> None:
    """The others are looked at all the same."""
    directories = [FakeDirectory("old", away=True), FakeDirectory("corp", KNOWN)]
    found = await told(directories, rule(users=("asmith",)), rule(users=("bob",)))
    assert sorted(found) == [("policy.names_unchecked", ""), ("policy.other_name", "asmith")]


class Hanging(FakeDirectory):
    """A directory that never answers."""

    async def find(self, name: str) -> Account | None:
        await asyncio.Event().wait()
        return await super().find(name)


async def test_a_directory_that_hangs_holds_up_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds the start goes on, and the log says what was not looked at."""
    monkeypatch.setattr(known_names, "LOOKUP_SECONDS", 0.01)
    assert await told([Hanging()], rule(users=("asmith",))) == [("policy.names_unchecked", "")]
