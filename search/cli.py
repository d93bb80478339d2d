"""The command line: ``equipoise``."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search import arguments
from spaces.problems import SpecError, hint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from search.history import History
    from search.studyfile import StudyFile

# Commands import what they need when they run: `equipoise --help` should not wait for torch.
# They print: that is what a command line is for.
# ruff: noqa: PLC0415, T201

NOTHING_TRAINED = 1
USERS_MISTAKE = 2
INTERRUPTED = 130


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command. 0, 1 if nothing trained to its end, 2 for what the user can mend, or 130."""
    parser = arguments.parser(COMMANDS)
    options = parser.parse_args(words)
    if options.run is None:
        parser.print_help(sys.stderr)
        return USERS_MISTAKE
    try:
        result: int = options.run(options)
    except SpecError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `equipoise front DIR | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


# --- commands ---------------------------------------------------------------------------------


def _studies(options: argparse.Namespace) -> int:
    from search import studyfile
    from spaces.files import text_of

    shipped = studyfile.shipped()
    if options.show is not None:
        if options.show not in shipped:
            raise SpecError(
                [f"{options.show}: no shipped study has this name{hint(options.show, shipped)}"]
            )
        print(text_of(studyfile.STUDIES / f"{options.show}.yaml"), end="")
        return 0
    width = max(map(len, shipped))
    for name, summary in shipped.items():
        print(f"{name:<{width}}  {summary}")
    return 0


def _kinds(options: argparse.Namespace) -> int:
    from search import kinds

    print(kinds.text(options.names))
    return 0


def _check(options: argparse.Namespace) -> int:
    from search import studyfile
    from search.anchors import anchors_of
    from search.room import check_room, room

    file = studyfile.read(options.study, options.set)
    check_room(file, room(file))
    print(f"{file.source}: fine: {len(file.space.knobs())} knobs, {_objectives(file)}")
    if file.anchors:
        print(f"anchors: {anchors_of(file)}")
    return 0


def _plan(options: argparse.Namespace) -> int:
    from reports import tracker
    from search import studyfile
    from search.planning import plan
    from search.warm_starts import warmth_of

    file = studyfile.read(options.study, options.set)
    print(plan(file, warmth_of(file, tracker.recall)))
    return 0


def _launch(options: argparse.Namespace) -> int:
    def run(watch: Any) -> Path:
        from search.launch import launch

        return launch(
            options.study,
            directory=options.dir,
            engine=options.engine,
            address=options.address,
            overrides=options.set,
            watch=watch,
        )

    return _watched(options, run)


def _resume(options: argparse.Namespace) -> int:
    def run(watch: Any) -> Path:
        from search.launch import resume

        resume(options.dir, engine=options.engine, address=options.address, watch=watch)
        directory: Path = options.dir
        return directory

    return _watched(options, run)


def _watched(options: argparse.Namespace, run: Callable[[Any], Path]) -> int:
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
    from reports import fronts, tracker, verdicts
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
    fronts.render_table(front, console)
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


def _status(options: argparse.Namespace) -> int:
    from search.folders import load

    history, file = load(options.dir)
    status = {
        **history.counts(),
        **_infeasible(history, file),
        "hypervolume": history.hypervolume(file.goals),
        "budget": file.budget.said(),
        "seconds": history.seconds,
        "device_seconds": history.device_seconds(),
        "finished": history.ended is not None,
    }
    if history.ended is not None:
        status["why"] = file.budget.told(history.ended.reason)
    if options.json:
        print(json.dumps(status))
        return 0
    for name, value in status.items():
        print(f"{name:<16}{_plain(value)}")
    return 0


def _front(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import fronts, verdicts
    from search.folders import load
    from search.verdicts import findings

    history, file = load(options.dir)
    front, found = fronts.of(history, file), findings(history, file)
    if options.json:
        print(json.dumps(front.to_json() | {"claims": verdicts.to_json(found)}))
    else:
        console = Console()
        fronts.render_table(front, console)
        verdicts.render(found, console)
    return 0


def _export(options: argparse.Namespace) -> int:
    from reports import export, fronts
    from search.folders import load
    from search.preflight import check_folder

    check_folder("--out", options.out.parent)
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


def _tabulate(options: argparse.Namespace) -> int:
    from search import tables
    from search.folders import load
    from search.preflight import check_folder

    check_folder("--out", options.out.parent)
    table = tables.tabulate(*load(options.dir))
    table.write(options.out)
    size = options.out.stat().st_size
    print(f"{len(table)} candidates -> {options.out} ({size / len(table):.0f} bytes each)")
    return 0


def _simulate(options: argparse.Namespace) -> int:
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


def _posthoc(options: argparse.Namespace) -> int:
    from rich.console import Console

    from reports import posthoc as reports
    from search import posthoc
    from search.preflight import check_folder

    out = options.out or options.dir / "posthoc"
    check_folder("--out", out)
    findings = posthoc.posthoc(
        options.dir, candidates=options.candidates, sampler=posthoc.sampler_called(options.sampler)
    )
    reports.render(findings, Console())
    for name, text in reports.files(findings, options.dir).items():
        _write(out / name, text)
    knee, best = out / "best" / "knee.yaml", ""
    if reports.front(findings).rows:
        best = f"; train the best: equipoise train {knee}"
    print(f"all of them: {out / 'candidates.csv'}{best}")
    return 0


def _train(options: argparse.Namespace) -> int:
    from search.preflight import check_folder
    from trainables import configurations

    configuration = configurations.read(options.configuration)
    out = options.out or options.configuration.with_suffix("")
    check_folder("--out", out)
    try:
        result = configurations.train(configuration, out)
    except ValueError as error:
        raise SpecError([f"{options.configuration}: {error}"]) from None
    print(result.report())
    return NOTHING_TRAINED if result.failed else 0


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


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _infeasible(history: History, file: StudyFile) -> dict[str, int]:
    """How many complete candidates break a constraint, if the study has any."""
    if not file.constraints:
        return {}
    return {"infeasible": len(history.finals()) - len(history.feasible(file.goals))}


def _objectives(file: StudyFile) -> str:
    pairs = zip(file.objectives.names, file.objectives.directions, strict=True)
    return "objectives " + ", ".join(f"{n} ({d})" for n, d in pairs)


def _write(path: Path, text: str) -> None:
    """The whole of ``text``, or nothing."""
    if path.is_dir():
        raise SpecError([f"--out {path}: is a folder; a file is due"])
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise SpecError([f"--out {path}: cannot write here: {error.strerror}"]) from None


COMMANDS = {
    "studies": _studies,
    "kinds": _kinds,
    "check": _check,
    "plan": _plan,
    "launch": _launch,
    "resume": _resume,
    "status": _status,
    "front": _front,
    "export": _export,
    "tabulate": _tabulate,
    "simulate": _simulate,
    "posthoc": _posthoc,
    "train": _train,
    "sync": _sync,
    "ui": _ui,
}
