"""Walking: a cohort's steps, a block at a time, on the trunk and on branches of it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from trainables.captures import Capture, Recorder
from trainables.columns import Columns
from trainables.stepper import Stepper


class Walker:
    """Takes the steps of ``stepper``, as recorded where a ``recorder`` is given."""

    def __init__(self, stepper: Stepper, recorder: Recorder | None) -> None:
        self._stepper = stepper
        self._capture = None if recorder is None else Capture(recorder)

    def walk_(self, task: int, block: range) -> Tensor:
        """The steps of a block of the trunk; the students after each of them, [M, n, P], in place.

        After the last few, the last step last, where nobody looks at every one.
        """
        self._steps_(task, block, self._stepper.tables)
        return self._stepper.slots[:, : self._stepper.place(len(block)) + 1]

    def leave_(self, block: range) -> None:
        """Makes ready for the block after ``block``."""
        slots, at = self._stepper.slots, self._stepper.place(len(block))
        if at + 1 < slots.shape[1]:
            slots[:, -1] = slots[:, at]

    def branches_at(self, blocks: Sequence[range]) -> range | None:
        """Of the ``blocks`` of a task, that in which the first branch begins; None without branches."""
        tables = self._stepper.tables
        if self._stepper.branches is None:
            return None
        return next((b for b in blocks if tables.span("branch", b).min() < 1), blocks[-1])

    def branch(self, task: int, blocks: Sequence[range]) -> Tensor:
        """Where ``blocks``, the rest of a task, would lead on the branches. [M, P].

        All is then again as it was.
        """
        assert self._stepper.branches is not None
        kept = self._stepper.kept()
        for block in blocks:
            self._steps_(task, block, self._stepper.branches)
            self.leave_(block)
        ends = self._stepper.students.clone()
        self._stepper.put_back_(kept)
        return ends

    def _steps_(self, task: int, block: range, tables: Columns) -> None:
        stepper = self._stepper
        batches = stepper.batches(task, block)
        if self._capture is None:
            stepper.steps_(block, batches, tables)
        else:
            given = tables.over(block), tuple(batches)
            self._capture(stepper.any_steps_, given, state=stepper.tensors())
