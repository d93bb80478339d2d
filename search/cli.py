"""The command line: ``equipoise``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.studyfile import StudyFile

# Commands import what they need when they run: `equipoise --help` should not wait for torch.
# They print: that is what a command line is for. `_studies` has no options to look at.
# ruff: noqa: PLC0415, T201, ARG001

USERS_MISTAKE = 2
INTERRUPTED = 130

EXAMPLES = """\
examples:
  equipoise studies                                   what is shipped
  equipoise check my-study.yaml                       every problem of a study file at once
  equipoise plan digits-frontier                      what it would train, before anything runs
  equipoise launch digits-frontier --dir runs/first   search, on a local Ray
  equipoise launch my-study.yaml --set budget.candidates=64 --set 'recipe.optimizer.lr=!log [0.01, 1]'
  equipoise resume runs/first                         after a crash or Ctrl-C: nothing is lost
  equipoise front runs/first                          the trade-offs it found
  equipoise export runs/first --pick knee --out best.yaml
  equipoise train best.yaml                           train that one, and test it
  equipoise ui runs/first                             MLflow on the study's results
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. 0, or 2 for what the user can mend, or 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except SpecError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return USERS_MISTAKE
    except BrokenPipeError:  # `equipoise front DIR | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


# --- commands ---------------------------------------------------------------------------------


