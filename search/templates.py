"""Templates: what a study file searches, as a space whose paths are those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces.domains import Choice
from spaces.space import Space

SEARCHED = ("recipe", "averagers")
"""Where holes may stand."""


def searched(data: Mapping[str, Any]) -> Space:
    """The recipe, and a choice between the averagers if any are said."""
    recipe, averagers = data.get("recipe", {}), averagers_of(data)
    return Space({"recipe": recipe} | ({} if averagers is None else {"averagers": averagers}))


def space_of(data: Mapping[str, Any]) -> Space | None:
    """What candidates are drawn from: a recipe and one ``averager``. None if no averagers are said."""
    averagers = averagers_of(data)
    if averagers is None:
        return None
    return Space({"recipe": data.get("recipe", {}), "averager": averagers})


def averagers_of(data: Mapping[str, Any]) -> Choice | None:
    """What ``averagers`` says: a list, or a ``!choice``, which may have a prior. None if it is neither."""
    said = data.get("averagers")
    if isinstance(said, list) and said:
        return Choice(tuple(said))
    return said if isinstance(said, Choice) else None
