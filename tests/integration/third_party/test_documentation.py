"""docs/plugins.md quotes the example as it is, and its channel is a channel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.third_party.environment import EXAMPLE
from nightlatch.channel import Channel, Message, NotSent
from nightlatch.factor import Context, Decision, FactorPlugin, SendingContext, Verdict
from nightlatch.plugins.loader import load_plugins
from nightlatch.testing import FactorKit
from unit.plugins.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text()
QUOTES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Channel]:
    """The page's channel for a folder, as the daemon loads it."""
    site = tmp_path / "site"
    site.mkdir(mode=0o755)
    monkeypatch.syspath_prepend(str(site))
    Shelf(site).put("spool", QUOTES[-1], module="module_of_the_page_s_channel")

    def built(folder: Path) -> Channel:
        tables = {"modem": {"kind": "spool", "folder": str(folder)}}
        return load_plugins(["spool"], {}, tables).channels["modem"]._channel

    return built


def test_the_page_quotes_the_example() -> None:
    """Every piece of the factor that the page shows stands in the example, letter for letter."""
    files = "\n".join(file.read_text() for file in sorted(EXAMPLE.rglob("*.py")))
    assert len(QUOTES) == 5
    for quote in QUOTES[:-1]:
        assert quote.rstrip() in files
    assert (EXAMPLE / "pyproject.toml").read_text().startswith(_unindented("[build-system]"))


@pytest.mark.parametrize("declared", [FactorPlugin, Verdict, FactorKit, SendingContext, Context])
def test_every_field_is_on_the_page(declared: type) -> None:
    """What an author may declare, return, use or configure can be looked up."""
    fields = [name for name in (*declared.__annotations__, *vars(declared)) if not name.startswith("_")]
    public = [name for name in fields if callable(getattr(declared, name, None)) is False or name == "send"]
    missing = [name for name in public if not re.search(rf"[`.(]{name}\b", PAGE)]
    assert not missing


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_is_on_the_page(decision: Decision) -> None:
    """Each member of Decision has a line."""
    assert f"| `{decision.name}` |" in PAGE


async def test_the_page_s_channel_delivers(build: Callable[[Path], Channel], tmp_path: Path) -> None:
    """A message becomes one whole file, named by its receipt."""
    folder = tmp_path / "spool"
    folder.mkdir()
    channel = build(folder)
    receipt = await channel.send("+14155550142", Message("login_code", {"code": "123456", "minutes": "5"}), 5)
    (file,) = folder.iterdir()
    assert file.name == receipt.provider_id
    assert file.read_text() == "To: +14155550142\n\n123456 is your code. It is good for 5 minutes.\n"


async def test_the_page_s_channel_says_what_it_can_not_send(
    build: Callable[[Path], Channel], tmp_path: Path
) -> None:
    """No folder, or no words: NotSent, with the reason."""
    channel = build(tmp_path / "nowhere")
    with pytest.raises(NotSent, match="takes no file: No such file"):
        await channel.send("+14155550142", Message("login_code", {"code": "123456", "minutes": "5"}), 5)
    with pytest.raises(NotSent, match="no words for emergency_code"):
        await channel.send("+14155550142", Message("emergency_code", {}), 5)


def _unindented(first: str) -> str:
    """The page's indented block that begins with a line, as it would stand in a file."""
    lines = PAGE[PAGE.index(f"    {first}") :].splitlines()
    block = []
    for line in lines:
        if line and not line.startswith("    "):
            break
        block.append(line.removeprefix("    "))
    return "\n".join(block).rstrip()
