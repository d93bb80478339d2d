"""What rungs are: the record that says after which tasks candidates are judged, and against whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from spaces.families import Family

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from search.rungs.ladder import Ladder


class Rungs(Family):
    """About one student in ``factor`` goes on from each rung, with all its averages.

    One that gives no kind is ``asha``.
    The counts are of finished tasks, in integers, and a stream's last task is never a rung: there a
    candidate is complete. Laws, on every kind (``tests/contracts/test_rungs.py``): who dominates
    all is never stopped; the order of a batch, any strictly increasing rescaling of an objective
    (and its reference) and turning one round with its direction change nothing; what ties is
    treated alike; what is not finite never goes on and never counts; at least one of ``factor``
    goes on; averages of a student that come together share its fate; one that is told again what was seen goes on as the one that never died.
    """

    __slots__ = ()
    due: ClassVar[str] = "a mapping"

    @classmethod
    def spell_out(cls, value: Any) -> Any:
        return {"kind": "asha"} | value if isinstance(value, dict) else value

    def levels(self, tasks: int) -> tuple[int, ...]:
        """Numbers of finished tasks after which some of a stream of ``tasks`` are judged."""
        raise NotImplementedError

    def ladder(self, tasks: int, reference: ArrayLike) -> Ladder:
        """Its rungs, that have seen nothing. ``reference`` [objectives] is the worst cost that counts."""
        raise NotImplementedError

    def misfit(self, tasks: int) -> tuple[str, str] | None:
        """The field that is of no use with a stream of ``tasks``, and why; None if there is none."""
        raise NotImplementedError


def powers(first: int, *, factor: int, below: int) -> tuple[int, ...]:
    """``first``, ``first * factor``, ``first * factor**2``, ... that are less than ``below``."""
    out = []
    while first < below:
        out.append(first)
        first *= factor
    return tuple(out)


def too_late(first_task: int, tasks: int) -> tuple[str, str] | None:
    """The misfit of rungs whose first comes when a stream is over."""
    if first_task < tasks:
        return None
    return "first_task", (
        f"must be below the number of tasks, or no rung ever judges: got {first_task} "
        f"with {tasks} tasks (rungs: null goes without)"
    )
