"""Ways of running that use every core through Ray."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import plain_ray
from benchmarks.fixed_studies import FixedStudy
from benchmarks.measurements import peak
from search.engines import ray_tune

if TYPE_CHECKING:
    from benchmarks.measurements import Measurement
    from benchmarks.work import Work


def plain(way: str, work: Work, workers: int) -> Measurement:
    """Plain Ray Tune, a candidate a trial."""
    asked = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        given = plain_ray.run(work.candidates, work.scenario, workers=workers, folder=Path(folder))
    return _measured(way, work, given, asked)


def equipoise(way: str, work: Work, workers: int) -> Measurement:
    """Equipoise's Ray engine, a cohort a trial."""
    asked = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        study = FixedStudy(work, workers=workers, directory=Path(folder))
        ray_tune.drive(study, lambda: None)
    return _measured(way, work, study, asked)


def _measured(
    way: str, work: Work, done: plain_ray.Given | FixedStudy, asked: float
) -> Measurement:
    return work.measurement(
        way,
        span=(done.feed.began, done.feed.ended),
        start_up=done.feed.began - asked,
        peaks={"worker": done.peaks.largest, "driver": peak()},
        rows=done.rows,
    )
