"""The benchmarks: `scripts/bench [--quick] [--only verification|pam]`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench import pam, verification
from bench.figures import Figure, report

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Measure, print, write build/bench.json."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the calls: for a look, not for a record"
    )
    parser.add_argument("--only", choices=("verification", "pam"), help="one of the two parts")
    arguments = parser.parse_args()
    share = 10 if arguments.quick else 1
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="nlb-") as top:
        Path(top).chmod(0o755)
        if arguments.only != "pam":
            figures += verification.measure(Path(top) / "v", 8000 // share, 100_000 // share)
        if arguments.only != "verification":
            figures += pam.measure(Path(top) / "p", 300 // share + 20)
    report(figures, ROOT / "build" / "bench.json")


if __name__ == "__main__":
    main()
