"""An administrator's own templates: used where they are, and every mistake found at the start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message
from nightlatch_messages import KINDS, Words
from nightlatch_messages.compiled import CompiledOnce
from nightlatch_messages.languages import catalogue
from nightlatch_messages.sources import TemplateProblems, read_sources
from nightlatch_messages.trial import strangers
from nightlatch_messages.words import _environment

if TYPE_CHECKING:
    from pathlib import Path

CODE = {"code": "123456", "minutes": "5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for templates."""
    made = tmp_path / "templates"
    made.mkdir(mode=0o755)
    return made


def problems(folder: Path) -> str:
    """What the folder's templates are refused for."""
    with pytest.raises(TemplateProblems) as refused:
        Words(folder)
    return str(refused.value)


def test_a_file_of_the_same_name_takes_the_place_of_ours(folder: Path) -> None:
    """For all languages; the rest stays as it is shipped."""
    (folder / "login_code.sms").write_text("{{ code }} ACME")
    words = Words(folder)
    assert words.sms(Message("login_code", CODE, "zh")) == "123456 ACME"
    assert "您" in words.email(Message("login_code", CODE, "zh")).text


def test_one_layout_dresses_every_email(folder: Path) -> None:
    """A brand is one file."""
    (folder / "layout.html").write_text("<h1>ACME</h1>{% block body %}{% endblock %}")
    words = Words(folder)
    assert words.email(Message("test", {})).html.startswith("<h1>ACME</h1>")


def test_a_folder_of_a_language_speaks_it(folder: Path) -> None:
    """A language of one's own; what is missing in it is English."""
    (folder / "de").mkdir()
    (folder / "de" / "login_code.subject").write_text("Ihr Anmeldecode")
    words = Words(folder)
    assert words.email(Message("login_code", CODE, "de-AT")).subject == "Ihr Anmeldecode"
    assert words.email(Message("login_code", CODE, "fr")).subject == "Your sign-in code"
    assert words.email(Message("test", {}, "de")).subject == "A test message"


def test_a_subject_never_has_a_line_break(folder: Path) -> None:
    """Whatever the template does."""
    (folder / "test.subject").write_text("One\r\nBcc: two@x.test{{ '\\n' }}three\u2028four\n")
    assert Words(folder).email(Message("test", {})).subject == "One Bcc: two@x.test three four"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("login_code.sms", "{{ code }} {% if host %}{{ hots }}{% endif %}", 'no value "hots"'),
        ("login_code.txt", "{{ code }", "login_code.txt, line 1"),
        ("login_code.txt", "\n{% if %}", "login_code.txt, line 2"),
        ("login_code.html", "{{ code|shout }}", "shout"),
        ("login_code.html", "{% extends 'laoyut.html' %}{{ code }}", "laoyut.html"),
        ("login_code.sms", "{{ minutes }}", "the code is not in it"),
        ("login_code.sms", "{{ code }} " + "x" * 160, "too long"),
        ("login_code.sms", "{{ code }} " + "验" * 64, "too long"),
        ("test.subject", "{{ subject }}", 'no value "subject"'),
        ("test.subject", "  ", "says nothing"),
        ("test.txt", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("test.txt", "{{ 1 // 0 }}", "ZeroDivisionError"),
        ("login_cod.txt", "x", "replaces nothing"),
    ],
)
def test_a_mistake_is_found_at_the_start(folder: Path, name: str, text: str, complaint: str) -> None:
    """In words that name the file and what is wrong."""
    (folder / name).write_text(text)
    said = problems(folder)
    assert complaint in said
    assert name in said


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    """Also one in a shared file."""
    (folder / "test.txt").write_text("{{ a }}")
    (folder / "test.sms").write_text("{{ b }}")
    (folder / "layout.html").write_text("{% block %}")
    said = problems(folder)
    assert all(name in said for name in ("test.txt", "test.sms", "layout.html, line 1"))


def test_a_folder_that_others_may_write_is_refused(folder: Path) -> None:
    """Its words go to everybody."""
    folder.chmod(0o777)
    assert f"chmod go-w {folder}" in problems(folder)


def test_a_file_that_others_may_write_is_refused(folder: Path) -> None:
    """Like its folder."""
    file = folder / "test.txt"
    file.write_text("hello")
    file.chmod(0o664)
    assert f"chmod go-w {file}" in problems(folder)


def test_a_strangers_file_is_refused(folder: Path) -> None:
    """It must belong to root or to the daemon's user."""
    (folder / "test.txt").write_text("hello")
    os.chown(folder / "test.txt", 12345, 12345)
    assert "belongs to uid 12345" in problems(folder)


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """A pipe is not waited for; a folder that is not there, bytes that are no text, a folder too deep."""
    os.mkfifo(folder / "test.txt")
    (folder / "test.sms").write_bytes(b"\xff\xfe")
    (folder / "de" / "at").mkdir(parents=True)
    said = problems(folder)
    assert "not a regular file" in said
    assert "not in UTF-8" in said
    assert "folder in a language's folder" in said
    assert "can not be read" in problems(folder / "nowhere")


def test_the_shipped_templates_use_declared_values_only() -> None:
    """The trial looks for strangers in replaced files; this looks in ours."""
    texts = read_sources(None).shipped
    room = _environment("en", texts, CompiledOnce())
    assert catalogue("en") is not None
    for kind in KINDS.values():
        for name in (f"{kind.name}.{shape}" for shape in ("subject", "txt", "html", "sms")):
            assert not list(strangers(room, kind, name, texts[name]))
