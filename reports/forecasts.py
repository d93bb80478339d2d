"""Forecasts as a planner wants them: a row for each number of workers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from search.forecasts import Forecast

COLUMNS = {
    "hypervolume": "{:.4f}",
    "wall": "{:.1f}",
    "device_seconds": "{:.1f}",
    "utilisation": "{:.0%}",
    "complete": "{:.0f}",
    "deaths": "{:.0f}",
}
"""What a terminal of 80 columns has room for; JSON has everything."""


def render(found: Sequence[Forecast], console: Console) -> None:
    """The median of each figure, and its quartiles below where they differ."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("workers", justify="right", vertical="top")
    for name in COLUMNS:
        table.add_column(name.replace("_", "\n"), justify="right", vertical="top")
    for forecast in found:
        cells = [_cell(form, forecast.figures[name]) for name, form in COLUMNS.items()]
        table.add_row(str(forecast.workers), *cells)
    console.print(table)
    if any(max(forecast.figures["repeats"]) for forecast in found):
        told = (_cell("{:.0f}", forecast.figures["repeats"], " in ") for forecast in found)
        console.print(f"trainings that repeat a candidate, row by row: {', '.join(told)}")
    seeds = found[0].seeds
    console.print(
        f"medians of {seeds} searches, and their quartiles; wall and device-seconds are of training "
        f"and evaluation, as the world has them",
        style="dim",
    )


def to_json(found: Sequence[Forecast]) -> list[dict[str, Any]]:
    """Each figure as [lower quartile, median, upper quartile]."""
    return [dataclasses.asdict(forecast) for forecast in found]


def _cell(form: str, quartiles: tuple[float, float, float], between: str = "\n") -> str:
    low, middle, high = (form.format(q) for q in quartiles)
    return middle if low == high else f"{middle}{between}{low}..{high}"
