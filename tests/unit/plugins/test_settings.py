"""At which setting a plugin's complaint is told."""

from __future__ import annotations

from typing import Self

import pytest
from pydantic import BaseModel, ValidationError, model_validator

from nightlatch.factor import Settings
from nightlatch.plugins.settings import checked_settings, problems_in, problems_of_build


class Token(BaseModel):
    """A table in the table."""

    url: str = ""


class Complaining(Settings):
    """Complains in the words of its only setting."""

    words: str = ""
    token: Token = Token()

    @model_validator(mode="after")
    def _complain(self) -> Self:
        raise ValueError(self.words)


COMPLAINTS = [
    ("words: are wrong.\nWrite others.", [(".words", "are wrong.\nWrite others.")]),
    ("token.url: is no URL.", [(".token.url", "is no URL.")]),
    ('"words" is needed.', [(".words", '"words" is needed.')]),
    ("they do not agree.\nwords: are wrong.", [("", "they do not agree."), (".words", "are wrong.")]),
    ("stranger: is none of its settings.", [("", "stranger: is none of its settings.")]),
    ("words are wrong.", [("", "words are wrong.")]),
    ("", [("", "is refused, and the plugin does not say why.")]),
]


@pytest.mark.parametrize(("words", "told"), COMPLAINTS)
def test_a_complaint_is_told_at_the_setting_that_it_begins_with(
    words: str, told: list[tuple[str, str]]
) -> None:
    """While a table is checked and while something is built of it; one without words is a problem, too."""
    expected = tuple((f"channels.x{setting}", message) for setting, message in told)
    with pytest.raises(ValidationError) as caught:
        checked_settings(Complaining, {"words": words})
    assert problems_in(caught.value, Complaining, "channels.x") == expected
    assert problems_of_build(words, Complaining, "channels.x") == expected


def test_a_complaint_is_bounded_and_printable() -> None:
    """A plugin that goes on for ever fills no screen, and turns no terminal."""
    ((_, message),) = problems_of_build(
        "words: \x1b[31m" + "x" * 9999 + "\ny" * 999, Complaining, "channels.x"
    )
    assert len(message.splitlines()) == 20
    assert max(map(len, message.splitlines())) <= 300
    assert all(line.isprintable() for line in message.splitlines())
