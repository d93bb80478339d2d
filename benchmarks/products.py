"""What compiling is worth: products' GFLOP/s beside PyTorch's, students taken into averages, a closed loop's step.

    python -m benchmarks.products [--json FILE]

One thread, two minutes. The products are those of a step of the digits' perceptron (64-128-128-10, 32 samples), of
weights that lie in the rows of a cohort; the students are those of a block of steps, taken into eight averages of
each member, all finite or with one number that is not; the step is one of mean teachers, over a whole stream,
with its evaluation beside it: by PyTorch's kernels, by these with compiled products, and by routines, whole
steps in one function. Where kernels are not compiled (no AVX-512, no llvmlite) there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import shares
from benchmarks.alone import in_fresh_process
from benchmarks.measurements import machine
from trainables import fused, mixing, products, programs
from trainables.bank import BLOCK, TakeIn
from trainables.products import AS_THEY_ARE, product_of
from trainables.scenarios.rotated_digits import RotatedDigits

MEMBERS = (4, 16, 64)
WIDTH = 26_128
"""Numbers in a row: the perceptron's parameters, in whole lines."""

BATCH = 32
LAYERS = ((64, 128), (128, 128), (128, 10))
TIMES = 5

WAYS = ("torch", "products", "routines")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    if not products.compiles():
        parser.exit(1, "nothing to compare: no AVX-512 or no llvmlite here\n")
    torch.set_num_threads(1)
    told = {
        "machine": machine(),
        "gflops": [of_products(members) for members in MEMBERS],
        "blocks": [of_blocks(members) for members in MEMBERS],
        "steps": [of_steps(members) for members in MEMBERS],
    }
    for row in told["gflops"]:
        print(
            "{members:3} members, GFLOP/s: PyTorch {torch:4.0f}, compiled {compiled:4.0f}".format(
                **row
            )
        )
    for row in told["blocks"]:
        print(
            "{members:3.0f} members, ms a member to take a block in: PyTorch {torch:.3f}, compiled {compiled:.3f}; "
            "where a number is not finite {torch_careful:.3f}, {compiled_careful:.3f}".format(**row)
        )
    for row in told["steps"]:
        print(
            "{members:3.0f} members, ms a step: PyTorch {torch_step:.2f}, with compiled products {products_step:.2f}, "
            "routines {routines_step:.2f}; s of evaluation: {torch_evaluation:.3f}, {products_evaluation:.3f}, "
            "{routines_evaluation:.3f}".format(**row)
        )
    if given.json is not None:
        given.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def of_products(members: int) -> dict[str, float]:
    """Of all products of a step forward and back, billions of multiplications and additions a second."""
    rng = torch.Generator().manual_seed(0)
    weights = torch.randn(members, WIDTH, generator=rng)
    seconds, operations, at = {"torch": 0.0, "compiled": 0.0}, 0, 0
    for inputs, outputs in LAYERS:
        w = weights[:, at : at + inputs * outputs].view(members, outputs, inputs)
        at += inputs * outputs
        x, slope = (torch.randn(members, n, BATCH, generator=rng).mT for n in (inputs, outputs))
        factors = [(x, w.mT), (slope, w), (slope.mT, x)]
        operations += len(factors) * 2 * members * BATCH * inputs * outputs
        for a, b in factors:
            seconds["torch"] += _least(torch.bmm, a, b)
            seconds["compiled"] += _least(product_of(AS_THEY_ARE), a, b)
    return {"members": members, **{way: operations / s / 1e9 for way, s in seconds.items()}}


def _least(multiply: Callable[..., Tensor], a: Tensor, b: Tensor) -> float:
    """Seconds of one product: the least of many, each of a tenth of a second's worth."""
    multiply(a, b)
    spans = []
    for _ in range(TIMES):
        began = time.perf_counter()
        for _ in range(100):
            multiply(a, b)
        spans.append((time.perf_counter() - began) / 100)
    return min(spans)


def of_blocks(members: int) -> dict[str, float]:
    """Milliseconds a member until a block of students is in eight averages: the least of each way, by turns."""
    from trainables import absorbing  # noqa: PLC0415 - llvmlite need not be there

    rng = torch.Generator().manual_seed(0)
    averages = torch.randn(members, mixing.GROUP, WIDTH, generator=rng)
    students = torch.randn(members, BLOCK, WIDTH, generator=rng)
    decays = torch.rand(members, mixing.GROUP, generator=rng)
    weights = torch.rand(BLOCK, members, mixing.GROUP, generator=rng) / BLOCK
    ways: dict[str, TakeIn] = {"torch": mixing.take_in_, "compiled": absorbing.take_in_}
    spans: dict[str, list[float]] = defaultdict(list)
    for case in ("", "_careful"):
        if case:
            students[:, 0, 0] = torch.nan
        for name, take_in_ in [*ways.items()] * 2 * TIMES:
            began = time.perf_counter()
            take_in_(averages, decays, weights, students)
            spans[name + case].append(time.perf_counter() - began)
    least = {name: min(of) / members * 1e3 for name, of in spans.items()}
    return {"members": float(members), **least}


def of_steps(members: int) -> dict[str, float]:
    """Milliseconds of the processor in a step of a closed loop, and seconds in a job's evaluation."""
    found = {"members": float(members)}
    for way in WAYS:
        step, evaluation = in_fresh_process(_step, members, way)
        found |= {f"{way}_step": step, f"{way}_evaluation": evaluation}
    return found


def _step(members: int, way: str) -> tuple[float, float]:
    torch.set_num_threads(1)
    if way == "torch":
        products.compiles = _never
    if way == "products":
        programs.routine_of = fused.routine_of = _none
    stream = RotatedDigits().stream()
    runs = [shares.of_job(stream, "closed", "mlp", members) for _ in range(TIMES)]
    least = min(training for training, _, _ in runs)
    return least / stream.clock.steps * 1e3, min(judging for _, judging, _ in runs)


@cache
def _never() -> bool:
    return False


def _none(*_: object) -> None:
    """No program is a routine, and no step is fused."""


if __name__ == "__main__":
    main(sys.argv[1:])