def _studies(options: argparse.Namespace) -> int:
    from search import studyfile

    shipped = studyfile.shipped()
    width = max(map(len, shipped))
    for name, summary in shipped.items():
        print(f"{name:<{width}}  {summary}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from search import studyfile

    file = studyfile.read(options.study, options.set)
    print(f"{file.source}: fine: {len(file.space.knobs())} knobs, {_objectives(file)}")
    return 0


def _plan(options: argparse.Namespace) -> int:
    from search import studyfile
    from search.planning import plan

    print(plan(studyfile.read(options.study, options.set)))
    return 0


def _launch(options: argparse.Namespace) -> int:
    from search.launch import launch

    return _watched(
        lambda watch: launch(
            options.study,
            directory=options.dir,
            engine=options.engine,
            address=options.address,
            overrides=options.set,
            watch=watch,
        )
    )


def _resume(options: argparse.Namespace) -> int:
    from search.launch import resume

    def again(watch: Any) -> Path:
        resume(options.dir, engine=options.engine, address=options.address, watch=watch)
        return Path(options.dir)

    return _watched(again)


def _watched(run: Callable[[Any], Path]) -> int:
    """Runs a study with its progress shown, then says what it found and where everything is."""
    from rich.console import Console

    from search.progress import Progress

    console = Console()
    seen: list[Path] = []
    progress = Progress(console)

    def watch(study: Any) -> None:
        seen[:] = [study.directory]
        progress(study)

    try:
        with progress:
            directory = run(watch)
    except KeyboardInterrupt:
        again = f"; go on with: equipoise resume {seen[0]}" if seen else ""
        print(f"\nstopped, nothing is lost{again}", file=sys.stderr)
        return INTERRUPTED
    _closing(console, _short(directory))
    return 0


def _closing(console: Any, directory: Path) -> None:
    from reports import fronts, tracker
    from search.folders import load

    history, file = load(directory)
    fronts.render_table(fronts.of(history, file), console)
    best = directory / "reports" / "best" / "knee.yaml"
    places = {
        "ledger": directory / "ledger.jsonl",
        "pictures": directory / "reports" / "front.png",
        "page": directory / "reports" / "front.html",
        "mlflow": tracker.tracking_uri(file, directory.absolute()),
        "": f"see it with: equipoise ui {directory}",
        "best": f"{best}; train it with: equipoise train {best}",
    }
    for name, place in places.items():
        console.print(f"{name:<9}{place}", soft_wrap=True, highlight=False)


def _status(options: argparse.Namespace) -> int:
    from search.folders import load

    history, file = load(options.dir)
    status = {
        **history.counts(),
        "hypervolume": history.hypervolume(file.objectives),
        "budget": file.budget.candidates,
        "seconds": history.seconds,
        "finished": history.ended is not None,
    }
    if options.json:
        print(json.dumps(status))
        return 0
    for name, value in status.items():
        print(f"{name:<12}{value:.4f}" if isinstance(value, float) else f"{name:<12}{value}")
    return 0


def _front(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import fronts
    from search.folders import load

    history, file = load(options.dir)
    front = fronts.of(history, file)
    if options.json:
        print(json.dumps(front.to_json()))
    else:
        fronts.render_table(front, Console())
    return 0


def _export(options: argparse.Namespace) -> int:
    from reports import export, fronts
    from search.folders import load

    history, file = load(options.dir)
    candidate = fronts.pick(fronts.of(history, file), options.pick)
    text = export.export(
        history,
        file,
        candidate,
        options.dir,
        exported=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _write(options.out, text)
    print(f"candidate {candidate} -> {options.out}; train it with: equipoise train {options.out}")
    return 0


def _train(options: argparse.Namespace) -> int:
    from trainables import configurations

    configuration = configurations.read(options.configuration)
    out = options.out or options.configuration.with_suffix("")
    result = configurations.train(configuration, out)
    print(result.report())
    return 0


def _sync(options: argparse.Namespace) -> int:
    from reports import tracker

    print(tracker.sync(options.dir))
    return 0


def _ui(options: argparse.Namespace) -> int:
    from reports import tracker
    from search.folders import load

    _, file = load(options.dir)
    return tracker.serve(tracker.tracking_uri(file, options.dir.absolute()), port=options.port)


# --- helpers ----------------------------------------------------------------------------------


def _objectives(file: StudyFile) -> str:
    pairs = zip(file.objectives.names, file.objectives.directions, strict=True)
    return "objectives " + ", ".join(f"{n} ({d})" for n, d in pairs)


def _short(directory: Path) -> Path:
    """Relative to where the user stands, if it is below."""
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise SpecError([f"--out {path}: cannot write here: {error.strerror}"]) from None


# --- the parser -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="equipoise",
        description="Searches the trade-off between stability and plasticity in continual learning "
        "with averaged weights and EMA teachers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("studies", _studies, "List the shipped studies.")
    for name, run, text in (
        ("check", _check, "Read a study file and print every problem at once."),
        ("plan", _plan, "Print what a study would train and keep in memory, without running it."),
    ):
        _add_study(add(name, run, text))
    command = add("launch", _launch, "Run a study: search, record, print the front.")
    _add_study(command)
    command.add_argument(
        "--dir", type=Path, help="the study's folder, new (default: runs/NAME-TIMESTAMP)"
    )
    _add_engine(command)
    command = add("resume", _resume, "Go on with a study that was stopped or killed.")
    _add_dir(command)
    _add_engine(command)
    for name, run, text in (
        ("status", _status, "Count a study's candidates by state; works while it runs."),
        ("front", _front, "Print the candidates that no other beats on every objective."),
    ):
        command = add(name, run, text)
        _add_dir(command)
        command.add_argument("--json", action="store_true", help="print JSON")
    command = add(
        "export", _export, "Write one candidate as a file that `equipoise train` accepts."
    )
    _add_dir(command)
    command.add_argument(
        "--pick",
        required=True,
        help="knee (the best compromise), the name of an objective (the best on it), or a "
        "candidate's number",
    )
    command.add_argument("--out", type=Path, required=True, help="the file to write (YAML)")
    command = add("train", _train, "Train one configuration to a checkpoint, and test it.")
    command.add_argument("configuration", type=Path, help="a file written by `equipoise export`")
    command.add_argument("--out", type=Path, help="folder for the checkpoint (default: beside it)")
    _add_dir(add("sync", _sync, "Bring MLflow up to date with a study's ledger."))
    command = add("ui", _ui, "Open MLflow on a study's results, on 127.0.0.1.")
    _add_dir(command)
    command.add_argument("--port", type=int, default=5000, help="(default: 5000)")
    return parser


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "study", metavar="STUDY", help="a study file, or the name of a shipped one"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="A.B=VALUE",
        help="change one value of the study; VALUE is YAML, domains included; may be repeated",
    )


def _add_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument("dir", metavar="DIR", type=Path, help="a study's folder")


def _add_engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine",
        choices=("ray", "local"),
        default="ray",
        help="ray: Ray Tune, here or on a cluster (default); local: in this process",
    )
    command.add_argument(
        "--address", help="an existing Ray cluster, as HOST:PORT, ray://HOST:PORT or auto"
    )
