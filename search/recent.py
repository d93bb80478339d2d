"""Recent: what was worked out lately, to be had again without working it out."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


_NOTHING: Any = object()


class Recent:
    """Keeps the last ``MOST`` answers, by what they are answers to.

    It is no part of what its owner is: a copy in another process begins with none.
    """

    __slots__ = ("_known",)

    MOST = 4096

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` makes for ``key``, which must be the same whenever it is called."""
        known: T = self._known.get(key, _NOTHING)
        if known is _NOTHING:
            known = self._known[key] = make()
            if len(self._known) > self.MOST:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known

    def __reduce__(self) -> tuple[type[Recent], tuple[()]]:
        return type(self), ()

    def __deepcopy__(self, memo: Any) -> Recent:
        return type(self)()
