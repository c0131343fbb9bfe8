"""Says in plain words what pydantic found: what is wrong, what is wanted, and what was probably meant."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel

from nightlatch.config.locate import dotted, value_at
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
KIND = "kind"
"""The setting that tells one kind of directory from another."""
_LONGEST_VALUE = 60


def problems_of(error: ValidationError, root: type[BaseModel], data: dict[str, object]) -> Iterator[Problem]:
    """One problem for each thing that `root` did not accept in `data`."""
    found = [(_place(detail), detail) for detail in error.errors(include_url=False)]
    for place, detail in found:
        inside = any(other[: len(place)] == place and len(other) > len(place) for other, _ in found)
        if not (detail["type"] == "too_short" and inside):
            yield Problem(place, _words(place, detail, root, data))


def _place(detail: ErrorDetails) -> Place:
    """Where it is in the file. Of ("directories", index, kind, …) the file has no kind."""
    location = detail["loc"]
    if location[:1] == ("directories",):
        location = (*location[:2], *location[3:])
    if detail["type"].startswith("union_tag"):
        location = (*location, KIND)
    if location[-1:] == ("[key]",):  # what is wrong is the name of a setting
        location = location[:-1]
    return location


def _words(place: Place, detail: ErrorDetails, root: type[BaseModel], data: dict[str, object]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    about_names = {"extra_forbidden": _unknown, "missing": _missing, "union_tag_not_found": _missing}
    if kind in about_names:
        return about_names[kind](place, root, data)
    if kind == "union_tag_invalid":
        return f'there is no kind "{context["tag"]}".\nKnown kinds: {_quoted(context["expected_tags"])}.'
    if kind == "literal_error":
        return f"must be {_quoted(context['expected'])}, not {_shown(detail['input'])}."
    if kind == "tuple_type" and isinstance(detail["input"], dict):
        return f"must be a list of tables.\nWrite [[{dotted(place)}]], with two brackets on each side."
    if kind in _WANTED:
        return f"{_WANTED[kind]}, not {_shown(detail['input'])}."
    return _from_a_validator(detail)


def _from_a_validator(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "too_short":
        return "must not be empty."
    return f"{detail['msg'].replace('Input should', 'must').replace('String should', 'must')}."


def _unknown(place: Place, root: type[BaseModel], data: dict[str, object]) -> str:
    known, name = _fields(place[:-1], root, data), str(place[-1])
    if f"{name}_file" in known:
        return f'secrets are in files of their own.\nPut it in one, and name that in "{name}_file".'
    word = "table" if _is_table(value_at(place, data)) else "setting"
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'unknown {word}. Did you mean "{close[0]}"?'
    return f"unknown {word}.\nKnown here: {', '.join(known)}."


def _missing(place: Place, root: type[BaseModel], data: dict[str, object]) -> str:
    if place[-1] == KIND:
        models = models_in(root.model_fields[str(place[0])].annotation)
        kinds = ", ".join(f'"{kind}"' for model in models for kind in kinds_of(model))
        return f"this setting is missing.\nKnown kinds: {kinds}."
    word = "setting" if len(place) > 1 else "table"
    return f"this {word} is missing.\n{_fields(place[:-1], root, data).get(str(place[-1]), '')}"


def _fields(place: Place, root: type[BaseModel], data: dict[str, object]) -> dict[str, str]:
    """The settings that a table may have, with their descriptions."""
    models = [root]
    for depth, part in enumerate(place, 1):
        if isinstance(part, int):
            continue
        annotations = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        models = [found for annotation in annotations for found in models_in(annotation)]
        table = value_at(place[: depth + 1], data)
        if len(models) > 1 and isinstance(table, dict):
            models = [model for model in models if table.get(KIND) in kinds_of(model)] or models
    return {name: field.description or "" for model in models for name, field in model.model_fields.items()}


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models inside an annotation such as ``tuple[Ldap | Pam, ...]``."""
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def kinds_of(model: type[BaseModel]) -> tuple[object, ...]:
    """What ``kind`` says in the tables of a model; nothing for a model without kinds."""
    field = model.model_fields.get(KIND)
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


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
