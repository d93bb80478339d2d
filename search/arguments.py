"""The command line's words: every command, its options, and help that teaches by example."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DESCRIPTION = """\
Searches the trade-off between stability and plasticity in continual learning
with averaged weights and EMA teachers. A study file says what may vary; a
launch ends with the candidates that no other beats on every objective.
"""

EXAMPLES = """\
examples:
  equipoise studies                      what is shipped
  equipoise kinds                        what a study file may ask for
  equipoise check my-study.yaml          every problem of a study file at once
  equipoise plan digits-frontier         what it would train, before it runs
  equipoise launch digits-frontier --dir runs/first
  equipoise front runs/first             the trade-offs it found
  equipoise export runs/first --pick knee --out best.yaml
  equipoise train best.yaml              train that one, and test it
  equipoise ui runs/first                MLflow on the study's results

`equipoise COMMAND --help` explains a command. A command ends with 0, with 1 if
nothing trained to the end, with 2 if it could not do what was asked, or with
130 after Ctrl-C.
"""

ABOUT = {
    "studies": (
        "List the shipped studies.",
        """\
A shipped study's name can be given wherever a STUDY is asked for. Copy its file
to begin one of your own; the default study explains every key:
  equipoise studies --show digits-frontier > my-study.yaml
""",
    ),
    "kinds": (
        "List what a study file may ask for; explain one kind.",
        """\
Every family (scenario, term, averager, schedule, metric, ...) with its kinds;
one family's; or a kind with its fields, bounds, defaults and an example:
  equipoise kinds
  equipoise kinds averager
  equipoise kinds averager ema
  equipoise kinds stability
""",
    ),
    "check": (
        "Read a study file and print every problem at once.",
        """\
Each problem is a line: file, line, path, what is wrong, what was perhaps meant.
  equipoise check my-study.yaml
  equipoise check digits-frontier --set budget.candidates=64
""",
    ),
    "plan": (
        "Print what a study would train and hold in memory, without running it.",
        """\
Candidates that differ only in their averages share a student, and students that
differ only in schedules share a job.
  equipoise plan my-study.yaml
  equipoise plan digits-frontier --set fold.averages=1
""",
    ),
    "launch": (
        "Run a study: search, record, print the front.",
        """\
Ctrl-C stops it; `equipoise resume DIR` goes on. Whatever a launch measures is
in DIR/ledger.jsonl at once; MLflow and the pictures follow.
  equipoise launch digits-frontier
  equipoise launch my-study.yaml --dir runs/first --set budget.candidates=64
  equipoise launch my-study.yaml --set 'recipe.optimizer.lr=!log [0.01, 1]'
  equipoise launch my-study.yaml --address 10.0.0.5:6379
""",
    ),
    "resume": (
        "Go on with a study that was stopped or killed: nothing is lost.",
        """\
Everything is read from the ledger, so the study file may have changed or gone.
  equipoise resume runs/first
""",
    ),
    "status": (
        "Count a study's candidates by state; works while it runs.",
        """\
  equipoise status runs/first
  equipoise status runs/first --json
""",
    ),
    "front": (
        "Print the candidates that no other beats on every objective.",
        """\
Only candidates that trained through the whole stream count. Works while the
study runs.
  equipoise front runs/first
  equipoise front runs/first --json
""",
    ),
    "export": (
        "Write one candidate as a file that `equipoise train` accepts.",
        """\
The file holds all that the candidate was, what it scored and where it is from.
  equipoise export runs/first --pick knee --out best.yaml
  equipoise export runs/first --pick stability --out stable.yaml
  equipoise export runs/first --pick 17 --out candidate-17.yaml
""",
    ),
    "tabulate": (
        "Write what a study measured as one small file, for simulated searches.",
        """\
A row for each candidate: its knobs, its accuracies after every task and what
they cost. Parquet; made of a dense design, it stands in for training
(`sampler: {kind: qmc}`, `rungs: null`). Works while the study runs.
  equipoise tabulate runs/first --out first.parquet
