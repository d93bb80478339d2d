"""Good and bad are told apart at a rung, where the pruned have values too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from search.pruned.base import Pruned, Tier, complete, tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.samplers.base import Told
    from spaces.objectives import Objectives


@Pruned.register
@dataclass(frozen=True, kw_only=True, slots=True)
class Rungs(Pruned):
    """Candidates are compared by their objectives at the highest rung that ``enough`` came to.

    All that came there are, those that are complete and those that were pruned there or later; the
    end of the stream is the highest. Behind them come those that were pruned earlier, each
    rung's by their objectives there (Falkner et al., "BOHB: robust and efficient hyperparameter
    optimization at scale", ICML 2018, section 3.2, models the largest budget with enough results
    alone; several objectives and who stands behind are ours). ``enough`` is ours too: a tenth of
    it is the first good candidate. What a warm start told is known at the end of the stream alone.
    """

    enough: Annotated[int, Field(ge=1)] = 10
    kind: Literal["rungs"] = "rungs"

    def tiers(self, ended: Sequence[Told], objectives: Objectives) -> list[Tier]:
        enough = min(self.enough, len(ended))
        whole = complete(ended, objectives)
        levels = sorted({level for t in ended for level in t.at_rungs}, reverse=True)
        out = [whole] if len(whole.candidates) >= enough else []
        for level in levels:
            came = [t for t in ended if level in t.at_rungs]
            if out:  # who came farther is compared there
                came = [t for t in came if t.values is None and max(t.at_rungs) == level]
            if came and (out or len(came) >= enough or level == levels[-1]):
                out.append(tier([(t, t.at_rungs[level]) for t in came], objectives))
        return out or [whole]
