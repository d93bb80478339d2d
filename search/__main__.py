"""The door: the command ``equipoise`` and ``python -m search``."""

from __future__ import annotations

import sys

from search.guards import ForeignName, check_names


def main() -> int:
    """Makes sure that what is about to be imported is ours, then hands over to the command line.

    Returns the exit code: 2 when a name is not ours.
    """
    try:
        check_names()
    except ForeignName as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Only now: the command line imports what has just been checked.
    from search.cli import main as command_line  # noqa: PLC0415

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
