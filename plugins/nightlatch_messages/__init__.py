"""The words of a message: templates and their translations, for every channel that writes to people."""

from __future__ import annotations

from nightlatch_messages.kinds import KINDS, MessageKind
from nightlatch_messages.sources import TemplateProblems
from nightlatch_messages.values import WrongMessage
from nightlatch_messages.words import EmailWords, Words

__all__ = ["KINDS", "EmailWords", "MessageKind", "TemplateProblems", "Words", "WrongMessage"]
