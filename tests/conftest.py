"""Fixtures that all tests share; each stands in the test bed, beside what it starts."""

from __future__ import annotations

pytest_plugins = ["testbed.fixtures_directories", "testbed.fixtures_front_door", "testbed.fixtures_store"]
