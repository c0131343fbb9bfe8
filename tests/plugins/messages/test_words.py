"""What people read."""

from __future__ import annotations

import re
from itertools import product

import pytest

from nightlatch.channel import Message
from nightlatch_messages import KINDS, Words, WrongMessage
from nightlatch_messages.gsm7 import is_gsm7, room_left
from nightlatch_messages.kinds import SAMPLES

LANGUAGES = ("en", "zh-CN")
CODES = ("login_code", "enrollment_code", "emergency_code", "reset_code")


@pytest.fixture(scope="module")
def words() -> Words:
    """The shipped templates."""
    return Words(None)


def login_code(language: str = "en", **changes: str) -> Message:
    """A code for a login."""
    values = {"code": "48213377", "minutes": "5", "service": "sshd", "host": "web1", "user": "alice"}
    return Message("login_code", {**values, **changes}, language)


@pytest.mark.parametrize(("kind", "language"), [*product(KINDS, LANGUAGES)])
def test_every_message_has_words_in_every_language(words: Words, kind: str, language: str) -> None:
    """A subject of one line, text, HTML and a text message that fits; and every needed value in each."""
    message = Message(kind, dict(SAMPLES), language)
    email, sms = words.email(message), words.sms(message)
    assert email.subject
    assert email.subject.splitlines() == [email.subject]
    assert email.html.startswith("<!DOCTYPE html>")
    assert room_left(sms) >= 0
    for name in {"code", "minutes", "label", "device"} & {*KINDS[kind].values}:
        assert SAMPLES[name] in email.text
        assert SAMPLES[name].replace('"', "&#34;") in email.html
        assert SAMPLES[name] in sms
    assert re.search("[一-鿿]", sms + email.subject) is None or language == "zh-CN"


@pytest.mark.parametrize(("kind", "language"), [*product(KINDS, LANGUAGES)])
def test_a_message_needs_only_what_it_declares(words: Words, kind: str, language: str) -> None:
    """Without the optional values it still reads well, without holes."""
    message = Message(kind, {name: SAMPLES[name] for name in KINDS[kind].needed}, language)
    email, sms = words.email(message), words.sms(message)
    for text in (email.text, sms):
        assert "()" not in text
        assert ": \n" not in text
        assert "  " not in text.replace("\n    ", "\n")


@pytest.mark.parametrize("kind", KINDS)
def test_an_english_text_message_is_one_of_gsm7_without_links(words: Words, kind: str) -> None:
    """160 characters of GSM 03.38 at most, and nothing that a phone turns into a link of ours."""
    sms = words.sms(Message(kind, dict(SAMPLES)))
    assert is_gsm7(sms)
    assert len(sms) <= 160
    assert "://" not in sms
    assert "www." not in sms


@pytest.mark.parametrize(("kind", "language"), [*product(CODES, LANGUAGES)])
def test_the_code_comes_first_in_a_text_message(words: Words, kind: str, language: str) -> None:
    """It is seen on a locked phone and on a watch without opening anything."""
    assert words.sms(Message(kind, dict(SAMPLES), language)).startswith(SAMPLES["code"])


def test_a_code_is_in_no_subject(words: Words) -> None:
    """LEK-01: mail servers and their message traces log subjects."""
    for kind, language in product(KINDS, LANGUAGES):
        assert SAMPLES["code"] not in words.email(Message(kind, dict(SAMPLES), language)).subject


@pytest.mark.parametrize(("minutes", "said"), [("1", "for one minute"), ("5", "for 5 minutes")])
def test_words_bend_with_numbers(words: Words, minutes: str, said: str) -> None:
    """One minute, five minutes."""
    assert said in words.email(login_code(minutes=minutes)).text


def test_what_does_not_fit_is_left_out_before_the_end_is_cut(words: Words) -> None:
    """Chinese has 70 characters: the host goes, the code and its lifetime stay."""
    sms = words.sms(login_code("zh", host="a-host-with-a-very-long-name.example.com", service="imap" * 8))
    assert sms.startswith("48213377")
    assert "5 分钟" in sms
    assert room_left(sms) >= 0


def test_a_label_that_never_ends_leaves_one_message(words: Words) -> None:
    """Values are shortened, in a text message more than in an email."""
    message = Message("notice_credential_added", {"label": "手机" * 400})
    assert room_left(words.sms(message)) >= 0
    assert len(words.email(message).text) < 600


def test_html_is_escaped(words: Words) -> None:
    """A label is text, never markup."""
    html = words.email(Message("notice_credential_added", {"label": "<img src=//x>"})).html
    assert "&lt;img" in html
    assert "<img" not in html


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x00", "\x1b", "\u2028", "\x85"])
def test_a_code_with_a_line_break_is_refused_unseen(words: Words, break_: str) -> None:
    """OOB-05: the complaint names the value without showing it."""
    message = login_code(code=f"4821{break_}Bcc: x@y.test")
    for say in (words.email, words.sms):
        with pytest.raises(WrongMessage, match='"code"') as refused:
            say(message)
        assert "4821" not in str(refused.value)


@pytest.mark.parametrize("break_", ["\r", "\n", "\x00", "\x1b", "\u2028", "\x85"])
def test_a_name_with_a_line_break_is_one_line(words: Words, break_: str) -> None:
    """OOB-05: it makes no header and no sentence, and it does not keep the warning from leaving."""
    message = Message("notice_device_added", {"device": f"Laptop{break_}All is well."})
    assert "Laptop?All is well." in words.email(message).text
    assert "Laptop?All is well." in words.sms(message)


def test_marks_that_turn_the_direction_of_writing_are_dropped(words: Words) -> None:
    """A label can not show itself backwards."""
    assert "\u202e" not in words.email(Message("notice_device_added", {"device": "x\u202egpj"})).text


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Message("login_cod", {}), "there is no message"),
        (Message("login_code", {"minutes": "5"}), "needs code"),
        (Message("login_code", {"code": "", "minutes": ""}), "needs code and minutes"),
        (Message("login_code", {"code": "48213377", "minutes": "five"}), "not a whole number"),
        (Message("login_code", {"code": 48213377, "minutes": "5"}), "not text"),  # type: ignore[dict-item]  # that is it
    ],
)
def test_a_message_that_can_not_be_said_is_refused(words: Words, message: Message, complaint: str) -> None:
    """LEK-01: with its reason, and without its values."""
    for say in (words.email, words.sms):
        with pytest.raises(WrongMessage, match=complaint) as refused:
            say(message)
        assert "48213377" not in repr(refused.value)


def test_a_value_beyond_the_declared_ones_changes_nothing(words: Words) -> None:
    """A factor may send more than a template knows."""
    assert words.email(login_code(colour="blue", language="x", subject="y")) == words.email(login_code())


def test_words_do_not_show_themselves(words: Words) -> None:
    """LEK-01: the repr of an email's words holds no code."""
    assert "48213377" not in repr(words.email(login_code()))
