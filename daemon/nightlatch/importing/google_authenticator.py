"""The files of pam_google_authenticator: a tree of homes, or a folder with one file a person.

``~/.google_authenticator`` belongs to the person whose home it is in; a file of the folder itself has the
person's name (``secret=/var/lib/google-authenticator/${USER}``). Each is a secret, options behind ``" ``, and
scratch codes.

MUST 1: a name is believed only where root, or who imports, has given it: in a folder of anybody else's, its
        owner has chosen the names of what is in it. Two files in one name are nobody's.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from pathlib import Path

from nightlatch.factor import ImportedCodes, ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    Finding,
    Found,
    Skipped,
    SourceFault,
    base32_secret,
    read_persons_file,
    whole_number,
)

NAME = ".google_authenticator"
SCRATCH_LABEL = "Scratch codes"
SCRATCH_NOTE = "short: make new recovery codes soon"
SCRATCH_USED = "all its scratch codes are used"
_MOST = 64 * 1024
_MOST_DEPTH = 4
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SCRATCH = re.compile(r"\d{8}", re.ASCII)


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Everything below `source`, or in it when it is a file; raises SourceFault."""
    if source.is_file():
        return _person(source)
    if not source.is_dir():
        raise SourceFault(f"There is neither a folder nor a file at {source}.")
    wrong = _who_else_names(source)
    if wrong:
        raise SourceFault(f"{source} {wrong}: they can put a secret into it in anybody's name.")
    files = _files(source)
    named = Counter(map(_owner, files))
    found: list[Finding] = []
    for path in files:
        owner = _owner(path)
        if named[owner] > 1:
            found.append(Skipped(owner, "", f"{path} is one of {named[owner]} files in this name"))
        else:
            found += _person(path)
    return found


def _files(top: Path) -> list[Path]:
    """Every `.google_authenticator` a few folders deep, and the other files of the top folder.

    Below a home nobody else's can be.
    """
    files = []

    def stop(error: OSError) -> None:
        raise SourceFault(f"{error.filename} can not be read: {error.strerror}. Run this as root.") from None

    for folder, folders, names in os.walk(top, onerror=stop):
        here = Path(folder)
        files += [here / name for name in names if name == NAME or (here == top and not name.startswith("."))]
        if len(here.relative_to(top).parts) >= _MOST_DEPTH or _who_else_names(here):
            folders.clear()
    return sorted(files)


def _who_else_names(folder: Path) -> str:
    """Who but root and this user may choose the names in a folder, in words; empty for nobody."""
    try:
        status = folder.stat()
    except OSError as error:
        return f"can not be looked at: {error.strerror}"
    if status.st_uid not in {0, os.geteuid()}:
        return f"belongs to uid {status.st_uid}"
    mode = stat.S_IMODE(status.st_mode)
    return f"has mode {mode:04o}, others may write to it" if mode & _OTHERS_WRITE else ""


def _owner(path: Path) -> str:
    """Whose a file is, by its name or by its folder's."""
    return path.absolute().parent.name if path.name == NAME else path.name


def _person(path: Path) -> list[Finding]:
    owner = _owner(path)
    try:
        lines = read_persons_file(path, _MOST).decode("ascii", errors="replace").splitlines()
    except SourceFault as fault:
        return [Skipped(owner, "", str(fault))]
    secret = base32_secret(lines[0]) if lines else None
    if secret is None:
        return [Skipped(owner, "", f"{path.name} does not begin with a secret: it is no such file")]
    options = _options(lines)
    if "TOTP_AUTH" not in options:
        return [Skipped(owner, "", EVENT_BASED)]
    period = whole_number(options.get("STEP_SIZE"), 30)
    skew = options.get("TIME_SKEW", "0")
    note = (
        ""
        if skew in {"0", ""}
        else f"the phone was {skew} steps off, which is not forgiven here: set its clock"
    )
    found: list[Finding] = [Found(owner, "", ImportedSecret(secret, "SHA1", 6, period), note)]
    codes = tuple(line.strip() for line in lines[1:] if _SCRATCH.fullmatch(line.strip()))
    if codes:
        found.append(Found(owner, SCRATCH_LABEL, ImportedCodes(codes), SCRATCH_NOTE))
    else:
        found.append(Skipped(owner, SCRATCH_LABEL, SCRATCH_USED))
    return found


def _options(lines: list[str]) -> dict[str, str]:
    """Each option's name and the rest of its line."""
    split = (line[1:].split(maxsplit=1) for line in lines[1:] if line.startswith('"'))
    return {words[0]: words[1].strip() if len(words) > 1 else "" for words in split if words}
