"""Between a knob's value, which the ledger keeps, and the coordinate in which Optuna samples it.

They differ only ``near_one``, where the coordinate is the gap 1 - x on a log scale. A choice is the
index of its option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from spaces.domains import Choice, Range

if TYPE_CHECKING:
    from optuna.trial import Trial

    from spaces.space import Domain

Distribution: TypeAlias = FloatDistribution | IntDistribution | CategoricalDistribution


def distribution(domain: Domain) -> Distribution:
    match domain:
        case Choice():
            return CategoricalDistribution(range(len(domain.options)))
        case Range(whole=True):
            return IntDistribution(int(domain.low), int(domain.high))
        case Range(scale="near_one"):
            return FloatDistribution(1 - domain.high, 1 - domain.low, log=True)
        case _:
            return FloatDistribution(domain.low, domain.high, log=domain.scale == "log")


def suggest(trial: Trial, name: str, domain: Domain) -> Any:
    """The coordinate of the knob ``name`` in ``trial``."""
    match distribution(domain):
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
        case IntDistribution(low=low, high=high):
            return trial.suggest_int(name, low, high)
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(name, low, high, log=log)


def value(domain: Domain, coordinate: Any) -> Any:
    """The value at ``coordinate``, inside ``domain`` whatever the rounding; int or float."""
    match domain:
        case Choice() | Range(whole=True):
            return int(coordinate)
        case Range(scale="near_one"):
            return min(max(1 - float(coordinate), domain.low), domain.high)
        case _:
            return float(coordinate)


def coordinate(domain: Domain, value: Any) -> Any:
    """The coordinate of ``value``. Raises ``ValueError`` if ``value`` is outside ``domain``."""
    match domain:
        case Choice():
            inside = value in range(len(domain.options))
        case Range():
            inside = domain.low <= value <= domain.high
    if not inside:
        raise ValueError(f"a knob's value is inside its domain, got {value=} {domain=}")
    if isinstance(domain, Range) and domain.scale == "near_one":
        return min(max(1 - value, 1 - domain.high), 1 - domain.low)
    return value
