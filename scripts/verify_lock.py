#!/usr/bin/env python3
"""Says, offline, whether the lock files fit pyproject.toml. Run through `scripts/lock --check`.

1. Every requirement of the project, of its development group and of its build is in requirements.lock,
   and every one of the project is in requirements-run.lock.
2. The locked version is one that the requirement allows, and both files lock the same.
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


def read(name: str, found: list[str]) -> dict[str, str]:
    """The versions in a lock file, by name; adds to `found` what is wrong with the file itself."""
    lock = (ROOT / name).read_text()
    locked: dict[str, str] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if pin := PIN.match(entry):
            locked[canonicalize_name(pin["name"])] = pin["version"]
            if "--hash=sha256:" not in entry:
                found.append(f"{name}: {pin['name']}=={pin['version']} has no hash")
        elif not entry.lstrip().startswith("#"):
            found.append(f"{name}: not a pinned version: {entry.splitlines()[0]}")
    if "://" in lock:
        found.append(f"{name}: an address is named; each machine brings its own")
    return locked


def unmet(name: str, wanted: list[str], locked: dict[str, str]) -> list[str]:
    """Requirements that a lock file leaves out or locks to a version that they do not allow."""
    found = []
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{name}: {requirement.name} is not locked")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{name}: {requirement} is locked to {version}")
    return found


def problems() -> list[str]:
    """Everything that is wrong."""
    found: list[str] = []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run = project["project"]["dependencies"]
    develop = run + project["dependency-groups"]["dev"] + project["build-system"]["requires"]
    for_development, for_hosts = read("requirements.lock", found), read("requirements-run.lock", found)
    found += unmet("requirements.lock", develop, for_development)
    found += unmet("requirements-run.lock", run, for_hosts)
    for name, version in for_hosts.items():
        if for_development.get(name) != version:
            found.append(f"requirements-run.lock: {name} is not what requirements.lock says")
    return found


def main() -> int:
    """Print every problem; 1 when there is any."""
    found = problems()
    for problem in found:
        sys.stdout.write(f"{problem}. Run scripts/lock.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
