"""``python -m reports.tracker DIR [--follow [--parent PID]]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reports.tracker.follow import follow
from reports.tracker.sync import sync
from spaces.problems import SpecError


def main() -> int:
    """The exit code: 1 if the store did not take everything, 2 if the folder is not a study's."""
    parser = argparse.ArgumentParser(prog="python -m reports.tracker", description=__doc__)
    parser.add_argument("dir", type=Path, help="a study's folder")
    parser.add_argument("--uri", help="the MLflow store (default: the study's)")
    parser.add_argument("--follow", action="store_true", help="until the study has ended")
    parser.add_argument("--parent", type=int, help="with --follow: or until this process is gone")
    options = parser.parse_args()
    try:
        if options.follow:
            return follow(options.dir, uri=options.uri, parent=options.parent)
        sys.stdout.write(f"{sync(options.dir, options.uri)}\n")
    except SpecError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
