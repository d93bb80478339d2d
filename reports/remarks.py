"""What is remarked beside a front, on the console and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.fronts import Front


def arrow(direction: str) -> str:
    """Up where more is better, down where less is."""
    return "↑" if direction == "max" else "↓"


def seeds(front: Front) -> list[str]:
    """In a line, over how many seeds the front's figures are, if any were repeated."""
    counts = [row.seeds for row in front.rows]
    if max(counts, default=1) == 1:
        return []
    fewest, most = min(counts), max(counts)
    said = f"{most}" if fewest == most else f"{fewest} to {most}"
    return [f"means ± standard errors over {said} seeds"]


def limits(front: Front) -> list[str]:
    """What the study's constraints and preferences made of the front, in a line each."""
    out = []
    if front.constraints:
        kept = ", ".join(f"{name} {bound}" for name, bound in front.constraints.items())
        out += [f"constraints: {kept}; infeasible, and not on the front: {len(front.infeasible)}"]
    if front.preferences:
        wished = ", ".join(
            f"{n} {low:g} to {high:g}" for n, (low, high) in front.preferences.items()
        )
        out += [f"preferred: {wished}; {_in_region(front)}"]
    return out


def _in_region(front: Front) -> str:
    """How many of the front are in the preferred region."""
    ranges = front.preferences.items()
    inside = [all(a <= r.values[n] <= b for n, (a, b) in ranges) for r in front.rows]
    if any(inside):
        return f"{sum(inside)} of the front are there, and the knee is one of them"
    return "none of the front is there, and the knee is the nearest"
