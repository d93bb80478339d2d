"""A plain loop, Equipoise unfolded and folded on one device, with PyTorch alone.

    python benchmarks/gpu.py [--device cuda|cpu] [--sizes 64 256 1024]
                             [--capture graphs|compile|none] [--json FILE]

Needs neither Ray, Optuna nor MLflow: what runs is ``trainables`` and the folding. The same
configurations as ``benchmarks/throughput.py``, their accuracies compared. On CUDA, seconds are taken
between synchronisations and memory is the allocator's peak; ``processes_that_fit`` is how many plain
loops the device's memory would hold, context included, the best that fractions of a GPU could do.

``--capture`` says how the steps of a cohort are launched: as CUDA graphs of a block of steps, as such graphs
of kernels that ``torch.compile`` made, or one kernel at a time (``trainables/captures.py``). Run it once with
each to see which is faster.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch

from benchmarks import plain_loop
from benchmarks.candidates import MODELS, SEED, STUDIES, draw, folded, sample, unfolded
from benchmarks.measurements import MIB, Measurement, Rows, agreement, machine, peak
from benchmarks.work import Work
from search.plans import Candidate, Crew
from trainables.captures import WAYS
from trainables.cohort import Cohort
from trainables.runs import run
from trainables.scenarios.base import Stream
from trainables.scenarios.rotated_digits import RotatedDigits

LITTLE = RotatedDigits(steps=2)
"""All shapes of the real stream, in a moment: what a warm-up trains on."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where everything runs, and how its clock and its memory are read."""

    name: str

    def settle(self) -> None:
        """Waits until all that was asked of the device is done."""
        if self.name == "cuda":
            torch.cuda.synchronize()

    def forget(self) -> None:
        """Begins a new peak, where that is possible."""
        if self.name == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def peaks(self) -> dict[str, float]:
        """MiB: of the allocator since ``forget`` on CUDA, of the process since its start else."""
        if self.name != "cuda":
            return {"process": peak()}
        return {
            "allocated": torch.cuda.max_memory_allocated() / MIB,
            "reserved": torch.cuda.max_memory_reserved() / MIB,
        }

    def processes(self, one: Measurement) -> float | None:
        """How many processes like that of ``one`` its memory holds; None where that is no limit."""
        if self.name != "cuda":
            return None
        about = self.about()
        return about["memory"] / (about["context"] + one.peaks["reserved"])

    def about(self) -> dict[str, Any]:
        """What it is; ``context`` is what CUDA itself takes of its memory, MiB."""
        if self.name != "cuda":
            return {"device": self.name}
        torch.cuda.synchronize()
        free, total = torch.cuda.mem_get_info()
        context = total - free - torch.cuda.memory_reserved()
        return {
            "device": self.name,
            "name": torch.cuda.get_device_name(),
            "cuda": torch.version.cuda,
            "memory": total / MIB,
            "context": context / MIB,
        }


Way: TypeAlias = Callable[[Work, Stream], Rows]


def plainly(work: Work, stream: Stream) -> Rows:
    """One candidate after another."""
    return {c.number: list(plain_loop.train(c, stream, seed=SEED)) for c in work.candidates}


def in_cohorts(work: Work, stream: Stream, *, capture: str) -> Rows:
    """One crew after another; ``capture`` is one of ``WAYS``."""
    rows: Rows = {c.number: [] for c in work.candidates}
    for crew in work.crews:
        numbers = [number for member in crew for number in member]
        device = stream.train[0].x.device
        members = work.members(crew)
        cohort = Cohort(members, stream, seed=SEED, device=device, way=lambda _: WAYS[capture])
        for records in run(cohort, stream):
            for record in records:
                rows[numbers[record.seat]].append(record.accuracy)
    return rows


def timed(name: str, way: Way, work: Work, device: Device) -> Measurement:
    """``work`` done by ``way``, after a warm-up of the same shapes."""
    asked = time.perf_counter()
    device.forget()
    way(_warm_up(work), LITTLE.stream().to(device.name))
    stream = work.scenario.stream().to(device.name)
    device.settle()
    began = time.perf_counter()
    rows = way(work, stream)
    device.settle()
    span = (began, time.perf_counter())
    start_up, peaks = began - asked, device.peaks()
    return work.measurement(name, span=span, start_up=start_up, peaks=peaks, rows=rows)


def compare(options: argparse.Namespace, study: str, model: str, device: Device) -> dict[str, Any]:
    """One study of one network, every way, at every size."""
    cohorts = partial(in_cohorts, capture=options.capture)
    largest = draw(study, model, max(options.sizes))
    few = sample(largest, options.few)
    scenario = RotatedDigits(steps=options.steps)

    def work(candidates: list[Candidate], crews: list[Crew]) -> Work:
        return Work(study=study, model=model, candidates=candidates, crews=crews, scenario=scenario)

    singly = work(few, unfolded(few))
    slow = [
        timed("plain_loop", plainly, singly, device),
        timed("unfolded", cohorts, singly, device),
    ]
    fast = []
    for size in sorted(options.sizes):
        candidates = draw(study, model, size)
        crews = folded(candidates, members=options.members, workers=1)
        fast.append(timed("folded", cohorts, work(candidates, crews), device))
        _say(fast[-1], slow)
    return {
        "measurements": [m.told() for m in (*slow, *fast)],
        "agreements": [
            {"study": study, "model": model} | asdict(agreement(m, fast[-1])) for m in slow
        ],
        "processes_that_fit": device.processes(slow[0]),
    }


def _warm_up(work: Work) -> Work:
    crews = work.one_of_each()
    numbers = {n for crew in crews for member in crew for n in member}
    return replace(
        work, candidates=[c for c in work.candidates if c.number in numbers], crews=crews
    )


def _say(folded: Measurement, slow: list[Measurement]) -> None:
    times = ", ".join(f"{m.way} x {folded.rate / m.rate:.1f}" for m in slow)
    print(
        f"{folded.model:<4} {folded.study:<7} {folded.candidates:>5} candidates "
        f"{folded.rate:>9.2f} a second   {times}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--few", type=int, default=8, help="candidates of the one-by-one ways")
    parser.add_argument("--members", type=int, default=1024, help="students in a cohort, at most")
    parser.add_argument("--steps", type=int, default=150, help="optimizer steps a task")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--capture", choices=WAYS, help="graphs on cuda, none on cpu if not said")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = Device(options.device)
    if options.device != "cuda" and options.capture not in {None, "none"}:
        parser.error(f"--capture {options.capture} is for cuda, got --device {options.device}")
    options.capture = options.capture or ("graphs" if options.device == "cuda" else "none")
    studies = {
        f"{model} {study}": compare(options, study, model, device)
        for model in options.models
        for study in STUDIES
    }
    found = {
        "machine": machine(),
        "device": device.about(),
        "capture": options.capture,
        "studies": studies,
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