""",
    ),
    "simulate": (
        "Forecast a study on any number of workers, from a recorded table.",
        """\
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
    ),
    "posthoc": (
        "Search other averages of the students that a study trained, without training.",
        """\
For a study that kept snapshots (`snapshots: {}` in its file). Averages of its
students are drawn from its own averagers, made of the snapshots and measured.
How far off they are is told by those that were tracked. The ledger stays as it
is: the best are written as files, which `equipoise train` trains exactly.
  equipoise launch digits-frontier --set 'snapshots={}' --dir runs/first
  equipoise posthoc runs/first
  equipoise train runs/first/posthoc/best/knee.yaml
""",
    ),
    "train": (
        "Train one configuration to a checkpoint, and test it.",
        """\
Prints every metric on the validation and the test sets and says whether it is
what the study recorded. Writes weights.pt and metrics.json.
  equipoise train best.yaml
  equipoise train best.yaml --out models/best
""",
    ),
    "sync": (
        "Bring MLflow up to date with a study's ledger.",
        """\
Needed only if MLflow could not be reached while the study ran.
  equipoise sync runs/first
""",
    ),
    "ui": (
        "Open MLflow on a study's results, on 127.0.0.1.",
        """\
The study is one run; its candidates are the runs below it. Ctrl-C ends it.
  equipoise ui runs/first
  equipoise ui runs/first --port 5001
""",
    ),
}
"""By command: what it does, and more to know with examples."""


def parser(
    commands: Mapping[str, Callable[[argparse.Namespace], int]],
) -> argparse.ArgumentParser:
    """The parser whose results have the command's function as ``run``, or None without a command."""
    top = argparse.ArgumentParser(
        prog="equipoise",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"equipoise {version('equipoise')}")
    top.set_defaults(run=None)
    below = top.add_subparsers(title="commands", metavar="COMMAND")
    for name, run in commands.items():
        does, more = ABOUT[name]
        command = below.add_parser(
            name,
            help=does,
            description=does,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        for add in OPTIONS[name]:
            add(command)
    return top


def _study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "study", metavar="STUDY", help="a study file, or the name of a shipped one"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="A.B=VALUE",
        help="change one value of the study; VALUE is YAML, tags such as !log included; may be repeated",
    )


def _dir(command: argparse.ArgumentParser) -> None:
    command.add_argument("dir", metavar="DIR", type=Path, help="a study's folder")


def _new_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dir", type=Path, help="the study's folder, new (default: runs/NAME-TIMESTAMP)"
    )


def _engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine",
        choices=("ray", "local"),
        default="ray",
        help="ray: Ray Tune, here or on a cluster (default); local: one job after another, in "
        "this process",
    )
    command.add_argument(
        "--address",
        metavar="ADDR",
        help="an existing Ray cluster: HOST:PORT, ray://HOST:PORT or auto (default: a Ray of its "
        "own, on this machine)",
    )


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON (default: text)")


def _pick(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--pick",
        required=True,
        metavar="WHICH",
        help="knee (the best compromise), an objective such as plasticity or stability (the best "
        "on it), or a candidate's number",
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the file to write (YAML)"
    )


def _table(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the file to write (Parquet)"
    )


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
    command.add_argument(
        "--stragglers",
        type=_at_least(float, 0),
        default=0.0,
        metavar="SD",
        help="how uneven workers are: 0.5 slows a task by 40 %% on the mean (default: 0)",
    )
    command.add_argument(
        "--failures",
        type=_at_least(float, 0),
        default=0.0,
        metavar="RATE",
        help="deaths of a worker per hour of its work; another takes its place (default: 0)",
    )


def _at_least(kind: Callable[[str], float], least: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not least <= value < inf:
            raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
        return value

    read.__name__ = "number"  # what argparse calls it where it is none
    return read


def _averages(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--candidates",
        type=int,
        default=256,
        metavar="N",
        help="averages to make of each student (default: 256)",
    )
    command.add_argument(
        "--sampler",
        default="qmc",
        metavar="KIND",
        help="who proposes them: qmc (default), tpe, nsga2, nsga3, gp or random",
    )
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to write (default: DIR/posthoc)"
    )


def _configuration(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "configuration", metavar="FILE", type=Path, help="as `equipoise export` writes it"
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the checkpoint (default: FILE without its ending)",
    )


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument("--show", metavar="NAME", help="print that study's file instead")


def _port(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=int, default=5000, help="(default: 5000)")


def _kinds(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a family, a kind, or a family and one of its kinds (default: everything)",
    )


OPTIONS = {
    "studies": (_show,),
    "kinds": (_kinds,),
    "check": (_study,),
    "plan": (_study,),
    "launch": (_study, _new_dir, _engine),
    "resume": (_dir, _engine),
    "status": (_dir, _json),
    "front": (_dir, _json),
    "export": (_dir, _pick),
    "tabulate": (_dir, _table),
    "simulate": (_study, _fleet, _json),
    "posthoc": (_dir, _averages),
    "train": (_configuration,),
    "sync": (_dir,),
    "ui": (_dir, _port),
}
