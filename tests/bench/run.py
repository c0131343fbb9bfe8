"""The benchmarks: `scripts/bench [--quick] [--only PART]`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    applications,
    devices,
    directory,
    gateway,
    hanging,
    pam,
    peers,
    policy,
    recovery,
    report,
    verification,
)
from bench.figures import Figure
from bench.figures import report as print_report

if TYPE_CHECKING:
    from collections.abc import Callable

    Part = Callable[[Path, int], list[Figure]]

ROOT = Path(__file__).resolve().parents[2]


def parts() -> dict[str, Part]:
    """Each part by its name; the second value divides its numbers of calls."""
    return {
        "verification": lambda folder, share: verification.measure(folder, 8000 // share, 100_000 // share),
        "pam": lambda folder, share: pam.measure(folder, 300 // share + 20),
        "devices": lambda folder, share: devices.measure(folder, 500 // share),
        "recovery": lambda folder, share: recovery.measure(folder, max(3, 20 // share), 2000 // share),
        "directory": lambda folder, share: directory.measure(folder, 4000 // share),
        "hanging": lambda folder, share: hanging.measure(folder, 100, 600 // share),
        "policy": lambda folder, share: policy.measure(folder, 50_000 // share),
        "report": lambda folder, share: report.measure(folder, 10_000 // share, 250 // share),
        "applications": lambda folder, share: applications.measure(folder, 1200 // share),
        "gateway": lambda folder, share: gateway.measure(folder, 1000 // share, 500 // share),
    }


def main() -> None:
    """Measure, print, write build/bench.json."""
    every = parts()
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the calls: for a look, not for a record"
    )
    parser.add_argument("--only", choices=every, help="one of the parts")
    parser.add_argument(
        "--peers",
        nargs="?",
        const=Path(),
        type=Path,
        metavar="CACHE",
        help="only this: beside privacyIDEA, installed from PyPI below CACHE (left out: for this run)",
    )
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="nlb-") as top:
        Path(top).chmod(0o755)
        if arguments.peers is not None:
            cache = (arguments.peers if arguments.peers.name else Path(top)) / "privacyidea"
            figures += peers.measure(Path(top) / "peers", cache.absolute(), 1 if arguments.quick else 5)
            every = {}
        for name, measure in every.items():
            if arguments.only in {None, name}:
                figures += measure(Path(top) / name[:2], share)
    print_report(figures, ROOT / "build" / "bench.json")


if __name__ == "__main__":
    main()
