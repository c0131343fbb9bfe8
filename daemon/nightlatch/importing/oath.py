"""The users file of pam_oath: ``HOTP/T30/6 alice - 3132…``, one credential a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import EVENT_BASED, Finding, Found, Skipped, hex_secret, read_text

if TYPE_CHECKING:
    from pathlib import Path

PIN_NOTE = "its PIN is not asked for here: the password of the directory is"
_KIND = re.compile(r"HOTP(?:/(?P<moving>E|T(?P<period>\d{1,6})?))?(?:/(?P<digits>\d))?", re.ASCII)
_FIELDS = 4


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Every line; raises SourceFault."""
    lines = (line.split() for line in read_text(source).splitlines())
    return [_line(fields) for fields in lines if fields and not fields[0].startswith("#")]


def _line(fields: list[str]) -> Finding:
    owner = fields[1] if len(fields) > 1 else "?"
    kind = _KIND.fullmatch(fields[0])
    if kind is None or len(fields) < _FIELDS:
        return Skipped(owner, "", "this is no line of pam_oath's users file")
    if not (kind["moving"] or "E").startswith("T"):
        return Skipped(owner, "", EVENT_BASED)
    secret = hex_secret(fields[3])
    if secret is None:
        return Skipped(owner, "", "its secret is not hexadecimal")
    what = ImportedSecret(secret, "SHA1", int(kind["digits"] or 6), int(kind["period"] or 30))
    return Found(owner, "", what, PIN_NOTE if fields[2] not in {"-", "+"} else "")
