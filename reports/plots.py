"""Pictures of a study, 1200 pixels wide, legible at 700."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter

from reports import fronts, remarks
from reports.averages import half_lives
from reports.canvas import dressed, legend, titled
from reports.palette import BLUE, INK, MUTED, ORANGE, VERMILLION
from reports.panels import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reports.fronts import Front
    from search.history import History
    from search.studyfile import StudyFile

MOST_OBJECTIVES = 4  # six panels of pairs; more would not be legible


def front(history: History, study: StudyFile) -> Figure:
    """Every complete candidate, the front and its knee and ends; one panel for each pair.

    The infeasible are crosses; what is preferred is shaded. Pruned and failed candidates are only counted: what they scored is of fewer tasks.
    """
    found = fronts.of(history, study)
    pairs = list(combinations(study.objectives.names[:MOST_OBJECTIVES], 2))
    rows = -(-len(pairs) // 2)
    height = 5.2 if rows == 1 else 0.9 + 3.4 * rows
    figure = titled(history.opened.name, _summary(history, found), height)
    grid = figure.subplots(rows, min(2, len(pairs)), squeeze=False)
    for axes, pair in zip(grid.flat, pairs, strict=False):
        draw(axes, history, found, pair)
    if found.rows:
        legend(figure, grid[0, 0])
    for axes in grid.flat[len(pairs) :]:
        axes.set_axis_off()
    return figure


def hypervolume(history: History, study: StudyFile) -> Figure:
    """The hypervolume of the front as the study went on, in seconds since it was launched."""
    steps = fronts.progress(history, study.goals)
    counts = f"{len(steps)} complete candidates in {history.seconds:.1f} s"
    last = steps[-1][2] if steps else 0.0
    figure = titled(history.opened.name, f"hypervolume {last:.4f}  ·  {counts}", 4.0)
    axes = dressed(figure.subplots())
    seconds = np.array([*(at for _, at, _ in steps), history.seconds])
    volumes = np.array([*(volume for *_, volume in steps), last])
    axes.plot(seconds, volumes, color=BLUE, lw=2, drawstyle="steps-post", solid_joinstyle="round")
    # Candidates of one cohort end together: a dot for each such moment.
    last_of_moment = np.diff(seconds[:-1], append=np.inf) > 0 if steps else slice(0, 0)
    axes.plot(
        seconds[:-1][last_of_moment],
        volumes[:-1][last_of_moment],
        "o",
        color=BLUE,
        ms=4.5,
        mec="white",
        mew=0.5,
    )
    axes.set_xlabel("seconds since the launch")
    axes.set_ylabel("hypervolume of the front")
    axes.set_xlim(0, max(history.seconds, 1e-9) * 1.02)
    # The first few candidates always gain most: the axis begins where a twentieth are complete.
    early = volumes[len(steps) // 20]
    axes.set_ylim(
        max(0, last - 1.3 * max(last - early, 0.05)), last + 0.2 * max(last - early, 0.05)
    )
    return figure


def averages(history: History, study: StudyFile) -> Figure:
    """How far back the deployed average remembers, against each objective."""
    found = fronts.of(history, study)
    lives = half_lives(history, study)
    said = "Half-life: the latest steps that hold half of an average's weight. Full colour: front."
    if len(lives) < len(history.in_state("complete")):
        said += " Merges have none."
    figure = titled(history.opened.name, said, 4.6)
    axes = dressed(figure.subplots())
    on = [row.candidate for row in found.rows if row.candidate in lives]
    off = sorted(set(lives) - set(on))
    for (name, direction), colour, marker in zip(
        found.objectives.items(), (BLUE, ORANGE, VERMILLION, INK), "os^D", strict=False
    ):
        for chosen, size, alpha in ((off, 22, 0.28), (on, 40, 1.0)):
            x, y = [lives[c] for c in chosen], history.values(chosen, [name])[:, 0]
            axes.scatter(
                x,
                y,
                s=size,
                alpha=alpha,
                zorder=2 + alpha,
                color=colour,
                marker=marker,
                edgecolor="white",
                lw=0.6,
                label=f"{name} {remarks.arrow(direction)}" if chosen is on else None,
            )
    _mark_task(axes, study.scenario.clock().task_ends[0])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel("half-life of the deployed average (steps)")
    axes.set_ylabel("value of the objective")
    legend(figure, axes)
    return figure


def _mark_task(axes: Axes, steps: int) -> None:
    axes.axvline(steps, color=MUTED, lw=0.8, dashes=(4, 3), zorder=1)
    top = ("data", "axes fraction")
    axes.annotate(" one task", (steps, 1), xycoords=top, color=MUTED, va="top", size=9)


def _summary(history: History, found: Front) -> str:
    counts = history.counts()
    infeasible = f"complete, {len(found.infeasible)} of them infeasible"
    crowded = found.constraints or len(found.objectives) > 2
    named = {
        "complete": infeasible if found.constraints else "complete",
        "pruned": "pruned" if crowded else "pruned (not drawn)",
        "failed": "failed",
    }
    states = [f"{counts[s]} {name}" for s, name in named.items() if counts[s]]
    reference = ", ".join(f"{v:g}" for v in found.reference.values())
    return "  ·  ".join(
        [
            f"{counts['candidates']} candidates",
            *states,
            f"hypervolume {found.hypervolume:.4f} (reference {reference})",
        ]
    )
