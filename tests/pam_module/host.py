"""The builds of the module, and a machine's PAM configuration with one of them in it."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.pam_client import PamResult, authenticate, write_service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One build of the module."""

    path: Path
    preload: tuple[Path, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


def build(variant: str) -> Path:
    """Build a variant of the module if it is not there yet; its folder."""
    subprocess.run([ROOT / "pam_module" / "build.sh", variant], check=True, stdout=subprocess.DEVNULL)
    return ROOT / "build" / "pam_module" / ("" if variant == "plain" else variant)


def runtime(name: str) -> Path:
    """Where the compiler keeps a sanitizer's library."""
    found = subprocess.run(["cc", f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


@dataclass(frozen=True, slots=True)
class Host:
    """A machine's PAM configuration with the module in it; the daemon's socket is at `socket`."""

    module: Module
    services: Path
    socket: Path

    async def login(
        self,
        *answers: str | bytes,
        options: str = "",
        user: str | bytes | None = "alice",
        stack: Sequence[str] | None = None,
        items: Mapping[str, str | bytes] | None = None,
        operations: Sequence[str] = ("authenticate",),
        flags: int = 0,
        rounds: int = 1,
        env: Mapping[str, str] | None = None,
        pam_env: Mapping[str, str | bytes] | None = None,
    ) -> PamResult:
        """Authenticate `user` in service nl-test; `stack` replaces the auth lines, {line} is the module's."""
        line = f"{self.module.path} socket={self.socket} {options}"
        lines = [text.replace("{line}", line) for text in stack or ["auth required {line}"]]
        write_service(self.services, "nl-test", *lines)
        return await asyncio.to_thread(
            authenticate,
            self.services,
            "nl-test",
            user,
            answers,
            items=items,
            operations=operations,
            flags=flags,
            rounds=rounds,
            env={**dict(self.module.env), **(env or {})},
            pam_env=pam_env,
            preload=self.module.preload,
        )


def host_with(module: Module, folder: Path) -> Host:
    """A host with a service folder and a place for the socket that only root may write to."""
    run = folder / "run"
    run.mkdir(mode=0o755)
    return Host(module, folder / "pam.d", run / "pam.sock")
