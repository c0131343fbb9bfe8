"""Generates the Python side of proto/ at build time, so that no generated file is committed.

Run through the wheel build, and by hand as ``python hatch_build.py`` (what scripts/setup does for
an editable install).
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
GENERATED = "daemon/nightlatch/v1"


def generate() -> None:
    """Write daemon/nightlatch/v1/*_pb2*.py from proto/; raises RuntimeError when protoc refuses."""
    protos = sorted(str(path) for path in (ROOT / "proto").rglob("*.proto"))
    # Beside the interpreter, whatever PATH says; in pip's own build environment they are on PATH alone.
    scripts = Path(sys.executable).parent
    plugins = [f"protoc-gen-{name}" for name in ("mypy", "mypy_grpc")]
    arguments = [
        "protoc",
        f"--proto_path={ROOT / 'proto'}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        *(f"--plugin={name}={scripts / name}" for name in plugins if (scripts / name).exists()),
        f"--python_out={ROOT / 'daemon'}",
        f"--grpc_python_out={ROOT / 'daemon'}",
        f"--mypy_out=quiet:{ROOT / 'daemon'}",
        f"--mypy_grpc_out=quiet:{ROOT / 'daemon'}",
        *protos,
    ]
    if protoc.main(arguments) != 0:
        message = "protoc could not generate code from proto/: see its message above"
        raise RuntimeError(message)
    (ROOT / GENERATED / "__init__.py").write_text('"""Generated from proto/nightlatch/v1."""\n')


class GenerateProtos(BuildHookInterface[Any]):
    """Hatchling's hook: generate, then ship what git ignores."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002, the hook's signature
        """Generate before the wheel's files are collected."""
        generate()
        build_data["artifacts"].append(f"/{GENERATED}/")


if __name__ == "__main__":
    generate()
