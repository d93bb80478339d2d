"""Configurations evaluated a second: plain Ray Tune, a plain loop, and Equipoise, side by side.

    python benchmarks/throughput.py [--quick] [--json FILE]

Three studies (open-loop, closed-loop, mixed), two networks, at 16 to 1024 candidates; every way is
given the same configurations and their accuracies are compared. The ways:

    plain_ray     plain Ray Tune, one configuration a trial, actors reused, a worker a core
    plain_loop    the same training code in one process, one thread
    nudged_loop   that from first weights that differ in the last bit, to compare accuracies with
    unfolded      Equipoise with folding off: one student and one average a job; one process
    folded_local  Equipoise in one process
    folded        Equipoise on Ray, a worker a core

Imports, Ray's and its workers' start and a warm-up of each way are not in its seconds but stated
apart (``start_up``). The ways that take candidates one by one, whose rate their number does not
change, are measured on a sample: ``candidates`` says on how many. --quick: 256 candidates and the
perceptron alone. Every process computes on one thread; nothing else should run beside them.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import alone
from benchmarks.alone import in_fresh_process
from benchmarks.candidates import MODELS, STUDIES, draw, folded, sample, unfolded
from benchmarks.drivers import cost
from benchmarks.measurements import Agreement, Measurement, agreement, machine
from benchmarks.memory import per_extra_average
from benchmarks.printed import table
from benchmarks.shares import of_evaluation
from benchmarks.work import Work
from search.plans import Candidate, Crew
from trainables.scenarios import Scenario
from trainables.scenarios.rotated_digits import RotatedDigits

MEMBERS = 16
"""Students in a job, at most."""

EXACT = ("unfolded", "folded_local")
"""Ways that give the accuracies of ``folded`` to the last bit."""

LOOPS = ("plain_ray", "plain_loop")
TIMES = 3.0
LEAST = 0.005
"""Loops add up in another order than cohorts, and hundreds of steps make much of the last bit of a
float32: of a loop too, when its first weights are moved by that bit. The mean difference of accuracy
between a loop and a cohort may be ``TIMES`` that between a loop and a nudged one, or ``LEAST``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is run of one study of one network.

    Folded on Ray at each of ``sizes``, folded in one process at ``local``; one by one on
    ``sample`` candidates with Ray and on ``few`` without, spread over the first ``base``, which is
    one of the sizes.
    """

    study: str
    model: str
    sizes: tuple[int, ...]
    base: int
    local: int
    sample: int
    few: int
    scenario: Scenario = field(default_factory=RotatedDigits)


def _perceptron(study: str, *, sizes: tuple[int, ...], local: int) -> Plan:
    return Plan(study=study, model="mlp", sizes=sizes, base=256, local=local, sample=32, few=16)


def _convolutions(study: str, *, sizes: tuple[int, ...]) -> Plan:
    return Plan(study=study, model="cnn", sizes=sizes, base=64, local=64, sample=8, few=4)


QUICK = tuple(_perceptron(study, sizes=(256,), local=64) for study in STUDIES)

# Convolutions take several times as long: their studies end where a run would take a minute.
FULL = (
    *(_perceptron(study, sizes=(16, 64, 256, 1024), local=256) for study in STUDIES),
    _convolutions("open", sizes=(16, 64, 256, 1024)),
    _convolutions("closed", sizes=(16, 64)),
    _convolutions("mixed", sizes=(16, 64, 256)),
)


def on_ray(plan: Plan, workers: int) -> list[Measurement]:
    """The ways that use every core; Ray is connected."""
    from benchmarks import clusters  # noqa: PLC0415 - the processes of the other ways do without Ray

    plain = _one_by_one(plan, plan.sample)
    measured = [_say(clusters.plain("plain_ray", plain, workers))]
    for size in plan.sizes:
        work = _folded(plan, size, workers)
        measured += [_say(clusters.equipoise("folded", work, workers))]
    return measured


def in_one_process(plan: Plan) -> list[Measurement]:
    """The ways that use one core, each in a process of its own."""
    few, many = _one_by_one(plan, plan.few), _folded(plan, plan.local, 1)
    ways = (
        ("plain_loop", alone.plain_loop, few),
        ("nudged_loop", alone.nudged_loop, few),
        ("unfolded", alone.local_engine, few),
        ("folded_local", alone.local_engine, many),
    )
    return [_say(in_fresh_process(of, way, work, time.perf_counter())) for way, of, work in ways]


def _one_by_one(plan: Plan, count: int) -> Work:
    candidates = sample(draw(plan.study, plan.model, plan.base), count)
    return _work(plan, candidates, unfolded(candidates))


def _folded(plan: Plan, count: int, workers: int) -> Work:
    candidates = draw(plan.study, plan.model, count)
    return _work(plan, candidates, folded(candidates, members=MEMBERS, workers=workers))


def _work(plan: Plan, candidates: list[Candidate], crews: list[Crew]) -> Work:
    return Work(
        study=plan.study,
        model=plan.model,
        candidates=candidates,
        crews=crews,
        scenario=plan.scenario,
    )


def _say(measured: Measurement) -> Measurement:
    """``measured``, told as it comes, since the whole takes minutes."""
    m = measured
    print(
        f"{m.model:<4} {m.study:<7} {m.way:<13} {m.candidates:>5} candidates {m.seconds:>8.2f} s "
        f"{m.rate:>8.2f} a second   (start-up {m.start_up:.1f} s)",
        flush=True,
    )
    return measured


def agreements(measured: list[Measurement], base: int) -> list[Agreement]:
    """How far every way agrees with ``folded`` of ``base`` candidates; the nudged loop, with a loop."""
    others = {m.way: m for m in measured if m.way != "folded"}
    nudged = agreement(others.pop("nudged_loop"), others["plain_loop"])
    folded = next(m for m in measured if m.way == "folded" and m.candidates == base)
    return [*(agreement(m, folded) for m in others.values()), nudged]


def ratios(measured: list[Measurement]) -> list[dict[str, Any]]:
    """Rates of ``folded`` at each size over those of the others, of one study."""
    others = [m for m in measured if m.way not in {"folded", "nudged_loop"}]
    return [
        {
            "study": m.study,
            "model": m.model,
            "candidates": m.candidates,
            "candidates_per_second": m.rate,
        }
        | {f"over_{o.way}": m.rate / o.rate for o in others}
        for m in measured
        if m.way == "folded"
    ]


def run(plans: tuple[Plan, ...]) -> dict[str, Any]:
    """Everything that was measured, for JSON."""
    from search.engines.clusters import cluster, slots  # noqa: PLC0415 - see on_ray
    from search.settings import Resources  # noqa: PLC0415 - likewise: it imports the samplers

    here, found, started = machine(), {}, []
    for plan in plans:
        began = time.perf_counter()
        # One Ray for each study: what one leaves behind does not burden the next.
        with cluster(None):
            started.append(time.perf_counter() - began)
            workers = slots(Resources())
            found[plan.study, plan.model] = on_ray(plan, workers)
    for plan in plans:
        found[plan.study, plan.model] += in_one_process(plan)
    agreed = {(p.study, p.model): agreements(found[p.study, p.model], p.base) for p in plans}
    return {
        "machine": here,
        "workers": workers,
        "ray_start_seconds": started,
        "studies": {name: study.about for name, study in STUDIES.items()},
        "models": {name: repr(model) for name, model in MODELS.items()},
        "scenarios": sorted({repr(p.scenario) for p in plans}),
        "ratios": [row for each in found.values() for row in ratios(each)],
        "measurements": [m.told() for each in found.values() for m in each],
        "agreements": [
            {"study": s, "model": m} | asdict(a) for (s, m), each in agreed.items() for a in each
        ],
    }


def differing(found: dict[str, Any]) -> list[str]:
    """What should have been the same and is not."""
    nudged = {
        (a["model"], a["study"]): a["mean"]
        for a in found["agreements"]
        if a["way"] == "nudged_loop"
    }
    return [
        f"{a['way']} differs from {a['beside']}: {a}"
        for a in found["agreements"]
        if (a["way"] in EXACT and a["most"] > 0)
        or (a["way"] in LOOPS and a["mean"] > max(LEAST, TIMES * nudged[a["model"], a["study"]]))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_const", const=QUICK, default=FULL, dest="plans")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    began = time.perf_counter()
    print(
        "Configurations a second of Equipoise, plain Ray Tune and a plain loop, with PyTorch on one "
        f"thread a process: {len(options.plans)} studies, {options.plans[0].scenario}. "
        + ("About 3 minutes" if options.plans is QUICK else "About a quarter of an hour")
        + " on 2 cores that do nothing else.\n",
        flush=True,
    )
    found = run(options.plans)
    found |= {"memory": per_extra_average(), "driver": cost(256)}
    found |= {"evaluation": in_fresh_process(of_evaluation)}
    found["total_seconds"] = time.perf_counter() - began
    print(table(found))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if faults := differing(found):
        raise SystemExit("\n".join(faults))


if __name__ == "__main__":
    main()
