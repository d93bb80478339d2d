"""Progress: a live table on a terminal, plain lines when piped."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from rich.console import Console, RenderableType

    from search.goals import Goals
    from search.history import History
    from search.study import Study

SECONDS_BETWEEN = 0.25
"""How often a terminal is shown what changed."""

SECONDS_BETWEEN_LINES = 2.0
LONG_ASKING = 5.0
MUCH_ASKING = 0.25
"""From so many seconds and this share of the time on it is said that asking takes them."""

SEARCHING = "searching"
LINES = 30
"""In a pipe: at first a line in so many seconds, later one in a thirtieth of the time gone by."""


class Progress:
    """Call it with the study as often as you like; it shows what changed now and then.

    ``starting`` is said until it is first called. A terminal always says what is being done, and
    that it is not stuck.
    """

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._live = Live(console=console, refresh_per_second=5)
        self._table: RenderableType = ""
        self._doing = ""
        self._shown = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        self._do(self._starting)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._live.transient = self._table == ""
        self._live.update(self._table)
        self._live.stop()

    def __call__(self, study: Study) -> None:
        doing, now = activity(study), time.monotonic()
        if doing == self._doing and now - self._shown < self._pause(study):
            return
        self._shown = now
        if self._console.is_terminal:
            self._table = table(study)
        elif _measured(study):
            self._console.print(line(study), soft_wrap=True, highlight=False)
        self._do(doing)

    def _pause(self, study: Study) -> float:
        if self._console.is_terminal:
            return SECONDS_BETWEEN
        return max(SECONDS_BETWEEN_LINES, study.history.seconds / LINES)

    def _do(self, doing: str) -> None:
        if self._console.is_terminal:
            parts = [self._table, Spinner("dots", f"{doing} ...")]
            self._live.update(Group(*(part for part in parts if part)), refresh=True)
        elif doing not in {self._doing, SEARCHING}:  # lines with numbers say so
            self._console.print(f"{doing} ...", soft_wrap=True, highlight=False)
        self._doing = doing


def activity(study: Study) -> str:
    """What is going on."""
    if study.history.ended is not None:
        return "writing MLflow and the pictures"
    if _measured(study):
        return SEARCHING
    return f"training the first students for {study.directory.name}"


def _measured(study: Study) -> bool:
    return any(study.history.records.values())


def line(study: Study) -> str:
    """One line for a log: seconds, counts and the front so far."""
    history, c = study.history, study.history.counts()
    return (
        f"{history.seconds:8.1f} s  {_of(_done(c), study.file.budget.candidates)} done: "
        f"{c['complete']} complete{_infeasible(study)}, {c['pruned']} pruned, {c['failed']} failed; "
        f"hypervolume {history.hypervolume(study.file.goals):.4f}{_beside(waiting(study))}"
    )


def waiting(study: Study) -> str:
    """That asking takes much of the time, if so: that is what workers wait for."""
    asking = study.asking
    if asking.seconds < LONG_ASKING or asking.share < MUCH_ASKING:
        return ""
    kind = study.file.sampler.kind  # type: ignore[attr-defined]  # all of a family have it
    other = "" if kind == "tpe" else ": it is for candidates that take longer, or ask tpe"
    return f"{asking.share:.0%} of the time went into asking {kind}{other}"


def _beside(told: str) -> str:
    return f"; {told}" if told else ""


def table(study: Study) -> Group:
    """How far the study is, and what it has found so far."""
    history, objectives = study.history, study.file.objectives
    counts, front = history.counts(), history.front(study.file.goals)
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    cells = {
        **{s: str(counts[s]) for s in ("complete", "pruned", "failed", "running")},
        **_feasible(study),
        "front": str(len(front)),
        "hypervolume": f"{history.hypervolume(study.file.goals):.4f}",
        **{f"best\n{name}": _best(study, front, k) for k, name in enumerate(objectives.names)},
    }
    for name in cells:
        found.add_column(name, justify="right", vertical="bottom")
    found.add_row(*cells.values())
    told = waiting(study)
    return Group(_bar(study), found, *([Text(told, style="yellow")] if told else []))


def _feasible(study: Study) -> dict[str, str]:
    if not study.file.constraints:
        return {}
    return {"feasible": str(len(study.history.feasible(study.file.goals)))}


def _done(counts: Mapping[str, int]) -> int:
    """Of the candidates that were drawn, how many have ended."""
    return counts["candidates"] - counts["running"]


def _bar(study: Study) -> Table:
    budget, done, seconds = study.file.budget, _done(study.history.counts()), study.history.seconds
    spent = [
        (done, budget.candidates),
        (seconds, budget.wall_seconds),
        (study.spending.device_seconds, budget.device_seconds),
    ]
    shares = [part / whole for part, whole in spent if whole]
    bar = Table.grid(padding=(0, 2, 0, 0))
    bar.add_row(
        Text(study.file.name, style="bold"),
        ProgressBar(total=1 if shares else None, completed=max(shares, default=0), width=24),
        f"{_of(done, budget.candidates)} candidates",
        f"{_of(round(seconds), budget.wall_seconds)} s",
        *_device(study),
    )
    return bar


def _device(study: Study) -> list[str]:
    """What the workers were at work, if that is what a study may spend."""
    most = study.file.budget.device_seconds
    return [f"{_of(round(study.spending.device_seconds), most)} device-seconds"] if most else []


def _of(done: int, whole: float | None) -> str:
    return str(done) if whole is None else f"{done}/{whole:g}"


def _infeasible(study: Study) -> str:
    """How many of the complete are infeasible, if any could be."""
    if not study.file.constraints:
        return ""
    kept = len(study.history.feasible(study.file.goals))
    return f" ({len(study.history.finals()) - kept} infeasible)"


def _best(study: Study, front: list[int], column: int) -> str:
    if not front:
        return "-"
    values = study.history.values(front, study.file.objectives.names)
    costs = study.file.objectives.costs(values)
    return f"{values[costs[:, column].argmin(), column]:.3f}"


def stopped(study: Study | None) -> str:
    """What to say when Ctrl-C stopped ``study``, or whatever came before it."""
    if study is None:
        return "stopped before the study began"
    directory = short(study.directory)
    if study.history.ended is not None:
        return f"the study is finished; MLflow catches up with: equipoise sync {directory}"
    return f"stopped, nothing is lost; go on with: equipoise resume {directory}"


def fruitless(history: History, goals: Goals) -> str:
    """Why there is nothing to pick: of failures, the three commonest reasons first."""
    if unmet := goals.unmet(history.finals()):
        return f"{unmet}; loosen the bound, widen the ranges or give it more candidates"
    reasons = Counter(o.reason for o in history.outcomes.values() if o.state == "failed")
    why = "".join(f"\n{n:>6} x {reason}" for reason, n in reasons.most_common(3))
    if history.ended is not None and history.ended.reason == "refused":
        told = f"the first {reasons.total()} candidates drawn are refused, so no more are drawn"
        return f"{told}: what the knobs may be goes alone, but not together{why}"
    late = next(
        (o.reason for o in history.outcomes.values() if o.state == "pruned" and o.reason), ""
    )
    told = f"{reasons.total()} failed" + (f"; {late}" if late else "")
    return f"no candidate trained to the end of the stream: {told}{why}"


def short(directory: Path) -> Path:
    """Relative to where the user stands, if it is below."""
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory
