"""The module as built, plain and under sanitizers, and a host with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pam_module.host import Host, Module, build, host_with, runtime

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def plain_module() -> Module:
    """The module as it is installed."""
    return Module(build("plain") / "pam_nightlatch.so")


@pytest.fixture(scope="session")
def sanitized_module() -> Module:
    """The module under ASan and UBSan; a finding aborts the process, and so fails the test."""
    return Module(
        build("asan") / "pam_nightlatch.so",
        preload=(runtime("libasan.so"), runtime("libubsan.so")),
        env=(("ASAN_OPTIONS", "detect_leaks=0"), ("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")),
    )


@pytest.fixture(params=["plain", "sanitized"])
def module(request: pytest.FixtureRequest) -> Module:
    """Each of the two builds in turn."""
    built = request.getfixturevalue(f"{request.param}_module")
    assert isinstance(built, Module)
    return built


@pytest.fixture
def host(module: Module, tmp_path: Path) -> Host:
    """A host with each build of the module."""
    return host_with(module, tmp_path)
