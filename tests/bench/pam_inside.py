"""Run inside a private machine (see pam.py): many authentications through libpam in one process; JSON out."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from testbed.pam_child import transact


def cpu() -> float:
    """User and system time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def authenticate(service: str, attempts: list[list[str]]) -> dict[str, float]:
    """One authentication a person; the median wall time and the mean CPU time, in milliseconds."""
    times = []
    began = cpu()
    for user, answer in attempts:
        request = {
            "service": service,
            "service_dir": "/etc/pam.d",
            "user": user.encode().hex(),
            "answers": [answer.encode().hex()],
            "items": {},
            "operations": ["authenticate"],
            "rounds": 1,
            "flags": 0,
            "pam_env": [],
        }
        start = time.perf_counter()
        result = transact(request)
        times.append(time.perf_counter() - start)
        if result["rc"] != 0:
            raise SystemExit(f"{service}: {user} was refused: {result}")
    times.sort()
    return {"median_ms": times[len(times) // 2] * 1e3, "cpu_ms": (cpu() - began) / len(times) * 1e3}


if __name__ == "__main__":
    plan = json.loads(Path(sys.argv[1]).read_text())
    warm = {service: attempts[:10] for service, attempts in plan.items()}
    for service, attempts in warm.items():
        authenticate(service, attempts)
    json.dump(
        {service: authenticate(service, attempts[10:]) for service, attempts in plan.items()}, sys.stdout
    )
