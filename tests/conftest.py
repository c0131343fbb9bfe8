"""Fixtures that all tests share; each stands in the test bed, beside what it starts."""

from __future__ import annotations

import os

# Tests start programs while gRPC works in their own process: its handlers around fork would get in the way.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

pytest_plugins = [
    "testbed.fixtures_active_directory",
    "testbed.fixtures_backups",
    "testbed.fixtures_directories",
    "testbed.fixtures_front_door",
    "testbed.fixtures_store",
    "testbed.fixtures_webhooks",
]
