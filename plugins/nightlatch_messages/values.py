"""Checks the values of a message before a template sees them.

MUST 1: a template gets the values of its kind, all of them text, and nothing else.
MUST 2: no value brings a line break or another control character: it could pass for a header, or for a
        sentence of ours (OOB-05). A code with one is refused; in a name it becomes a question mark, so that
        nobody keeps a warning from leaving by the name of what he added.
MUST 3: a complaint names the value, and never shows what it held: it may be a code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from nightlatch_messages.kinds import KINDS, LONGEST_VALUE, NUMBERS, MessageKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.channel import Message

_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNSEEN = "Cf"
_NUMBER = re.compile(r"[0-9]{1,6}")


class WrongMessage(Exception):
    """A message that can not be put in words: its kind is unknown, or a value is missing or unfit."""


def kind_of(message: Message) -> MessageKind:
    """The message's kind; raises WrongMessage for a template that there is not."""
    kind = KINDS.get(message.template)
    if kind is None:
        raise WrongMessage(f'there is no message "{message.template[:64]!a}"; known: {", ".join(KINDS)}')
    return kind


def checked_values(
    kind: MessageKind, given: Mapping[str, str], longest: int = LONGEST_VALUE
) -> dict[str, str]:
    """The values that `kind` declares, fit to be shown; those that are missing and optional are empty.

    Raises WrongMessage.
    """
    missing = [name for name in kind.needed if not given.get(name)]
    if missing:
        raise WrongMessage(f'the message "{kind.name}" needs {" and ".join(missing)}')
    return {name: _checked(kind, name, given.get(name, ""), longest) for name in kind.values}


def _checked(kind: MessageKind, name: str, value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise WrongMessage(f'the value "{name}" of the message "{kind.name}" is not text')
    plain = "".join("?" if unicodedata.category(char) in _FORBIDDEN else char for char in value)
    if name in kind.needed and plain != value:
        raise WrongMessage(
            f'the value "{name}" of the message "{kind.name}" holds a line break or a control character'
        )
    if value and name in NUMBERS and not _NUMBER.fullmatch(value):
        raise WrongMessage(f'the value "{name}" of the message "{kind.name}" is not a whole number')
    # Marks that are not seen, such as those that turn the direction of writing, would let a label lie.
    seen = "".join(char for char in plain if unicodedata.category(char) != _UNSEEN)
    return seen if len(seen) <= longest else seen[: longest - 3] + "..."
