"""Another averager that is set to the student again and again (a mixed update)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trainables.averagers.base import Averager
from trainables.averagers.wrapper import Wrapper

if TYPE_CHECKING:
    from spaces.clock import Clock
    from spaces.schedules.base import Table


@Averager.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Synced(Wrapper):
    """Copies the student at every step t with t mod ``every`` = 0, else is ``averager``.

    A sync forgets all that was averaged before it; where ``every`` is short beside the horizon the
    average never reaches it. The opposite direction, the student set to the average, is feedback.
    """

    every: Annotated[int, Field(ge=1)]
    kind: Literal["synced"] = "synced"

    def weights(self, clock: Clock) -> Table:
        w = self.averager.weights(clock)
        w[:: self.every] = 1
        return w
