"""Puts a message in words: an email, or a text message.

MUST 1: HTML is escaped; a template runs in a sandbox and sees its own values only.
MUST 2: a subject is one line.
MUST 3: every mistake in a template is found when `Words` is built, in every language, with and without the
        values that may be missing. Nothing is left for the first send.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nightlatch_messages.compiled import CompiledOnce
from nightlatch_messages.gsm7 import cut, room_left
from nightlatch_messages.languages import catalogue, negotiated
from nightlatch_messages.sources import TemplateProblems, read_sources
from nightlatch_messages.trial import problems_of
from nightlatch_messages.values import WrongMessage, checked_values, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Environment

    from nightlatch.channel import Message

LONGEST_SUBJECT = 200
LONGEST_IN_SMS = 30
"""Characters of a value in a text message."""


@dataclass(frozen=True, slots=True)
class EmailWords:
    """An email before it has headers."""

    subject: str = field(repr=False)
    """One line."""
    text: str = field(repr=False)
    html: str = field(repr=False)


class Words:
    """All templates in all languages, ready to render.

    `templates_dir` holds files that replace shipped ones, by name. Raises TemplateProblems, a ValueError.
    """

    def __init__(self, templates_dir: Path | None = None) -> None:
        sources = read_sources(templates_dir)
        once = CompiledOnce()
        self._rooms = {name: _environment(name, sources.of(name), once) for name in sources.languages}
        problems = [one for name, room in self._rooms.items() for one in problems_of(name, room, sources)]
        if problems:
            raise TemplateProblems(list(dict.fromkeys(problems)))

    def email(self, message: Message) -> EmailWords:
        """The message as an email; raises WrongMessage."""
        kind = kind_of(message)
        values = checked_values(kind, message.values)
        room, language = self._room(message)
        values["language"] = language.replace("_", "-")
        subject = " ".join(_rendered(room, f"{kind.name}.subject", values).split())[:LONGEST_SUBJECT]
        values["subject"] = subject
        text = _rendered(room, f"{kind.name}.txt", values)
        return EmailWords(subject, _tidy(text), _rendered(room, f"{kind.name}.html", values))

    def sms(self, message: Message) -> str:
        """The message as one text message, as much as one holds; raises WrongMessage.

        Where there is no room, what is optional is left out, the last first, and then the end.
        """
        kind = kind_of(message)
        values = checked_values(kind, message.values, LONGEST_IN_SMS)
        room, language = self._room(message)
        values["language"] = language.replace("_", "-")
        text = _one_line(_rendered(room, f"{kind.name}.sms", values))
        for name in reversed(kind.optional):
            if room_left(text) >= 0:
                break
            values[name] = ""
            text = _one_line(_rendered(room, f"{kind.name}.sms", values))
        return cut(text)

    def _room(self, message: Message) -> tuple[Environment, str]:
        language = negotiated(message.language, self._rooms)
        return self._rooms[language], language


def _environment(language: str, texts: dict[str, str], once: CompiledOnce) -> Environment:
    room = ImmutableSandboxedEnvironment(
        loader=DictLoader(texts),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=once,
    )
    translations = catalogue(language)
    room.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    return room


def _rendered(room: Environment, name: str, values: Mapping[str, str]) -> str:
    try:
        return room.get_template(name).render(values)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
        # The error's text may hold a value.
        raise WrongMessage(f"the template {name} can not be rendered with these values") from None


def _one_line(text: str) -> str:
    # Chinese sentences stand without a blank between them.
    return " ".join(text.split()).replace("。 ", "。")


def _tidy(text: str) -> str:
    """Plain text without blank lines at its ends, and never two of them together."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
