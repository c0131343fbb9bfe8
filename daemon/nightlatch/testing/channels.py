"""Channels that exist in the configuration of a test, so that the loader takes a factor that sends.

Nothing leaves through them: the kit's context records what a factor sends. They are installed for as long as
a factor is loaded, and are no plugin of the daemon otherwise.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nightlatch.channel import Channel, ChannelPlugin, Medium, Message, NotSent, Receipt, Settings, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLUGIN = "nightlatch_kit_channels"
"""The name of the entry point, and of the module that it names."""
_ENTRY_POINTS = f"[nightlatch.plugins]\n{PLUGIN} = {PLUGIN}\n"
_MODULE = "from nightlatch.testing.channels import nightlatch_channels\n"


class _Nowhere:
    """A channel that carries nothing."""

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:  # noqa: ARG002, the contract's signature
        raise NotSent("a channel of the contract suite carries nothing")

    async def close(self) -> None:
        """Nothing is open."""


@hookimpl
def nightlatch_channels() -> list[ChannelPlugin]:
    """One kind for each medium, by the medium's name with "kit_" in front."""
    return [ChannelPlugin(f"kit_{medium.name.lower()}", medium, Settings, _nowhere) for medium in Medium]


def tables(channels: Mapping[str, Medium]) -> dict[str, dict[str, object]]:
    """The tables ``[channels.NAME]`` for channels by name."""
    return {name: {"kind": f"kit_{medium.name.lower()}"} for name, medium in channels.items()}


@contextmanager
def installed() -> Iterator[None]:
    """The plugin is installed, as a distribution of its own in a private folder."""
    with TemporaryDirectory(prefix="nightlatch-kit-") as folder:
        (Path(folder) / f"{PLUGIN}.py").write_text(_MODULE)
        (Path(folder) / f"{PLUGIN}.py").chmod(0o600)
        info = Path(folder) / f"{PLUGIN}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(_ENTRY_POINTS)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            sys.modules.pop(PLUGIN, None)
            importlib.invalidate_caches()


def _nowhere(settings: Settings) -> Channel:  # noqa: ARG001, a channel's build takes its settings
    return _Nowhere()
