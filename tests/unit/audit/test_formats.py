"""Rows of the audit for other systems: one line each, whatever is in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from nightlatch.audit.formats import as_cef, as_json_line, as_syslog
from nightlatch.model import AuditEvent, AuditRow, Result

EVENT = AuditEvent(
    "login.factor", Result.REFUSED, "wrong code", "7f3a-22c1", "corp:1", "alice", "sshd", "192.0.2.7", "app"
)
ROW = AuditRow(17, 1_700_000_000.25, EVENT, "00ff", 3, b"\x01\x02")
HOSTILE = 'a"b\\c]d|e=f\ng\x1b[31m\u202eh'


def test_a_json_line_has_everything() -> None:
    """Each column has its name; the time is RFC 3339 in UTC."""
    found = json.loads(as_json_line(ROW))
    assert found["time"] == "2023-11-14T22:13:20.250000Z"
    assert (found["user"], found["result"], found["sequence"], found["chain"]) == (
        "alice",
        "refused",
        3,
        "0102",
    )


def test_a_syslog_line_is_one_of_rfc_5424() -> None:
    """Priority, version, time, host, name, event, structured data, sentence behind the mark of UTF-8."""
    line = as_syslog(ROW, "host 1")
    assert line.startswith(
        "<84>1 2023-11-14T22:13:20.250000Z host_1 nightlatch - login.factor [nightlatch@32473 "
    )
    assert ' user="alice"' in line
    assert line.endswith("] \ufefflogin.factor refused alice: wrong code")


def test_a_hostile_name_ends_no_field_of_syslog() -> None:
    """AUD-02: quotes, brackets and backslashes are escaped, line ends and colours replaced."""
    line = as_syslog(replace(ROW, event=replace(EVENT, user=HOSTILE)), "host")
    assert line.isprintable() or line.replace("\ufeff", "").isprintable()
    assert 'user="a\\"b\\\\c\\]d|e=f\ufffdg\ufffd[31m\ufffdh"' in line


def test_a_hostile_name_ends_no_field_of_cef() -> None:
    """AUD-02: bars are escaped in front, equals signs behind, line ends replaced in both."""
    line = as_cef(replace(ROW, event=replace(EVENT, user=HOSTILE)), "1.0")
    assert line.isprintable()
    assert 'duser=a"b\\\\c]d|e\\=f\ufffdg\ufffd[31m\ufffdh app=sshd' in line
    header = re.split(r"(?<!\\)\|", line)
    assert header[:5] == ["CEF:0", "nightlatch", "nightlatch", "1.0", "login.factor"]
    assert "d\\|e=f" in header[5]


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ("192.0.2.7", "src=192.0.2.7"),
        ("2001:db8::1", "c6a2Label=Source IPv6 Address c6a2=2001:db8::1"),
        ("laptop", "shost=laptop"),
    ],
)
def test_cef_tells_addresses_from_names(source: str, field: str) -> None:
    """Each kind of source has its own field in CEF."""
    assert field in as_cef(replace(ROW, event=replace(EVENT, source=source)), "1.0")


@pytest.mark.parametrize("result", list(Result))
def test_every_result_has_a_severity(result: Result) -> None:
    """No result that may be added is forgotten here."""
    row = replace(ROW, event=replace(EVENT, result=result))
    assert as_syslog(row, "h").startswith("<8")
    assert as_cef(row, "1").count("|") >= len("1234567")
