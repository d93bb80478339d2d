"""Pictures of a study, 1200 pixels wide, legible at 700."""

from __future__ import annotations

from itertools import combinations
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter

from reports import fronts, remarks
from reports.averages import half_lives
from reports.canvas import dressed, legend, ring, titled
from reports.palette import BLUE, CLOUD, INK, MUTED, ORANGE, VERMILLION
from reports.picks import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reports.fronts import Front
    from search.history import History
    from search.studyfile import StudyFile

MOST_OBJECTIVES = 4  # six panels of pairs; more would not be legible
LABEL_SPACE = (0.27, 0.15)  # of the points' range, kept free beyond them for labels
CLOSE = (0.18, 0.14)  # of the axes' range: nearer than this, two labels would touch


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
        _panel(axes, history, found, pair)
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


def _panel(axes: Axes, history: History, found: Front, pair: tuple[str, str]) -> None:
    dressed(axes)
    x, y = pair
    axes.set_xlabel(f"{x}   {_better(found.objectives[x])}")
    axes.set_ylabel(f"{y}   {_better(found.objectives[y])}")
    if not found.rows:
        axes.set(xticks=[], yticks=[])
        axes.annotate(
            fill(found.lacking, 60),
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            color=MUTED,
        )
        return
    beaten = set(history.in_state("complete")) - {r.candidate for r in found.rows}
    cloud = history.values(sorted(beaten - found.infeasible.keys()), pair)
    broken, points = history.values(sorted(found.infeasible), pair), _points(found, pair)
    axes.scatter(
        cloud[:, 0],
        cloud[:, 1],
        s=20,
        color=CLOUD,
        alpha=0.6,
        lw=0,
        zorder=2,
        label="complete, beaten",
    )
    if len(broken):
        across, up = broken.T
        axes.scatter(
            across, up, s=18, marker="x", color=CLOUD, lw=0.9, zorder=1, label="infeasible"
        )
    _limits(axes, np.concatenate([cloud, broken, points]), [found.objectives[n] for n in pair])
    _shade(axes, found, pair)
    if len(found.objectives) == 2:
        _boundary(axes, found, points)
    label = f"front of {len(points)}"
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=42,
        color=BLUE,
        edgecolor="white",
        lw=0.9,
        zorder=4,
        label=label,
    )
    _name_picks(axes, found, pair)


def _shade(axes: Axes, found: Front, pair: tuple[str, str]) -> None:
    """The range that is preferred of either."""
    across, up = (found.preferences.get(name) for name in pair)
    if across:
        axes.axvspan(*across, color=ORANGE, alpha=0.1, lw=0, zorder=0)
    if up:
        axes.axhspan(*up, color=ORANGE, alpha=0.1, lw=0, zorder=0)


def _boundary(axes: Axes, found: Front, points: np.ndarray) -> None:
    """The step line through the front and, lightly, what it dominates up to the reference."""
    corners = [(a[0], b[1]) for a, b in zip(points[1:], points, strict=False)]
    path = [points[0], *(p for pair in zip(corners, points[1:], strict=True) for p in pair)]
    axes.plot(*np.array(path).T, color=BLUE, lw=1.6, zorder=3, solid_joinstyle="round")
    reference = np.array(list(found.reference.values()))
    signs = np.array([1 if d == "max" else -1 for d in found.objectives.values()])
    inside = [p for p in path if ((p - reference) * signs > 0).all()]
    if inside:
        ends = [(inside[0][0], reference[1]), *inside, (reference[0], inside[-1][1]), reference]
        axes.fill(*np.array(ends).T, color=BLUE, alpha=0.07, lw=0, zorder=1)


def _name_picks(axes: Axes, found: Front, pair: tuple[str, str]) -> None:
    """Names the knee and the best on each axis, on the side where no candidate can lie."""
    names: dict[int, list[str]] = {}
    for which in (*pair, "knee"):
        title = which if which == "knee" else f"best {which}"
        names.setdefault(pick(found, which), []).append(title)
    place = {r.candidate: np.array([r.values[n] for n in pair]) for r in found.rows}
    knee, top = (place[pick(found, which)] for which in ("knee", pair[1]))
    crowded = (
        np.abs(knee - top) < np.ptp([axes.get_xlim(), axes.get_ylim()], axis=1) * CLOSE
    ).all()
    offsets = {"knee": (12, 10), f"best {pair[0]}": (10, 0), f"best {pair[1]}": (-7, 10)}
    signs = np.array([1 if found.objectives[n] == "max" else -1 for n in pair])
    for candidate, titles in names.items():
        at, away = place[candidate], np.array(offsets[titles[0]])
        turned = titles[0] == f"best {pair[1]}" and crowded
        text = f"{', '.join(titles)}\n#{candidate}   {at[0]:.3f}, {at[1]:.3f}"
        if len(found.objectives) > 2:  # narrow panels
            text = f"#{candidate} knee" if "knee" in titles else f"#{candidate}"
        ring(
            axes,
            text,
            at,
            away * (-1 if turned else 1, 1) * signs,
            signs * (-1 if turned else 1, 1),
        )


def _mark_task(axes: Axes, steps: int) -> None:
    axes.axvline(steps, color=MUTED, lw=0.8, dashes=(4, 3), zorder=1)
    top = ("data", "axes fraction")
    axes.annotate(" one task", (steps, 1), xycoords=top, color=MUTED, va="top", size=9)


def _limits(axes: Axes, points: np.ndarray, directions: list[str]) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 0.02)
    for setter, a, b, by, direction, space in zip(
        (axes.set_xlim, axes.set_ylim), low, high, span, directions, LABEL_SPACE, strict=True
    ):
        near, far = 0.06 * by, space * by
        setter(a - (near if direction == "max" else far), b + (far if direction == "max" else near))


def _points(found: Front, pair: tuple[str, str]) -> np.ndarray:
    return np.array([[row.values[name] for name in pair] for row in found.rows])


def _better(direction: str) -> str:
    return "higher is better →" if direction == "max" else "← lower is better"


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
