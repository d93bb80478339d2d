"""The look of every picture: its size, title, axes, legend and labels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from reports.palette import FAINT, INK, LINES, MUTED, VERMILLION

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

WIDTH, DPI = 8.0, 150  # inches, dots per inch: 1200 pixels


def titled(name: str, said: str, height: float) -> Figure:
    """A figure of ``height`` inches: the study's name, a line that says what is known, and room."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    figure.text(0.012, 1 - 0.23 / height, name, size=14, weight="bold", color=INK)
    figure.text(0.012, 1 - 0.46 / height, said, size=9.5, color=MUTED)
    room = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - 0.5 / height), w_pad=0.08, h_pad=0.08)
    figure.set_layout_engine(room)
    return figure


def dressed(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINES)
    axes.tick_params(which="both", colors=LINES, labelcolor=MUTED, labelsize=9.5, length=3)
    axes.grid(color=FAINT, lw=0.7)
    axes.set_axisbelow(True)
    axes.xaxis.label.set(size=11, color=INK)
    axes.yaxis.label.set(size=11, color=INK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return axes


def legend(figure: Figure, axes: Axes) -> None:
    """On the line of the title, at the right: never over the points."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        frameon=False,
        loc="upper right",
        ncols=4,
        handletextpad=0.1,
        columnspacing=1,
    )


def ring(axes: Axes, text: str, at: np.ndarray, away: np.ndarray, side: np.ndarray) -> None:
    """A ring at ``at`` and ``text`` ``away`` from it in points, growing towards ``side`` (signs)."""
    axes.scatter([at[0]], [at[1]], s=110, facecolor="none", edgecolor=VERMILLION, lw=1.6, zorder=5)
    note = axes.annotate(
        text,
        tuple(at),
        tuple(away),
        textcoords="offset points",
        ha="left" if side[0] > 0 else "right",
        va="center" if away[1] == 0 else "bottom" if side[1] > 0 else "top",
        size=9,
        color=INK,
        linespacing=1.35,
        zorder=6,
    )
    note.set_in_layout(False)  # there is room within the limits; else the axes would shrink


def png(figure: Figure) -> bytes:
    """The picture as a PNG file; the same figure gives the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return file.getvalue()
