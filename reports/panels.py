"""A panel of the front's picture: two of the objectives against each other."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from reports.canvas import dressed, ring
from reports.palette import BLUE, CLOUD, MUTED, ORANGE
from reports.picks import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from reports.fronts import Front
    from search.history import History

LABEL_SPACE = (0.27, 0.15)  # of the points' range, kept free beyond them for labels
CLOSE = (0.18, 0.14)  # of the axes' range: nearer than this, two labels would touch


def draw(axes: Axes, history: History, found: Front, pair: tuple[str, str]) -> None:
    """Every complete candidate and the front on two objectives, its knee and its ends named."""
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
