#!/usr/bin/env python3
"""Says, offline, whether requirements.lock fits pyproject.toml. Run through `scripts/lock --check`.

1. Every requirement of the project, of its development group and of its build is locked.
2. The locked version is one that the requirement allows.
3. Everything locked has a hash, and no line names an address.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    return [Requirement(line) for line in lines]


def problems(lock: str) -> list[str]:
    """Everything that is wrong with the text of a lock file."""
    found = []
    locked: dict[str, str] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if pin := PIN.match(entry):
            locked[canonicalize_name(pin["name"])] = pin["version"]
            if "--hash=sha256:" not in entry:
                found.append(f"{pin['name']}=={pin['version']} has no hash")
        elif not entry.lstrip().startswith("#"):
            found.append(f"not a pinned version: {entry.splitlines()[0]}")
    if "://" in lock:
        found.append("an address is named; each machine brings its own")
    for requirement in wanted():
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{requirement.name} is not locked")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement} is locked to {version}")
    return found


def main() -> int:
    """Print every problem; 1 when there is any."""
    found = problems((ROOT / "requirements.lock").read_text())
    for problem in found:
        print(f"requirements.lock: {problem}. Run scripts/lock.")  # noqa: T201, a command line's answer
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
