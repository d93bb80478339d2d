"""What a worth is: the record that says how the members of one front are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spaces.families import Family

if TYPE_CHECKING:
    from spaces.fronts import Costs


class Worth(Family):
    """Orders results none of which dominates another, where a rung has no room for all of them.

    It sees places, not values: on each objective, how many of a rung's results are strictly better.
    So whatever it does, any strictly increasing rescaling of an objective (and its reference)
    changes nothing. Laws (``tests/contracts/test_rungs.py``): independent of the order of the rows;
    rows that change places with each other when the objectives do are worth the same.
    """

    __slots__ = ()

    def merits(self, places: Costs, reference: Costs) -> Costs:
        """A merit for each row, more being better: [n].

        ``places`` [n, objectives] are whole numbers, distinct, none of which dominates another;
        ``reference`` [objectives] is the place of the objectives' reference.
        """
        raise NotImplementedError
