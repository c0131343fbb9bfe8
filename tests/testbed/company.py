"""A company with roles: a daemon in front of slapd, users of the host, and applications."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from testbed.applications import Installation
from testbed.daemon import BIN
from testbed.quick_command import run_command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

HELPER, AUDITOR, STRANGER = 31201, 31202, 31203
"""Users of this host that exist nowhere else."""
CLIENTS = """
[[clients]]
name = "desk"
san = "dns:desk.example.com"
methods = ["health"]
[[clients]]
name = "portal"
san = "dns:portal.example.com"
methods = ["enrollment"]
"""


class Company(Installation):
    """alice and, through ops, bob are administrators; carol is not."""

    def command_as(
        self, uid: int, *words: str, typed: str = "", runtime: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `nightlatch` as a user of the host, with a runtime folder of their own."""
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime or "")}
        argv: list[str | Path] = [BIN / "nightlatch", *words, "--socket", self.daemon.admin_socket]
        return run_command(argv, typed, environment, uid)
