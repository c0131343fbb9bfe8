"""Checks a factor's table against the model that its plugin declares, and puts every problem in words.

MUST 1: what was written is repeated only where the choice is fixed: a setting may point at something private.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from nightlatch.plugins.discovery import PluginFault, raised, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from nightlatch.factor import Settings

Problem = tuple[str, str]
"""A setting's place and what is wrong with it."""

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
    return tuple((_dotted(place, one["loc"]), _words(one, model)) for one in error.errors(include_url=False))


def _dotted(place: str, loc: tuple[int | str, ...]) -> str:
    return place + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


def _words(one: ErrorDetails, model: type[BaseModel]) -> str:
    kind, given = one["type"], one["input"]
    if kind == "extra_forbidden":
        return f"unknown setting.\n{suggestion(str(one['loc'][-1]), _known_at(model, one['loc'][:-1]))}"
    if kind == "missing":
        return "this setting is needed."
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
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return ()
        model = inner
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Union, types.UnionType, tuple, list, dict}:
        return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)
    return None
