"""Literature: settings of averages and teachers that papers give, as anchors to begin a search with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """What ``source`` sets: a part of a filled template; what it does not say, it leaves open."""

    name: str
    source: str
    says: dict[str, Any]


def _followed(name: str, source: str, averager: dict[str, Any]) -> Cited:
    return Cited(name=name, source=source, says={"averager": averager})


def _teaching(name: str, source: str, teacher: dict[str, Any]) -> Cited:
    strategy = {"kind": "mean_teacher", "teacher": teacher}
    return Cited(name=name, source=source, says={"recipe": {"strategy": strategy}})


def _ema(momentum: Any) -> dict[str, Any]:
    return {"kind": "ema", "momentum": momentum, "every": 1}


_RISING = {"kind": "cosine", "start": 0.996, "end": 1.0}
_RAMP = {"kind": "mean_ramp", "limit": 0.999}

LITERATURE: tuple[Cited, ...] = (
    _teaching(
        "mean_teacher", "Tarvainen & Valpola, arXiv:1703.01780, after its ramps", _ema(0.999)
    ),
    _teaching("mean_teacher_early", "arXiv:1703.01780, while its ramps last", _ema(0.99)),
    _teaching("mean_teacher_ramp", "arXiv:1703.01780, its code", _ema(_RAMP)),
    _teaching("byol_teacher", "BYOL, arXiv:2006.07733; DINO, arXiv:2104.14294", _ema(_RISING)),
    _followed("moco", "MoCo, arXiv:1911.05722", _ema(0.999)),
    _followed("ctp", "CTP, arXiv:2308.07146", _ema(0.995)),
    _followed("lae", "LAE, arXiv:2303.10070", _ema(0.9999)),
    _followed("byol", "BYOL, arXiv:2006.07733; DINO, arXiv:2104.14294", _ema(_RISING)),
    _followed("running_mean", "the ramp of arXiv:1703.01780, its code", _ema(_RAMP)),
    _followed("polyak", "Polyak & Juditsky, SIAM J. Control 1992", {"kind": "uniform", "every": 1}),
    _followed("swa", "SWA, arXiv:1803.05407: the last quarter", {"kind": "tail", "share": 0.25}),
    _followed("lawa", "LAWA, arXiv:2209.14981, its code", {"kind": "lawa", "window": 10}),
    _followed("edm2_narrow", "arXiv:2312.02696, width 0.05", {"kind": "power", "gamma": 16.972}),
    _followed("edm2_wide", "arXiv:2312.02696, width 0.10", {"kind": "power", "gamma": 6.937}),
)
"""Each with the momentum per step that its source uses, whatever the length of its tasks."""
