"""Standings: medians and quartiles of many searches, as a table and as a figure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from spaces.fronts import attained

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from benchmarks.arenas import Arena
    from benchmarks.ways import Limits, Row

FIGURES = (
    "to_90",
    "to_95",
    "candidates_to_90",
    "candidates_to_95",
    "hypervolume",
    "epsilon",
    "igd_plus",
    "claimed",
    "chosen",
    "ended",
    "spent",
    "deciding",
)
QUARTILES = (25, 50, 75)
SHOWN = 9
"""Ways drawn in the figure: as many as can be told apart."""


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """For each way its seeds and of each figure the quartiles, None where a quartile is never; best first.

    The best is who has 95 % soonest in the median; of those who never have, whose hypervolume is largest.
    """
    by_way: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_way[row["way"]].append(row)
    found = {
        way: {"seeds": len(of)} | {f: quartiles([r.get(f) for r in of]) for f in FIGURES}
        for way, of in by_way.items()
    }
    return dict(sorted(found.items(), key=lambda item: _rank(item[1])))


def quartiles(values: Sequence[float | None]) -> list[float | None]:
    """Of which some may be None, the worst: so is a quartile that lies beside one. [3]."""
    known = np.array([np.inf if v is None else v for v in values], dtype=np.float64)
    beside = np.percentile(known, QUARTILES, method="higher")
    finite = np.where(np.isfinite(known), known, known[np.isfinite(known)].max(initial=0.0))
    cut = np.percentile(finite, QUARTILES)
    return [float(q) if np.isfinite(b) else None for q, b in zip(cut, beside, strict=True)]


def _rank(figures: dict[str, Any]) -> tuple[float, float]:
    soonest = figures["to_95"][1]
    return np.inf if soonest is None else soonest, -figures["hypervolume"][1]


def table(found: dict[str, Any], limits: Limits) -> str:
    """Markdown: the median and, in brackets, the quartiles."""
    heads = [
        "way",
        "device-seconds to 90 %",
        "to 95 %",
        "candidates to 95 %",
        f"hypervolume after {limits.least:g} s",
        "epsilon",
        "IGD+",
        "its front at the end: claimed",
        "without luck",
        "seeds",
    ]
    lines = [heads, ["---"] * len(heads)]
    for way, of in found.items():
        times = [_told(of[f], "{:.1f}", never="never") for f in ("to_90", "to_95")]
        times.append(_told(of["candidates_to_95"], "{:.0f}", never="never"))
        shares = [_share(of[f]) for f in ("hypervolume", "claimed", "chosen")]
        errors = [_told(of[f], "{:.4f}", never="-") for f in ("epsilon", "igd_plus")]
        lines.append([way, *times, shares[0], *errors, *shares[1:], str(of["seeds"])])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _share(values: Sequence[float | None]) -> str:
    if values == [None] * len(values):  # what rivals do not tell
        return "-"
    return _told([None if v is None else 100 * v for v in values], "{:.1f}", never="-") + " %"


def _told(values: Sequence[float | None], form: str, *, never: str) -> str:
    low, middle, high = (never if v is None else form.format(v) for v in values)
    return f"{middle} [{low}, {high}]"


def figure(
    rows: Sequence[Row], found: dict[str, Any], arena: Arena, limits: Limits, file: Path
) -> None:
    """How hypervolume grows with device-seconds and with candidates, and what half of the searches attained."""
    import matplotlib as mpl  # noqa: PLC0415 - slow, and not always needed

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter  # noqa: PLC0415

    shown = _shown(list(found))
    canvas, (left, middle, right) = plt.subplots(1, 3, figsize=(17, 5.2), layout="constrained")
    most = max(row["ended"] for row in rows)
    for k, way in enumerate(shown):
        own = [row for row in rows if row["way"] == way]
        colour = f"C{k}" if k < 10 else "0.5"
        _growth(left, own, way, colour, np.geomspace(limits.least / 30, limits.least, 200), 0)
        _growth(middle, own, way, colour, np.geomspace(16, most, 200), 2)
        _surface(right, own, arena, colour)
    for axes, what, span in (
        (left, "device-seconds", (limits.least / 30, limits.least)),
        (middle, "candidates that ended", (16, most)),
    ):
        axes.axhline(0.95, color="0.6", lw=0.8, ls=":")
        axes.set(
            xscale="log",
            xlabel=what,
            xlim=span,
            ylim=(0.5, 1.0),
            ylabel="hypervolume, share of the true front's",
        )
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    left.legend(loc="lower right", fontsize=8, frameon=False)
    true = arena.front * arena.signs
    right.plot(
        *true[np.lexsort(true.T[::-1])].T[:2], color="k", lw=1, ls="--", label="the true front"
    )
    names = arena.file.objectives.names
    right.set(
        xlabel=names[0],
        ylabel=names[1],
        title=f"what half of the searches attained in {limits.least:g} device-seconds",
    )
    right.legend(loc="lower left", fontsize=8, frameon=False)
    canvas.suptitle(f"{arena.name}: medians over seeds; shaded: quartiles")
    canvas.savefig(file, dpi=140)
    plt.close(canvas)


def _shown(ways: Sequence[str]) -> list[str]:
    """The best way of each sampler and each rival, in the order of the standings."""
    best: dict[str, str] = {}
    for way in ways:
        best.setdefault(way if way[0].isupper() else way.split()[0], way)
    return list(best.values())[:SHOWN]


def _growth(
    axes: Axes, rows: Sequence[Row], way: str, colour: str, at: np.ndarray, column: int
) -> None:
    """Against what the ``column`` of a search's steps says, at these points; to the end of the longest search."""
    at = at[at <= max(row["steps"][-1][column] for row in rows if row["steps"])]
    curves = np.array([_curve(row["steps"], at, column) for row in rows])
    low, middle, high = np.percentile(curves, QUARTILES, axis=0)
    axes.plot(at, middle, color=colour, lw=1.6, label=way)
    axes.fill_between(at, low, high, color=colour, alpha=0.15, lw=0)


def _curve(steps: Sequence[Sequence[float]], at: np.ndarray, column: int) -> np.ndarray:
    """The hypervolume at each of ``at`` by that ``column``. 0 before anything was found."""
    told = np.array([[0.0, 0.0, 0.0], *steps]).T
    return np.asarray(told[1][np.searchsorted(told[column], at, side="right") - 1])


def _surface(axes: Axes, rows: Sequence[Row], arena: Arena, colour: str) -> None:
    fronts = [np.array(row["front"]).reshape(-1, len(arena.signs)) * arena.signs for row in rows]
    surface = attained(fronts, 0.5)[:, :2] * arena.signs[:2]
    if len(surface):
        ordered = surface[np.lexsort(surface.T[::-1])]
        axes.step(*ordered.T, where="pre", color=colour, lw=1.2)
