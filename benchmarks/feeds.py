"""What is handed to workers: warm-ups until each of them is up and warm, then work, timed."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Feed(Generic[T]):
    """Tasks by ticket, to be asked for by a worker that is free.

    Workers that start later keep the others waiting, so those are given warm-ups over again: Ray
    lets a worker go that has nothing to do. Then each warm-up goes to all of them once more.
    ``began`` is the moment when the first piece of work was handed out, ``ended`` the last one's end.
    """

    warm_ups: Sequence[T]
    work: Sequence[T]
    workers: int
    began: float = 0.0
    ended: float = 0.0
    _tickets: int = 0
    _starting: set[int] = field(default_factory=set)
    _real: set[int] = field(default_factory=set)
    _next: Iterator[T] = field(init=False)
    _rounds: deque[T] = field(init=False)
    _left: deque[T] = field(init=False)

    def __post_init__(self) -> None:
        self._next, self._left = cycle(self.warm_ups), deque(self.work)
        again = self.warm_ups if len(self.warm_ups) > 1 else ()
        self._rounds = deque(each for each in again for _ in range(self.workers))

    def next(self) -> tuple[int, T] | None:
        """A ticket and what is to be done for it; None if all was handed out."""
        ticket, self._tickets = self._tickets, self._tickets + 1
        if ticket < self.workers:
            self._starting.add(ticket)
        if self._starting:
            first = self.warm_ups[0] if ticket < self.workers else next(self._next)
            return ticket, first
        if self._rounds:
            return ticket, self._rounds.popleft()
        if not self._left:
            return None
        self.began = self.began or time.perf_counter()
        self._real.add(ticket)
        return ticket, self._left.popleft()

    def counts(self, ticket: int) -> bool:
        """Whether it stands for work."""
        return ticket in self._real

    def done(self, ticket: int) -> None:
        """To be called when the task of ``ticket`` was finished."""
        self._starting.discard(ticket)
        if self.counts(ticket):
            self.ended = time.perf_counter()
