"""Which language, and whether its catalogue is whole."""

from __future__ import annotations

from importlib.resources import files

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from nightlatch_messages.languages import SHIPPED, catalogue, negotiated

OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "encoding": "utf-8"}


@pytest.mark.parametrize(
    "tag", ["zh", "zh-CN", "zh-SG", "zh-Hans", "zh-Hans-CN", "zh-cn", "ZH-hans", "zh_CN", "zh-Hans-HK"]
)
def test_simplified_chinese_answers_its_tags(tag: str) -> None:
    """By CLDR: "zh" alone is written in simplified characters."""
    assert negotiated(tag, SHIPPED) == "zh_Hans"


@pytest.mark.parametrize(
    "tag", ["en", "en-GB", "fr", "zh-TW", "zh-Hant", "zh-HK", "", "x", "-", "zh-\n", "zzzz" * 99, "C"]
)
def test_everything_else_is_english(tag: str) -> None:
    """Also a tag that is none."""
    assert negotiated(tag, SHIPPED) == "en"


def test_a_language_that_an_administrator_added_is_found() -> None:
    """By the nearest name: the territory's before the language's."""
    assert negotiated("de-AT", ("en", "de", "de_CH")) == "de"
    assert negotiated("de-CH", ("en", "de", "de_CH")) == "de_CH"


def test_a_language_without_a_catalogue_leaves_everything_as_it_is() -> None:
    """An administrator's own language is written in the templates themselves."""
    assert catalogue("de").gettext("Time") == "Time"


def test_the_catalogue_has_every_sentence_of_the_templates_and_no_other() -> None:
    """Nothing is untranslated, nothing is left over, and placeholders agree."""
    folder = files("nightlatch_messages")
    found = extract_from_dir(
        str(folder / "templates"),
        method_map=[("**", "jinja2.ext:babel_extract")],
        options_map={"**": OPTIONS},
    )
    sentences = {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}
    with (folder / "locale" / "zh_Hans" / "messages.po").open("rb") as file:
        translated = {
            one.id if isinstance(one.id, str) else one.id[0]: one for one in read_po(file) if one.id
        }
    assert sentences == translated.keys()
    for one in translated.values():
        written = [one.string] if isinstance(one.string, str) else [*(one.string or [""])]
        assert all(written), one.id
        assert not one.fuzzy
        assert not list(one.check())
