"""What one more average of a student costs in memory: in tensors, and in what the process holds."""

from __future__ import annotations

import gc

import torch

from benchmarks.alone import in_fresh_process
from benchmarks.candidates import draw
from benchmarks.measurements import MIB, peak
from trainables.cohort import Cohort, Member
from trainables.scenarios.base import Stream
from trainables.scenarios.rotated_digits import RotatedDigits

MEMBERS = 16
FEW, MANY = 8, 64


def per_extra_average() -> dict[str, float]:
    """Bytes for each average beyond the 8th of 64, in all 16 students, beside its parameters."""
    few, many = (in_fresh_process(holding, averages) for averages in (FEW, MANY))
    extra = MEMBERS * (MANY - FEW)
    tensors = (many["tensors"] - few["tensors"]) / extra
    resident = (many["peak"] - few["peak"]) / extra
    parameters = few["parameters"]
    return {
        "parameters_bytes": parameters,
        "tensor_bytes": tensors,
        "resident_bytes": resident,
        "tensor_ratio": tensors / parameters,
        "resident_ratio": resident / parameters,
    }


def holding(averages: int) -> dict[str, float]:
    """Bytes that a cohort of students with so many averages each holds after a task."""
    torch.set_num_threads(1)
    stream = RotatedDigits().stream()
    cohort = _cohort(averages, stream)
    cohort.train_task()
    cohort.evaluate(stream.validation[:1])
    parameters = 4 * sum(p.numel() for p in cohort.learner.network.parameters())
    return {"tensors": _tensors(), "peak": peak() * MIB, "parameters": parameters}


def _cohort(averages: int, stream: Stream) -> Cohort:
    followed = tuple(c.averager for c in draw("open", "mlp", averages))
    recipes = [c.recipe for c in draw("closed", "mlp", MEMBERS)]
    return Cohort([Member(recipe, followed) for recipe in recipes], stream, seed=0)


def _tensors() -> float:
    storages = {
        each.untyped_storage().data_ptr(): each.untyped_storage().nbytes()
        for each in gc.get_objects()
        if type(each) is torch.Tensor
    }
    return float(sum(storages.values()))
