"""What processes import: a worker what it trains with, the command line's first steps little."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys

import pytest

from search.guards import HOME
from search.imports import uncollected
from tests.search.running import opened

COMPILER = {"torch._dynamo", "torch._inductor", "sympy", "networkx"}
"""PyTorch's, of which nothing is used: 800 modules, and half a second."""

DRIVERS = {"optuna", "mlflow", "matplotlib", "plotly", "moocore", "reports", "search.study"}
"""What finds and shows, and does not train."""

STORED = {"sklearn", "scipy.stats", "scipy.optimize", "sqlalchemy"}
"""What blobs need not be read with."""

TRAIN = """
import pickle, sys
import search.engines.workers
from search.jobs import work
job = pickle.load(sys.stdin.buffer)
running, kept = work(job), None
while True:
    try:
        kept = [record.seat for record in running.send(kept)]
    except StopIteration:
        break
print(*sys.modules)
"""


def modules(code, given=b""):
    """What a fresh process that runs ``code`` has imported."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        check=True,
    )
    return set(done.stdout.decode().split())


@pytest.mark.parametrize("strategy", ["finetune", "mean_teacher"])
def test_a_worker_imports_what_it_trains_with(tmp_path, strategy):
    with opened(tmp_path / "study", f"recipe.strategy={{kind: {strategy}}}") as study:
        job = study.next_job()
    found = modules(TRAIN, pickle.dumps(job))
    assert {"torch", "ray.tune", "search.jobs"} <= found
    assert found & (COMPILER | DRIVERS | STORED) == set()


@pytest.mark.parametrize("module", ["search.cli", "search.commands.launch", "search.progress"])
def test_what_shows_progress_imports_nothing_slow(module):
    found = modules(f"import sys, {module}\nprint(*sys.modules)")
    assert found & {"torch", "numpy", "pandas", "pydantic", "ray", *DRIVERS} == set()


@pytest.mark.parametrize("looks", [True, False])
def test_what_is_imported_stays(looks):
    was = gc.isenabled()
    (gc.enable if looks else gc.disable)()
    before = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            made = [[] for _ in range(1000)]
        assert gc.isenabled() is looks
        assert gc.get_freeze_count() >= before + len(made)
    finally:
        gc.unfreeze()
        (gc.enable if was else gc.disable)()
