"""How long the shipped default study takes and what its front is worth.

    python benchmarks/default_study.py [--repeats N] [--study STUDY] [--set a.b=value ...]

Each repeat is the command as a user starts it, in a folder of its own that is deleted afterwards: seconds are wall
clock from start to exit, imports, Ray's start and MLflow included. Prints one line a repeat, as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EQUIPOISE = (sys.executable, "-m", "search")


def measure(study: str, overrides: list[str]) -> dict[str, float]:
    """Launches ``study`` once. Wall clock [s], candidates, candidates per second, hypervolume."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch, "study"))
        settings = [part for override in overrides for part in ("--set", override)]
        start = time.perf_counter()
        subprocess.run(
            [*EQUIPOISE, "launch", study, "--dir", folder, *settings],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
        status = json.loads(subprocess.check_output([*EQUIPOISE, "status", folder, "--json"]))
    return {
        "seconds": round(seconds, 2),
        "candidates": status["candidates"],
        "candidates_per_second": round(status["candidates"] / seconds, 2),
        "hypervolume": status["hypervolume"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--study", default="digits-frontier")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="a.b=value")
    options = parser.parse_args()
    for _ in range(options.repeats):
        print(json.dumps(measure(options.study, options.overrides)), flush=True)


if __name__ == "__main__":
    main()
