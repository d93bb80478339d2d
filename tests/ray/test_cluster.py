"""A cluster that is there already, reached from a folder that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ray.cluster_utils import Cluster

from search.folders import load
from search.guards import HOME
from tests.search.running import TEXT

pytestmark = pytest.mark.ray


@pytest.fixture
def two_nodes():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


def test_a_study_runs_on_an_existing_cluster(two_nodes, tmp_path, with_store):
    with_store(tmp_path / "study")
    (tmp_path / "tiny.yaml").write_text(TEXT)
    words = ["launch", "tiny.yaml", "--dir", "study", "--address", two_nodes]
    done = subprocess.run(
        [sys.executable, "-m", "search", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    history, study = load(tmp_path / "study")
    assert history.counts()["candidates"] == study.budget.candidates
    assert history.counts()["failed"] == history.counts()["running"] == 0
