"""Tries every template at the start, so that no mistake waits for the first person who needs a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateError, TemplateSyntaxError, meta

from nightlatch_messages.gsm7 import room_left
from nightlatch_messages.kinds import KINDS, SAMPLES, MessageKind
from nightlatch_messages.sources import SHAPES, SHARED, Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Environment

_GIVEN = frozenset({"language", "subject"})
"""What every template may use beside its values; a subject has no subject."""


def problems_of(language: str, room: Environment, sources: Sources) -> Iterator[str]:
    """What is wrong with the templates of one language, each with its file and what to do.

    Names that no value has are looked for in replaced files only; the shipped ones have a test.
    """
    texts = sources.of(language)
    broken = dict(_unreadable(room, texts))
    yield from broken.values()
    for kind in KINDS.values():
        for shape in SHAPES:
            name = f"{kind.name}.{shape}"
            if name in broken:
                continue
            foreign = texts[name] != sources.shipped[name]
            strange = tuple(strangers(room, kind, name, texts[name])) if foreign else ()
            yield from strange
            if not strange and not broken.keys() & set(SHARED):
                yield from _trial(language, room, kind, name)


def _unreadable(room: Environment, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in texts:
        try:
            room.get_template(name)
        except TemplateSyntaxError as error:
            yield name, f"{name}, line {error.lineno}: {error.message}"
        except TemplateError as error:
            yield name, f"{name}: {error.message}"


def strangers(room: Environment, kind: MessageKind, name: str, text: str) -> Iterator[str]:
    """Names in the template that no value has, also where a condition hides them from the trial."""
    used = meta.find_undeclared_variables(room.parse(text)) - room.globals.keys()
    known = {*kind.values, *_GIVEN} - ({"subject"} if name.endswith(".subject") else set())
    for stranger in sorted(used - known):
        yield f'{name}: there is no value "{stranger}".\nThis message has: {", ".join(sorted(known))}.'


def _trial(language: str, room: Environment, kind: MessageKind, name: str) -> Iterator[str]:
    for values in (kind.values, kind.needed):
        sample = {one: SAMPLES[one] if one in values else "" for one in kind.values}
        if not name.endswith(".subject"):
            sample["subject"] = kind.name
        try:
            text = room.get_template(name).render(sample, language=language)
        except Exception as error:  # noqa: BLE001, a template is a program, and may raise anything
            yield f"{name}: {type(error).__name__}: {error}"
            return
    if not text.strip():
        yield f"{name}: it says nothing."
    elif "code" in kind.needed and not name.endswith(".subject") and SAMPLES["code"] not in text:
        yield f"{name}: the code is not in it. Write {{{{ code }}}} where it shall stand."
    elif name.endswith(".sms") and room_left(" ".join(text.split())) < 0:
        yield f"{name}: {-room_left(text)} characters too long for one text message, in {language}."
