"""What it costs to judge one more candidate, by how many were judged before."""

from __future__ import annotations

import time

import numpy as np

from search.rungs.asha import Asha
from search.worths import Worth

SIZES = (100, 1_000, 10_000, 100_000)
JUDGED = 300


def per_record(worth: str, objectives: int, held: int, *, batch: int, shared: int = 1) -> float:
    """Milliseconds for each candidate judged ``batch`` at a time by a rung that holds ``held``.

    Of each student there are as many averages as are ``shared``. Costs are uniform in the unit cube. The mean over ``JUDGED``, since one in many takes longer: it
    has what waits unsorted ranked.
    """
    rng = np.random.default_rng(0)
    rung = Asha(within=Worth.kinds[worth]()).rung(np.ones(objectives))
    own = {i: i // shared for i in range(-1, held + JUDGED)}
    rung.admit(dict(enumerate(rng.random((held, objectives)))), own)
    rung.judge({-1: np.full(objectives, 0.5)}, own)
    news = rng.random((JUDGED, objectives))
    start = time.process_time()
    for at in range(0, JUDGED, batch):
        rung.judge(dict(enumerate(news[at : at + batch], held + at)), own)
    return 1e3 * (time.process_time() - start) / JUDGED


def main() -> None:
    """Prints a table: a row for each worth, number of objectives and size of batch.

    Whoever comes alone is a student of one average; of 64 that come together 8 share each student.
    """
    print(f"{'ms a candidate, held:':<36}" + "".join(f"{n:>10,}" for n in SIZES))
    for worth in sorted(Worth.kinds):
        for objectives in (2, 3):
            for batch, shared in ((1, 1), (64, 8)):
                name = f"{worth}, {objectives} objectives, {batch:>2} at a time"
                took = [per_record(worth, objectives, n, batch=batch, shared=shared) for n in SIZES]
                print(f"{name:<36}" + "".join(f"{ms:>10.3f}" for ms in took), flush=True)


if __name__ == "__main__":
    main()
