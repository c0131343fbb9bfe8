"""Distinguished names, taken apart and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.dn import lies_under, rdn_values, split_dn

BASE = "ou=people,dc=nl,dc=test"


@pytest.mark.parametrize(
    "dn",
    [
        "uid=alice,ou=people,dc=nl,dc=test",
        "UID=alice, OU=People , DC=NL,DC=test",
        "uid=a\\,b,ou=people,dc=nl,dc=test",
        "uid=a+cn=b,ou=people,dc=nl,dc=test",
        "uid=x,ou=deep,ou=people,dc=nl,dc=test",
        "uid=x,ou=p\\65ople,dc=nl,dc=test",
        BASE,
    ],
)
def test_below_the_base(dn: str) -> None:
    """Case, spaces and escapes make no difference to where an entry is."""
    assert lies_under(dn, BASE)


@pytest.mark.parametrize(
    "dn",
    [
        "",
        "alice",
        "uid=alice,dc=nl,dc=test",
        "uid=alice,ou=people,dc=nl,dc=test,dc=org",
        "uid=alice\\,ou=people,dc=nl,dc=test",
        "uid=alice,ou=notpeople,dc=nl,dc=test",
        "uid=alice,xou=people,dc=nl,dc=test",
        "ou=people,dc=nl,dc=test,uid=alice",
        "uid=alice,ou=people,dc=nl,dc=test\\",
        "dc=nl,dc=test",
    ],
)
def test_elsewhere(dn: str) -> None:
    """LDP-04: what only looks like the base, or is no DN, is not below it."""
    assert not lies_under(dn, BASE)


def test_equal_values_are_equal_however_escaped() -> None:
    """RFC 4514 has several ways to write one character."""
    assert split_dn("o=Foo\\, Inc,c=de") == split_dn("O=foo\\2C inc, C=DE")
    assert split_dn("cn=b+uid=a,c=de") == split_dn("uid=a+cn=b,c=de")
    assert split_dn("cn=\\c3\\bc,c=de") == split_dn("cn=ü,c=de")
    assert split_dn("cn=ends with space\\ ,c=de") != split_dn("cn=ends with space,c=de")


@given(st.text(max_size=40))
def test_any_text_is_a_dn_or_a_valueerror(text: str) -> None:
    """No text brings anything else than ValueError."""
    try:
        assert split_dn(text)
    except ValueError:
        assert not lies_under(text, BASE)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_an_escaped_value_never_leaves_the_base(value: str) -> None:
    """Whatever stands in the first component, escaped as RFC 4514 wants, the rest decides."""
    escaped = "".join(f"\\{byte:02x}" for byte in value.encode())
    assert lies_under(f"uid={escaped},{BASE}", BASE)
    assert not lies_under(f"uid={escaped}", BASE)


@pytest.mark.parametrize(
    ("dn", "values"),
    [
        ("uid=Alice,ou=people", ("alice",)),
        (" UID = alice , uid=bob", ("alice",)),
        ("cn=a+uid=b\\,c,ou=x", ("b,c",)),
        ("cn=a\\+uid=b,ou=x", ()),
        ("cn=uid=b,uid=c", ()),
    ],
)
def test_what_the_name_of_the_entry_itself_says(dn: str, values: tuple[str, ...]) -> None:
    """Of the first part alone, and of no value that only looks like an attribute."""
    assert rdn_values(dn, "uid") == values
