"""Checks a factor's table against the model that its plugin declares, and puts every problem in words.

MUST 1: what was written is repeated only where the choice is fixed: a setting may point at something private.
"""

from __future__ import annotations

import re
import types
from typing import TYPE_CHECKING, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from nightlatch.plugins.answers import printable
from nightlatch.plugins.discovery import PluginFault, raised, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from nightlatch.factor import Settings

Problem = tuple[str, str]
"""A setting's place and what is wrong with it."""

_NAMED = re.compile(r'([a-z][a-z0-9_.]*): (.*)|"([a-z][a-z0-9_.]*)" ')
_MOST_LINES = 20
_LONGEST_LINE = 300
_TOML_WORDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
}


def checked_settings(model: type[Settings], table: Mapping[str, object]) -> Settings:
    """The table as the model; raises ValidationError for its mistakes, PluginFault for the model's own.

    Validated as JSON is, strictly: a string is no number, but a list may become a tuple and a word an enum.
    """
    try:
        return model.model_validate_json(to_json(dict(table), inf_nan_mode="constants"), strict=True)
    except (ValidationError, KeyboardInterrupt):
        raise
    except BaseException as error:  # validators are the plugin's code
        raise PluginFault(f"its settings can not be checked: {raised(error)}") from error


def problems_in(error: ValidationError, model: type[BaseModel], place: str) -> tuple[Problem, ...]:
    """Every mistake with its place, such as ("factors.totp.digits", "must be 6 or 8, not 7.")."""
    return tuple(
        problem
        for one in error.errors(include_url=False)
        for problem in _located(_dotted(place, one["loc"]), _words(one, model), _known_at(model, one["loc"]))
    )


def problems_of_build(words: str, model: type[BaseModel], place: str) -> tuple[Problem, ...]:
    """What a plugin says of its settings when it builds from them, each problem at the setting it names."""
    lines = "\n".join(printable(line, _LONGEST_LINE) for line in words.splitlines()[:_MOST_LINES])
    return tuple(_located(place, lines, _known_at(model, ())))


def _located(place: str, words: str, known: tuple[str, ...]) -> Iterator[Problem]:
    """Words about a table, each part at the setting that it begins with: `host: …`, or `"host" is needed`."""
    found: list[tuple[str, list[str]]] = []
    for line in words.splitlines() or ["is refused, and the plugin does not say why."]:
        named = _NAMED.match(line)
        name = (named[1] or named[3]) if named is not None else ""
        if named is not None and name.partition(".")[0] in known:
            found.append((f"{place}.{name}", [named[2] or line]))
        elif found:
            found[-1][1].append(line)
        else:
            found.append((place, [line]))
    yield from ((at, "\n".join(lines)) for at, lines in found)


def _dotted(place: str, loc: tuple[int | str, ...]) -> str:
    return place + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _words(one: ErrorDetails, model: type[BaseModel]) -> str:
    kind, given = one["type"], one["input"]
    if kind == "extra_forbidden":
        return f"unknown setting.\n{suggestion(str(one['loc'][-1]), _known_at(model, one['loc'][:-1]))}"
    if kind == "missing":
        return f"this setting is needed.\n{_meaning(model, one['loc'])}".rstrip()
    if kind in {"value_error", "assertion_error"}:
        return str(one["ctx"]["error"])
    if kind in {"literal_error", "enum"}:
        expected = one["ctx"]["expected"].replace("'", '"')
        shown = f'"{given}"' if isinstance(given, str) else str(given)
        return f"must be {expected}, not {shown}."
    message = one["msg"].replace("Input should", "must").replace("String should", "must")
    if kind.endswith("_type"):
        message = f"{message}, not {_TOML_WORDS.get(type(given), 'that')}"
    return f"{message}."


def _known_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The settings of the table at `loc`, where tables are nested."""
    return tuple(_fields_at(model, loc))


def _meaning(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """What the plugin says of the setting at `loc`; empty where it says nothing."""
    field = _fields_at(model, loc[:-1]).get(str(loc[-1]))
    return (field and field.description) or ""


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> dict[str, FieldInfo]:
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return {}
        model = inner
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Union, types.UnionType, tuple, list, dict}:
        return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)
    return None
