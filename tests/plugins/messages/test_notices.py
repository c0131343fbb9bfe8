"""What people are told has words: every notice that the daemon or a plugin sends, in every language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nightlatch.channel import Message
from nightlatch_messages import KINDS, Words
from nightlatch_messages.kinds import SAMPLES

ROOT = Path(__file__).resolve().parents[3]
HELP = ("https://help.example.com/sign-in", "+1 415 555 0199")


def sent() -> set[str]:
    """The notices that the code names."""
    return {
        node.value
        for folder in ("daemon", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith("notice_") and node.value.isidentifier()
    }


def test_every_notice_that_is_sent_has_words_and_every_other_one_is_gone() -> None:
    """A template that nobody sends, and a notice without a template, are both mistakes."""
    assert sent() == {kind for kind in KINDS if kind.startswith("notice_")}


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_notice_says_what_to_do_and_where_help_is(language: str) -> None:
    """ENR-04: whoever did not do it reads whom to ask, in text and in HTML; without help nothing is empty."""
    words = Words(None)
    for kind in sent():
        email = words.email(Message(kind, dict(SAMPLES), language))
        for text in (email.text, email.html):
            assert all(one in text for one in HELP), kind
            assert ("administrator" in text) if language == "en" else ("管理员" in text), kind
        without = {name: value for name, value in SAMPLES.items() if not name.startswith("help")}
        bare = words.email(Message(kind, without, language))
        assert "Help:" not in bare.text
        assert "帮助" not in bare.text


@pytest.mark.parametrize(
    ("minutes", "said"), [("1", "for one minute"), ("15", "for 15 minutes"), ("", "Only an administrator")]
)
def test_a_lock_says_how_long_it_lasts(minutes: str, said: str) -> None:
    """THR-07: the victim reads whether to wait or to ask."""
    values = {"user": "alice", **({"minutes": minutes} if minutes else {})}
    assert said in Words(None).email(Message("notice_account_locked", values)).text
