"""docs/configuration.md and docs/nightlatch.toml say what the settings say."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from nightlatch.config.applications import ApplicationsListener, ClientSettings
from nightlatch.config.load import as_json
from nightlatch.config.policies import PolicyMatch, PolicySettings
from nightlatch.config.roles import RoleSettings
from nightlatch.config.schema import AccountListener, Config
from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
from nightlatch.directories.settings import LdapSettings, PamSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[3] / "docs"


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table with its heading in the reference."""
    yield from _tables_in("", Config)
    yield "## [listeners.account]", AccountListener
    yield "## [listeners.applications]", ApplicationsListener
    yield "## [[clients]]", ClientSettings
    yield "## [[roles]]", RoleSettings
    yield "## [[policies]]", PolicySettings
    yield "## [policies.match]", PolicyMatch
    for model in (LdapSettings, ActiveDirectorySettings, PamSettings):
        (kind,) = model.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]  # a Literal of one word
        yield f'## [[directories]] with kind = "{kind}"', model


def _tables_in(name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables below a table; one that only holds others has no settings of its own."""
    for inner, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            dotted = f"{name}.{inner}".removeprefix(".")
            below = list(_tables_in(dotted, field.annotation))
            yield from below or [(f"## [{dotted}]", field.annotation)]


def _toml(default: object) -> str:
    if default is PydanticUndefined:
        return "must be set"
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        return "`{}`"
    return f"`{json.dumps(default, default=str)}`"


def _rows() -> list[tuple[str, str]]:
    return [
        (heading, f"| `{name}` | {_toml(field.default)} | {field.description} |")
        for heading, model in _tables()
        for name, field in model.model_fields.items()
    ]


@pytest.mark.parametrize(("heading", "row"), _rows())
def test_every_setting_is_in_the_reference(heading: str, row: str) -> None:
    """Each setting has its row, with its default and its description, under the heading of its table."""
    text = (DOCS / "configuration.md").read_text()
    assert heading in text, f"docs/configuration.md has no heading {heading}"
    section = text.partition(f"{heading}\n")[2].partition("\n## ")[0]
    assert row in section.splitlines(), f"docs/configuration.md, {heading}: add or put right this row:\n{row}"


def test_the_reference_names_nothing_else() -> None:
    """A setting that is gone is gone from the reference too."""
    text = (DOCS / "configuration.md").read_text()
    known = {row for _, row in _rows()}
    assert [line for line in text.splitlines() if line.startswith("| `") and line not in known] == []


def test_the_example_is_right() -> None:
    """docs/nightlatch.toml, as it is and with every commented setting switched on, is valid."""
    example = (DOCS / "nightlatch.toml").read_text()
    switched_on = re.sub(r"^#(?=\S)", "", example, flags=re.MULTILINE)
    assert switched_on != example
    for text in (example, switched_on):
        Config.model_validate_json(as_json(tomllib.loads(text)), strict=True)


def test_the_example_shows_every_table() -> None:
    """Whoever starts from the example sees all there is."""
    example = (DOCS / "nightlatch.toml").read_text()
    for heading, _ in _tables():
        assert heading.removeprefix("## ").partition(" with ")[0] in example
