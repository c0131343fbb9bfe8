"""Where a secret must not be (LEK-01): in no string of the daemon's log, and not in its state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from testbed.daemon import Nightlatchd


def found_in(secrets: Collection[str], daemon: Nightlatchd, told: str = "") -> list[str]:
    """The secrets that are in the daemon's log or state, or in what others have `told`.

    A short one may be part of anything in the state, so there only longer ones count.
    """
    said = "\n".join(text for event in daemon.events() for text in _strings(event))
    lines = daemon.log.read_text(errors="replace").splitlines()
    said += told + "\n".join(line for line in lines if not line.startswith("{"))
    state = b"".join(path.read_bytes() for path in (daemon.folder / "state").iterdir()).decode("latin-1")
    return [
        secret
        for secret in sorted(secrets)
        if re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said) or (len(secret) > 6 and secret in state)
    ]


def _strings(value: object, name: str = "") -> Iterator[str]:
    """Every string in an event, but the time: its microseconds may look like a code."""
    if isinstance(value, str) and name != "time":
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _strings(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
