"""Companions: the weights that members are given beside their students, kept up by the cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainables.averagers import Averager
from trainables.averagers.live import Live
from trainables.bank import absorb_
from trainables.columns import Columns, Values
from trainables.importances import Importance
from trainables.importances.base import Finish, Passage
from trainables.lessons import below
from trainables.recipes import Recipe
from trainables.tables import specs_in
from trainables.terms.quadratic import Quadratic

OF_THE_LOSS = "strategy"
"""Where in a recipe the companions stand that its strategy is shown."""


class Moment(NamedTuple):
    """The end of a task as companions see it; stacks [M, P].

    ``finish`` makes of the values of an importance's schedules what it may look at.
    """

    step: int
    student: Tensor
    finish: Callable[[dict[str, Tensor]], Finish]


class Companions:
    """Averages that steer and importances of all members, each a stack [M, P] by its field's path."""

    def __init__(
        self, recipes: Sequence[Recipe], first: Tensor, draw: Callable[[int], Tensor]
    ) -> None:
        """``first`` [M, P] are the students as drawn; ``draw`` makes another row [P] of them."""
        averages = [specs_in(recipe, Averager) for recipe in recipes]
        self.averages = {n: _drawn([a[n] for a in averages], first, draw) for n in averages[0]}
        self._kinds = specs_in(recipes[0], Importance)
        self.importances = {n: torch.zeros_like(first) for n in self._kinds}
        self._sums = {
            n: {s: torch.zeros_like(first) for s in kind.sums} for n, kind in self._kinds.items()
        }
        self._gathers = any(self._sums.values())
        self._quadratic = specs_in(recipes[0], Quadratic)
        kinds = specs_in(recipes[0], Averager)
        self._live = {n: kind for n, kind in kinds.items() if isinstance(kind, Live)}
        self._kept = {n: kind.begun(first) for n, kind in self._live.items()}
        self.watch = self._gathers or bool(self._live)
        """Whether any of them looks at gradients."""

    def shown(self, part: slice) -> dict[str, Tensor]:
        """What the loss of the members in ``part`` is shown, [m, P] by path within the strategy."""
        found = below(self.averages | self.importances, OF_THE_LOSS)
        return {name: stack[part] for name, stack in found.items()}

    def stacks(self, part: slice) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Averages and importances of the members in ``part``, [m, P] by path."""
        both = self.averages, self.importances
        averages, importances = ({n: s[part] for n, s in each.items()} for each in both)
        return averages, importances

    def moved(self, steps: range, part: slice, tables: Columns) -> list[tuple[str, ...]]:
        """After each of ``steps`` the averages that any of the members in ``part`` takes its student into."""
        moves = {n: tables.differs(n, steps, part, 0) for n in self.averages}
        return [tuple(n for n, at in moves.items() if at[i]) for i in range(len(steps))]

    def absorb_(self, step: int, part: slice, passage: Passage, tables: Values) -> None:
        """Has every average take in the students [m, P] after a step."""
        now = tables.at(step, part)
        for name, stack in self.averages.items():
            if live := self._live.get(name):
                kept = {n: s[part] for n, s in self._kept[name].items()}
                live.absorb_(stack[part], kept, passage, below(now, name))
            else:
                absorb_(stack[part], passage.after, now[name], tables.host(name, step, part))

    def gather_(self, part: slice, passage: Passage, now: Mapping[str, Tensor]) -> None:
        """Has the importances that add up steps add this one; ``passage`` with the whole gradient."""
        if not self._gathers:
            return
        own = passage._replace(gradient=passage.gradient - self._penalties(part, passage, now))
        for name, kind in self._kinds.items():
            if kind.sums:
                kind.gather_({n: s[part] for n, s in self._sums[name].items()}, own)

    def _penalties(self, part: slice, passage: Passage, now: Mapping[str, Tensor]) -> Tensor:
        """The slopes [m, P] of all quadratic penalties in the loss."""
        total = torch.zeros_like(passage.gradient)
        stacks = self.averages | self.importances
        for path, term in self._quadratic.items():
            shown = {name: stack[part] for name, stack in below(stacks, path).items()}
            total += term.slope(passage.before, shown, now[f"{path}.weight"])
        return total

    def settle_(self, at: Moment, tables: Columns) -> None:
        """What changes once a task is finished: importances, then the averages that copy."""
        every = slice(None)
        now = tables.at(at.step, every)
        for name, kind in self._kinds.items():
            finish, sums = at.finish(below(now, name)), self._sums[name]
            old = self.importances[name]
            old.copy_(kind.renewed(old, sums, finish))
            for stack in sums.values():
                stack.zero_()
        for name, stack in self.averages.items():
            if live := self._live.get(name):
                live.settle_(stack, self._kept[name], at.student)
                continue
            settling = f"{name}.settling"
            absorb_(stack, at.student, now[settling], tables.host(settling, at.step, every))

    def keep(self, members: list[int]) -> None:
        for stacks in self._all():
            for name, stack in stacks.items():
                stacks[name] = stack[members]

    def tensors(self) -> list[Tensor]:
        """All that a step may read or write."""
        return [stack for stacks in self._all() for stack in stacks.values()]

    def state_dict(self) -> dict[str, Any]:
        return {"averages": self.averages, "importances": self.importances, "kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Between tasks, so that there are no sums to be taken up."""
        for stacks, saved in (
            (self.averages, state["averages"]),
            (self.importances, state["importances"]),
            *((kept, state["kept"][name]) for name, kept in self._kept.items()),
        ):
            for name, stack in stacks.items():
                stack.copy_(saved[name])

    def _all(self) -> Iterable[dict[str, Tensor]]:
        return self.averages, self.importances, *self._sums.values(), *self._kept.values()


def _drawn(averagers: list[Averager], first: Tensor, draw: Callable[[int], Tensor]) -> Tensor:
    """What an average of each member starts from. [M, P]."""
    stack = first.clone()
    for m, averager in enumerate(averagers):
        if averager.drawn is not None:
            stack[m] = draw(averager.drawn).to(stack)
    return stack
