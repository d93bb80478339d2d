"""Templates: what a study file searches, as a space whose paths are those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spaces.domains import Choice
from spaces.space import Space

SEARCHED = ("recipe", "averagers")
"""Where holes may stand."""


def searched(data: Mapping[str, Any]) -> Space:
    """The recipe, and a choice between the averagers if any are listed."""
    recipe, averagers = data.get("recipe", {}), data.get("averagers")
    if not isinstance(averagers, list) or not averagers:
        return Space({"recipe": recipe})
    return Space({"recipe": recipe, "averagers": Choice(tuple(averagers))})
