"""Which numbers and mailboxes codes may be sent to, and how they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch_codes import mailboxes, numbers

COUNTRIES = ("US", "DE", "GB", "JM")


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+14155550100", None, "+14155550100"),
        ("+1 (415) 555-0100", None, "+14155550100"),
        (" +49 151 23456789 ", None, "+4915123456789"),
        ("0151 / 23456789", "DE", "+4915123456789"),
        ("0049 151 23456789", "DE", "+4915123456789"),
        ("07424 123456", "GB", "+447424123456"),
    ],
)
def test_numbers_become_e164(typed: str, region: str | None, number: str) -> None:
    """However a number is grouped, and with a default region also without its country, it is one number."""
    assert numbers.read(typed, COUNTRIES, region) == number


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("+19005550123", "mobile"),  # premium rate
        ("+49 900 1123456", "mobile"),  # premium rate
        ("+44 844 1234567", "mobile"),  # shared cost
        ("+44 70 1234 5678", "mobile"),  # personal number: as dear as premium rate
        ("+44 7640 123456", "mobile"),  # pager
        ("+1 800 356 9377", "mobile"),  # toll free
        ("+44 20 7183 8750", "mobile"),  # landline
        ("+33 6 12 34 56 78", "country"),
        ("+7 912 345 67 89", "country"),
        ("+1 242 359 1234", "country"),  # the Bahamas: a number like those of the United States
        ("+882 16 1234 5678", "country"),  # satellite
        ("+1 415 555", "no such"),
        ("+1 415 555 0100 999", "no such"),
        ("+999 1234567", "no telephone number"),
        ("151 23456789", "no telephone number"),
    ],
)
def test_numbers_that_cost_or_lead_elsewhere_are_refused(typed: str, word: str) -> None:
    """OOB-05: premium and shared-cost numbers, and countries not on the list, are refused in words."""
    with pytest.raises(ValueError, match=word):
        numbers.read(typed, COUNTRIES, None)


@pytest.mark.parametrize(
    "typed",
    [
        "+14155550100\r\n",
        "+1415555\n0100",
        "+14155550100\x00",
        "+14155550100;ext=5",
        "+14155550100 x5",
        "tel:+14155550100",
        "+1-800-FLOWERS",
        "\uff0b14155550100",
        "+1415555010\uff10",
        "+1415\u00a05550100",
        "+\u0661\u0664\u0661\u0665555\u0660\u0661\u0660\u0660",
        "++14155550100",
        "+",
        "1" * 5000,
    ],
)
def test_what_is_not_written_as_a_number_is_refused(typed: str) -> None:
    """OOB-05: line breaks, extensions, letters and other digits do not come as far as the parser."""
    with pytest.raises(ValueError, match="written with digits"):
        numbers.read(typed, COUNTRIES, "US")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_number_or_refused(typed: str) -> None:
    """No text is anything but E.164 or a ValueError."""
    try:
        number = numbers.read(typed, COUNTRIES, "US")
    except ValueError:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdigit()


def test_a_number_is_shown_by_its_last_two_digits() -> None:
    """Enough to know it, too little to learn it."""
    assert numbers.masked("+14155550142") == "•••• 42"


@pytest.mark.parametrize(
    ("typed", "mailbox"),
    [
        ("alice@example.com", "alice@example.com"),
        (" Alice.Smith+mfa@Mail.Example.COM ", "Alice.Smith+mfa@mail.example.com"),
        ("o'neil_1@corp.local", "o'neil_1@corp.local"),
        ("a" * 64 + "@x.de", "a" * 64 + "@x.de"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    ],
)
def test_mailboxes(typed: str, mailbox: str) -> None:
    """One mailbox is taken as it is, with its domain in lower case; directories with .local work too."""
    assert mailboxes.read(typed) == mailbox


@pytest.mark.parametrize(
    "typed",
    [
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c\n",
        "\na@b.c",
        "a@b.c\x00",
        "a@b.c,x@y.z",
        "a@b.c;x@y.z",
        "a@b.c x@y.z",
        "Alice <a@b.c>",
        "<a@b.c>",
        '"a b"@b.c',
        "a@b.c@d.e",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@localhost",
        "a..b@c.d",
        ".a@b.c",
        "a.@b.c",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "@b.c",
        "a@",
        "a",
        "-oQ/tmp@b.c",
        "|sh@b.c",
        "x%y.z@b.c",
        "y.z!x@b.c",
        "\u00e4@b.c",
        "a@b\u00fccher.de",
        "a\u202e@b.c",
        "a@b\uff0ec",
        "a" * 65 + "@b.c",
        "a@" + "b" * 64 + ".c",
        "a@" + "b." * 130 + "c",
        "a" * 100_000,
    ],
)
def test_what_is_no_mailbox_is_refused(typed: str) -> None:
    """OOB-05: nothing that could end a header, add a receiver, route onwards or run a program passes."""
    with pytest.raises(ValueError, match="no email address"):
        mailboxes.read(typed)


@given(st.text(max_size=60) | st.emails())
def test_whatever_is_typed_is_a_mailbox_or_refused(typed: str) -> None:
    """No text is anything but one printable ASCII mailbox or a ValueError."""
    try:
        mailbox = mailboxes.read(typed)
    except ValueError:
        return
    assert mailbox.isascii()
    assert mailbox.isprintable()
    assert mailbox.count("@") == 1
    assert not set(mailbox) & set(' ,;<>"()[]:\\')


def test_a_mailbox_is_shown_by_its_first_letter() -> None:
    """However long the address is, what is shown of it fits a prompt, and hides how long the name is."""
    assert mailboxes.masked("alice@example.com") == mailboxes.masked("al@example.com") == "a•••@example.com"
    assert len(mailboxes.masked("a@" + "b" * 60 + "." + "c" * 60 + ".example")) <= 64
