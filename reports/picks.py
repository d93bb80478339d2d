"""Which candidate of a front to take: the knee, the best on an objective, or one by its number."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from spaces.specs import SpecError

if TYPE_CHECKING:
    from reports.fronts import Front


def pick(front: Front, which: str) -> int:
    """The candidate that ``which`` asks for: ``knee``, the name of an objective, or a number.

    An objective's name takes the best on it. The knee is one of those in the region that the study
    prefers, or nearest to it if none is in it. That of two objectives is the row farthest
    beyond the chord between the two ends of these, both objectives on [0, 1] (Das, 1999: the
    bulge of the boundary); of three and more the row nearest to the ideal point. A number is that
    candidate, on the front or not, if it is complete and feasible. Raises SpecError for anything else.
    """
    if which.isdigit():
        return _complete(front, int(which))
    words = ("knee", *front.objectives)
    if which not in words:
        close = get_close_matches(which, words, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(words)}"
        raise SpecError([f"pick {which!r}: not a candidate's number ({meant})"])
    if not front.rows:
        raise SpecError([f"pick {which!r}: the front is empty: {front.lacking}"])
    rows = [r for r in front.rows if which != "knee" or front.is_preferred(r.candidate)]
    costs = front.costs(rows)
    if which != "knee":
        column = costs[:, list(front.objectives).index(which)]
    elif len(front.objectives) == 2:
        column = costs.sum(axis=1)  # the chord is the line where the two costs sum to 1
    else:
        column = np.linalg.norm(costs, axis=1)
    return rows[int(np.argmin(column.round(12)))].candidate


def marks(front: Front) -> dict[int, str]:
    """The words that pick a candidate of the front."""
    out: dict[int, str] = {}
    for name in ("knee", *front.objectives):
        candidate = pick(front, name)
        out[candidate] = f"{out[candidate]}, {name}" if candidate in out else name
    return out


def _complete(front: Front, candidate: int) -> int:
    state = front.states.get(candidate)
    if state == "complete":
        return candidate
    what = f"is {state}" if state else "does not exist"
    on = ", ".join(str(r.candidate) for r in front.rows) or "empty"
    why = f": {front.infeasible[candidate]}" if candidate in front.infeasible else ""
    which = "complete and feasible" if front.constraints else "complete"
    raise SpecError(
        [f"candidate {candidate} {what}{why}; only {which} ones can be picked (front: {on})"]
    )
