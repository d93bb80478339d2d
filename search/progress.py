"""Progress: a live table on a terminal, plain lines when piped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console

    from search.study import Study

SECONDS_BETWEEN = {True: 0.25, False: 2.0}
"""How often something is shown: on a terminal, and in a pipe."""


class Progress:
    """Call it with the study as often as you like; it shows what changed now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._shown = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, study: Study) -> None:
        now = time.monotonic()
        if (
            study.history.ended is None
            and now - self._shown < SECONDS_BETWEEN[self._console.is_terminal]
        ):
            return
        self._shown = now
        if self._console.is_terminal:
            self._live.update(_table(study), refresh=True)
        else:
            self._console.print(line(study), soft_wrap=True, highlight=False)


def line(study: Study) -> str:
    """One line for a log: seconds, counts and the front so far."""
    c, history = study.history.counts(), study.history
    return (
        f"{history.seconds:7.1f} s  {c['candidates']}/{study.file.budget.candidates} candidates  "
        f"{c['complete']} complete  {c['pruned']} pruned  {c['failed']} failed  "
        f"{c['running']} running  front {len(history.front(study.file.objectives))}  "
        f"hypervolume {history.hypervolume(study.file.objectives):.4f}"
    )


def _table(study: Study) -> Table:
    history, objectives = study.history, study.file.objectives
    counts = history.counts()
    table = Table(title=f"{study.file.name}  {history.seconds:.0f} s", title_justify="left")
    cells = {
        "candidates": f"{counts['candidates']}/{study.file.budget.candidates}",
        **{s: str(counts[s]) for s in ("complete", "pruned", "failed", "running")},
        "front": str(len(history.front(objectives))),
        "hypervolume": f"{history.hypervolume(objectives):.4f}",
        **{f"best {n}": _best(study, k) for k, n in enumerate(objectives.names)},
    }
    for name in cells:
        table.add_column(name, justify="right")
    table.add_row(*cells.values())
    return table


def _best(study: Study, column: int) -> str:
    front, objectives = study.history.front(study.file.objectives), study.file.objectives
    if not front:
        return "-"
    values = study.history.values(front, objectives.names)
    return f"{values[objectives.costs(values)[:, column].argmin(), column]:.3f}"
