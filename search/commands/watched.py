"""A study that runs before its user's eyes, and what is said of it in the end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from search.commands.base import INTERRUPTED, NOTHING_TRAINED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path


def watched(options: argparse.Namespace, run: Callable[[Any], Path]) -> int:
    """Runs a study with its progress shown, then says what it found and where everything is."""
    from rich.console import Console

    from search.progress import Progress, short, stopped

    console = Console()
    seen: list[Any] = []

    def watch(study: Any) -> None:
        seen[:] = [study]
        progress(study)

    try:
        with Progress(console, _starting(options)) as progress:
            directory = run(watch)
    except KeyboardInterrupt:
        print(f"\n{stopped(seen[0] if seen else None)}", file=sys.stderr)
        return INTERRUPTED
    return _closing(console, short(directory))


def _starting(options: argparse.Namespace) -> str:
    """What is being done before there is anything to count."""
    if options.engine == "local":
        return "reading the study"
    where = f"connecting to Ray at {options.address}" if options.address else "starting Ray"
    return f"reading the study, {where}"


def _closing(console: Any, directory: Path) -> int:
    from reports import fronts, listing, tracker, verdicts
    from search.folders import load
    from search.progress import fruitless
    from search.verdicts import findings
    from search.warm_starts import Warmth

    history, file = load(directory)
    front = fronts.of(history, file)
    if file.warm_start is not None:
        begun = Warmth(known=history.opened.known, left_out=history.opened.left_out)
        console.print(f"warm start: {begun}", soft_wrap=True, highlight=False)
    if history.ended is not None:
        told = file.budget.told(history.ended.reason)
        console.print(f"ended: {told}", soft_wrap=True, highlight=False)
    listing.render(front, console)
    verdicts.render(findings(history, file), console)
    best = directory / "reports" / "best" / "knee.yaml"
    places = {
        "ledger": directory / "ledger.jsonl",
        "pictures": directory / "reports" / "front.png",
        "page": directory / "reports" / "front.html",
        "mlflow": tracker.without_password(tracker.tracking_uri(file, directory.absolute())),
        "": f"see it with: equipoise ui {directory}",
    }
    if front.rows:
        places |= {"best": best, " ": f"train it with: equipoise train {best}"}
    for name, place in places.items():
        console.print(f"{name:<9}{place}", soft_wrap=True, highlight=False)
    if front.rows:
        return 0
    print(fruitless(history, file.goals), file=sys.stderr)
    return NOTHING_TRAINED
