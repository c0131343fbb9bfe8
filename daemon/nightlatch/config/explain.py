"""Says in plain words what pydantic found: what is wrong, what is wanted, and what was probably meant."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel

from nightlatch.config.locate import dotted
from nightlatch.config.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from nightlatch.config.locate import Place

_WANTED = {
    "string_type": 'must be a text in quotes, "…"',
    "path_type": 'must be a path in quotes, "/…"',
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": "must be a list, […]",
    "list_type": "must be a list, […]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}
_KIND = "kind"
"""The setting that tells one kind of directory from another."""
_LONGEST_VALUE = 60


def problems_of(error: ValidationError, root: type[BaseModel], data: dict[str, object]) -> Iterator[Problem]:
    """One problem for each thing that `root` did not accept in `data`."""
    found = [(_place(detail), detail) for detail in error.errors(include_url=False)]
    for place, detail in found:
        inside = any(other[: len(place)] == place and len(other) > len(place) for other, _ in found)
        if not (detail["type"] == "too_short" and inside):
            yield _problem(place, detail, root, data)


def _place(detail: ErrorDetails) -> Place:
    """Where it is in the file: pydantic adds the kind of a directory to the path, the file has no such level."""
    location = detail["loc"]
    if location[:1] == ("directories",) and len(location) > 2:  # noqa: PLR2004, ("directories", index, kind, …)
        location = (*location[:2], *location[3:])
    if detail["type"].startswith("union_tag"):
        location = (*location, _KIND)
    return location


def _problem(place: Place, detail: ErrorDetails, root: type[BaseModel], data: dict[str, object]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(place, _unknown(place, root, data))
    if kind == "missing":
        return Problem(place, _missing(place, root, data))
    if kind == "union_tag_not_found":
        return Problem(
            place, f"this setting is missing.\nKnown kinds: {context.get('expected_tags', _kinds(root))}."
        )
    if kind == "union_tag_invalid":
        return Problem(
            place, f'there is no kind "{context["tag"]}".\nKnown kinds: {_quoted(context["expected_tags"])}.'
        )
    if kind == "literal_error":
        return Problem(place, f"must be {_quoted(context['expected'])}, not {_shown(detail['input'])}.")
    if kind == "value_error":
        return Problem(place, detail["msg"].removeprefix("Value error, "))
    if kind == "too_short":
        return Problem(place, "must not be empty.")
    if kind in _WANTED:
        return Problem(place, f"{_WANTED[kind]}, not {_shown(detail['input'])}.")
    return Problem(
        place, f"{detail['msg'].replace('Input should', 'must').replace('String should', 'must')}."
    )


def _unknown(place: Place, root: type[BaseModel], data: dict[str, object]) -> str:
    word = "table" if _is_table(_value(place, data)) else "setting"
    known = _fields(place[:-1], root, data)
    name = str(place[-1])
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'unknown {word}. Did you mean "{close[0]}"?'
    if name.rpartition("_")[2] in {"password", "secret", "key"} and f"{name}_file" in known:
        return f'a secret does not belong in here.\nPut it in a file, and name the file in "{name}_file".'
    return f"unknown {word}.\nKnown here: {', '.join(known) or 'none'}."


def _missing(place: Place, root: type[BaseModel], data: dict[str, object]) -> str:
    description = _fields(place[:-1], root, data).get(str(place[-1]), "")
    table = dotted(place[:1]) if len(place) == 1 else ""
    return f"this {'table' if table else 'setting'} is missing.\n{description}"


def _fields(place: Place, root: type[BaseModel], data: dict[str, object]) -> dict[str, str]:
    """The settings that a table may have, with their descriptions."""
    models = [root]
    for depth, part in enumerate(place, 1):
        if isinstance(part, int):
            continue
        annotations = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        models = [found for annotation in annotations for found in _models(annotation)]
        table = _value(place[: depth + 1], data)
        if len(models) > 1 and isinstance(table, dict):
            models = [model for model in models if table.get(_KIND) in _literals(model)] or models
    return {name: field.description or "" for model in models for name, field in model.model_fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models inside an annotation such as ``tuple[Ldap | Pam, ...]``."""
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _literals(model: type[BaseModel]) -> tuple[object, ...]:
    field = model.model_fields.get(_KIND)
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


def _kinds(root: type[BaseModel]) -> str:
    models = _models(root.model_fields["directories"].annotation)
    return ", ".join(f'"{kind}"' for model in models for kind in _literals(model))


def _value(place: Place, data: object) -> object:
    for part in place:
        if (isinstance(part, int) and isinstance(data, list) and part < len(data)) or (
            isinstance(data, dict) and part in data
        ):
            data = data[part]
        else:
            return None
    return data


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict) for item in value)
    )


def _shown(value: object) -> str:
    """A value as the file has it; not the content of tables and lists, where anything may be."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _quoted(words: str) -> str:
    return words.replace("'", '"')
