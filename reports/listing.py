"""The front on the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from reports import picks, remarks
from reports.knobs import sentence

if TYPE_CHECKING:
    from rich.console import Console

    from reports.fronts import Front


def render(front: Front, console: Console) -> None:
    """The front within the console's width, and what the picked ones are made of.

    A row has the candidate, its objectives, what was chosen for it, and in ``pick`` the word that
    names it in ``equipoise export --pick``.
    """
    if not front.rows:
        console.print(f"The front is empty: {front.lacking}.", soft_wrap=True, highlight=False)
        return
    marks, same = picks.marks(front), _shared(front)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("candidate", justify="right", no_wrap=True)
    for name, direction in front.objectives.items():
        table.add_column(f"{name} {remarks.arrow(direction)}", justify="right", no_wrap=True)
    table.add_column("pick", style="bold")
    table.add_column("made of")
    for row in front.rows:
        chosen = [v for k, v in row.settings.items() if k not in same and not _is_number(v)]
        values = [row.told(n) for n in front.objectives]
        mark = marks.get(row.candidate, "")
        table.add_row(str(row.candidate), *values, mark, " · ".join(chosen))
    console.print(table)
    for row in front.rows:
        if row.candidate in marks:
            told = sentence({k: v for k, v in row.settings.items() if k not in same})
            console.print(f"[bold]{marks[row.candidate]}[/bold] ({row.candidate}): {told}")
    if same:
        console.print(f"all of them: {sentence(same)}", style="dim")
    reference = ", ".join(f"{v:g}" for v in front.reference.values())
    console.print(f"hypervolume {front.hypervolume:.4f} (reference {reference})")
    for line in [*remarks.seeds(front), *remarks.limits(front)]:
        console.print(line, soft_wrap=True, highlight=False)


def _shared(front: Front) -> dict[str, str]:
    """The settings that all rows have in common; none where there is but one row."""
    first, *rest = front.rows
    return {
        k: v
        for k, v in first.settings.items()
        if rest and all(r.settings.get(k) == v for r in rest)
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
