"""What a person is asked before a device is trusted."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from nightlatch.plugins.facade import FactorFacade
from nightlatch_trusted_device import nightlatch_factors
from nightlatch_trusted_device.ssh_key import read_key
from plugins.trusted_device.test_contract import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.factor import FactorPlugin

ALICE = key_of("alice")


@pytest.fixture
def plugin() -> FactorPlugin:
    """The factor as it is declared."""
    return nightlatch_factors()[0]


def facade_of(plugin: FactorPlugin) -> FactorFacade:
    """The factor as the core sees it."""
    return FactorFacade(plugin, plugin.build(plugin.settings()), time.monotonic)


def test_a_key_is_named(plugin: FactorPlugin) -> None:
    """The person sees which key will be trusted, the one that enrolling takes."""
    key = read_key(ALICE[0].removeprefix("ssh:"))
    assert key is not None
    words = facade_of(plugin).offer(("token:x", "ssh:rubbish", *ALICE), 30)
    assert words == f"Trust this device (key {key.short_name}) for 30 days? [y/N] "


@pytest.mark.parametrize("evidence", [(), ("token:x",), ("ssh:rubbish",)])
def test_a_token_has_no_name(plugin: FactorPlugin, evidence: tuple[str, ...]) -> None:
    """Without a key that is known there is nothing to name."""
    assert facade_of(plugin).offer(evidence, 1) == "Trust this device for 1 day? [y/N] "


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "\x1b[2J", b"bytes", None, 1 / 3])
def test_a_bad_name_is_left_out(plugin: FactorPlugin, name: object) -> None:
    """What a plugin says of a device is bounded and printable, or not shown."""
    strange = replace(plugin, device=cast("Callable[[tuple[str, ...]], str]", lambda _evidence: name))
    assert facade_of(strange).offer(ALICE, 7) == "Trust this device for 7 days? [y/N] "


def test_a_name_that_can_not_be_found_is_left_out(plugin: FactorPlugin) -> None:
    """A plugin that raises does not end a login that was granted."""
    strange = replace(plugin, device=lambda evidence: evidence[99])
    assert facade_of(strange).offer(ALICE, 7) == "Trust this device for 7 days? [y/N] "


def test_it_is_declared_as_silent(plugin: FactorPlugin) -> None:
    """DEV-03: the person never chooses it as a way to confirm, and no notice reaches anyone by it."""
    assert (plugin.silent, plugin.confirmed, plugin.reach, plugin.medium) == (True, False, None, None)
    assert (plugin.title, plugin.last_resort, plugin.single) == ("Trusted device", False, False)
