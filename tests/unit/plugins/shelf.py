"""Tiny real distributions on a private path, with metadata and entry points as an installer leaves them."""

from __future__ import annotations

import importlib
from textwrap import dedent, indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {
    "enroll": 'return Enrollment(b"state")',
    "challenge": 'return Challenge("Code")',
    "verify": 'return Verdict(Decision.REJECT, reason="wrong code")',
    "build": "return Strange()",
}


class Shelf:
    """A folder on sys.path to put plugins in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def put(self, entry: str, source: str, distribution: str = "", module: str = "") -> Path:
        """Install a package with this source under an entry point; returns the package's folder."""
        distribution = distribution or f"dist-of-{entry}"
        module = module or f"module_of_{entry.replace('-', '_')}_{len(self.modules)}"
        package = self.folder / module
        package.mkdir()
        (package / "__init__.py").write_text(source)
        self.register(entry, module, distribution)
        return package

    def register(self, entry: str, target: str, distribution: str) -> None:
        """Write the metadata of a distribution with one entry point."""
        info = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[nightlatch.plugins]\n{entry} = {target}\n")
        self.modules.append(target.partition(":")[0])
        importlib.invalidate_caches()

    def put_factor(self, name: str = "strange", entry: str = "", **bodies: str) -> Path:
        """Install a factor that refuses everything, but for the bodies that are given.

        Keys are "enroll", "challenge", "verify", "build", and "settings" for the fields of its table.
        """
        return self.put(entry or name, factor_source(name, **bodies))


def factor_source(name: str = "strange", **bodies: str) -> str:
    """The source of a plugin with one factor."""
    body = {key: indent(dedent(bodies.get(key, text)), " " * 8) for key, text in QUIET.items()}
    return f"""
import asyncio, enum, os, sys, threading, time
from nightlatch.factor import *
from nightlatch.factor import Settings, hookimpl

class StrangeSettings(Settings):
    {bodies.get("settings", "pass")}

class Strange:
    def enroll(self, subject, request, context):
{body["enroll"]}
    async def challenge(self, subject, state, context):
{body["challenge"]}
    def verify(self, state, memo, answer, context):
{body["verify"]}

def build(settings):
    if True:
{body["build"]}

@hookimpl
def nightlatch_factors():
    return [FactorPlugin("{name}", "Strange thing", StrangeSettings, build)]
"""
