"""The audit for other systems: JSON lines, syslog (RFC 5424), CEF.

MUST 1: one row is one line, whatever is in it (AUD-02): nothing that a name holds ends a line or a field.
"""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.model import Result

if TYPE_CHECKING:
    from nightlatch.model import AuditRow

_AUTHPRIV = 10
_SD_ID = "nightlatch@32473"
"""RFC 5424 wants an enterprise number behind the name; nightlatch has none, this is the one of examples."""
_LONGEST_HOST = 255
_SEVERITIES = {
    # RFC 5424: 3 error, 4 warning, 5 notice, 6 informational. CEF: 0 to 10.
    Result.GRANTED: (6, 1),
    Result.PASSED: (6, 1),
    Result.CHANGED: (5, 3),
    Result.REFUSED: (4, 5),
    Result.LOCKED: (4, 7),
    Result.UNAVAILABLE: (3, 6),
}


def row_json(row: AuditRow) -> dict[str, object]:
    """A row for programs. Times are RFC 3339 in UTC."""
    event = row.event
    return {
        "id": row.id,
        "time": _time(row.at),
        "event": event.event,
        "result": event.result.value,
        "reason": event.reason,
        "facts": event.facts,
        "reference": event.reference,
        "account": event.account_id,
        "user": event.user,
        "service": event.service,
        "source": event.source,
        "factor": event.factor,
        "credential": event.credential_id,
        "caller": event.caller,
        "writer": row.writer,
        "sequence": row.sequence,
        "chain": row.chain.hex(),
    }


def as_json_line(row: AuditRow) -> str:
    """A row as one line of JSON."""
    return json.dumps(row_json(row))


def as_syslog(row: AuditRow, host: str) -> str:
    """A row as a message of RFC 5424, with all its fields as structured data and a sentence behind them."""
    severity = _SEVERITIES[row.event.result][0]
    header = f"<{_AUTHPRIV * 8 + severity}>1 {_time(row.at)} {_name(host, _LONGEST_HOST)} nightlatch -"
    fields = {name: value for name, value in row_json(row).items() if name != "time" and value != ""}
    data = " ".join(f'{name}="{_sd_value(str(value))}"' for name, value in fields.items())
    return f"{header} {_name(row.event.event, 32)} [{_SD_ID} {data}] \ufeff{_one_line(_sentence(row))}"


def as_cef(row: AuditRow, version: str) -> str:
    """A row in ArcSight's Common Event Format, version 0."""
    event = row.event
    severity = _SEVERITIES[event.result][1]
    names = ("nightlatch", "nightlatch", version, event.event, _sentence(row))
    header = "|".join(_cef_header(name) for name in names)
    fields = {
        "rt": str(round(row.at * 1000)),
        "externalId": str(row.id),
        "outcome": event.result.value,
        "reason": event.reason,
        "duser": event.user,
        "app": event.service,
        **_cef_source(event.source),
        **_labelled(1, "reference", event.reference),
        **_labelled(2, "account", event.account_id),
        **_labelled(3, "factor", event.factor),
        **_labelled(4, "credential", event.credential_id),
        **_labelled(5, "caller", event.caller),
        **_labelled(6, "facts", event.facts),
    }
    extension = " ".join(f"{name}={_cef_value(value)}" for name, value in fields.items() if value)
    return f"CEF:0|{header}|{severity}|{extension}"


def _sentence(row: AuditRow) -> str:
    event = row.event
    who = f" {event.user}" if event.user else ""
    why = f": {event.reason}" if event.reason else ""
    return f"{event.event} {event.result.value}{who}{why}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _name(text: str, longest: int) -> str:
    """A header field of RFC 5424: printable ASCII without blanks, "-" for nothing."""
    return "".join(letter if "!" <= letter <= "~" else "_" for letter in text)[:longest] or "-"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _sd_value(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _cef_header(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("=", "\\=")


def _labelled(number: int, label: str, value: str) -> dict[str, str]:
    return {f"cs{number}Label": label, f"cs{number}": value} if value else {}


def _cef_source(source: str) -> dict[str, str]:
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return {"shost": source}
    if address.version == 4:  # noqa: PLR2004  # the version is its name
        return {"src": str(address)}
    return {"c6a2Label": "Source IPv6 Address", "c6a2": str(address)}
