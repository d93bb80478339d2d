from __future__ import annotations

import argparse
import json
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.base import Command, as_json, study

if TYPE_CHECKING:
    from collections.abc import Callable


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import forecasts as reports
    from search import studyfile
    from search.engines.virtual import Fleet
    from search.forecasts import forecast
    from search.simulation import world_of

    file = studyfile.read(options.study, options.set)
    odds = {"stragglers": options.stragglers, "failures": options.failures}
    fleets = [Fleet(workers=workers, **odds) for workers in options.workers]
    found = list(forecast(file, world_of(options.world, file), fleets, options.seeds))
    if options.json:
        print(json.dumps(reports.to_json(found)))
    else:
        reports.render(found, Console())
    return 0


def _fleet(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--world",
        type=Path,
        required=True,
        metavar="TABLE",
        help="as `equipoise tabulate` writes it",
    )
    command.add_argument(
        "--workers",
        type=_at_least(int, 1),
        nargs="+",
        default=[1],
        metavar="N",
        help="how many there are, each doing a job at a time; several numbers: a row for each (default: 1)",
    )
    command.add_argument(
        "--seeds",
        type=_at_least(int, 1),
        default=10,
        metavar="N",
        help="searches of each, with the study's seed and those after it (default: 10)",
    )
    _rate(
        command,
        "--stragglers",
        "SD",
        "how uneven workers are: 0.5 slows a task by 40 %% on the mean (default: 0)",
    )
    _rate(
        command,
        "--failures",
        "RATE",
        "deaths of a worker per hour of its work; another takes its place (default: 0)",
    )


def _rate(command: argparse.ArgumentParser, flag: str, unit: str, told: str) -> None:
    command.add_argument(flag, type=_at_least(float, 0), default=0.0, metavar=unit, help=told)


def _at_least(kind: Callable[[str], float], least: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not least <= value < inf:
            raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
        return value

    read.__name__ = "number"  # what argparse calls it where it is none
    return read


SIMULATE = Command(
    name="simulate",
    does="Forecast a study on any number of workers, from a recorded table.",
    more="""\
Nothing is trained. The study itself runs, sampler, rungs and folds, on a
virtual clock: what a candidate scores and how long a task takes comes from a
table of the same scenario and space (`equipoise tabulate`), by a model fitted
to it. Sampler, rungs, fold, budget and objectives are free: which of them, and
how many workers are worth paying for? Workers may be slow (a task takes 1 + |z|
times as long, z normal with the deviation --stragglers) and die (--failures per
hour of work).
  equipoise simulate digits-frontier --world digits.parquet
  equipoise simulate digits-frontier --world digits.parquet --workers 1 10 100
  equipoise simulate my-study.yaml --world my.parquet --set sampler.kind=nsga2
  equipoise simulate my-study.yaml --world my.parquet --failures 2 --json
Wall and device-seconds are of training and evaluation, as the table's machine
had them: what starts processes is not in them.
""",
    options=(study, _fleet, as_json),
    run=_run,
)
