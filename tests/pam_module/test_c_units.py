"""The module's parts by themselves: unit tests in C, and damaged answers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pam_module.host import ROOT, build
from pam_module.raw_server import GRANT, HELLO, RIGHT

if TYPE_CHECKING:
    from pathlib import Path

SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
WHOLE = HELLO + b"".join(part for part in RIGHT if isinstance(part, bytes))


def compiled(name: str, variant: str, folder: Path) -> Path:
    """A test program in C, linked with the module's objects of that variant."""
    made = build(variant)
    objects = [path for path in sorted((made / "obj").glob("*.o")) if path.name != "module.o"]
    flags = ["-std=c11", "-O1", f"-I{ROOT / 'pam_module'}", f"-I{made / 'generated'}"]
    flags += SANITIZERS if variant == "asan" else []
    source = ROOT / "tests" / "pam_module" / f"{name}.c"
    program = folder / name
    libraries = ["-lnghttp2", "-lprotobuf-c", "-lpam"]
    subprocess.run(["cc", *flags, "-o", program, source, *objects, *libraries], check=True)
    return program


@pytest.mark.parametrize("variant", ["plain", "asan"])
def test_units(variant: str, tmp_path: Path) -> None:
    """PAM-12 and the numbered MUSTs of text, arena, codec and transport hold."""
    done = subprocess.run(
        [compiled("unit", variant, tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(("what", "seed"), [("stream", WHOLE), ("reply", GRANT[9:])])
def test_damaged_answers(what: str, seed: bytes, tmp_path: Path) -> None:
    """IPC-06: 20,000 damaged answers neither crash the module nor turn into a grant for somebody else."""
    program = compiled("fuzz", "asan", tmp_path)
    done = subprocess.run([program, "20000", what], input=seed, capture_output=True, check=False, timeout=110)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
