"""A table is built from end to end at a tiny size, and is a world to search in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.tables import build, fit, front, timings
from search import studyfile, tabular
from search.engines.virtual import Fleet
from search.simulation import simulate
from search.surrogates import Fitting
from search.tables import read
from tests.search.running import TEXT


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A study of drifting blobs in place of digits, and little of everything that takes long."""
    study = tmp_path / "tiny.yaml"
    study.write_text(TEXT.replace(", startup: 5", ""))
    monkeypatch.setattr(build, "STUDIES", {"tiny": (str(study), (*build.DESIGN, "fold.members=8"))})
    monkeypatch.setattr(build, "REPEATED", {"tiny": 99})
    monkeypatch.setattr(build, "SEEDS", (1,))
    monkeypatch.setattr(timings, "MEMBERS", (1, 2, 3))
    monkeypatch.setattr(timings, "AVERAGES", (1, 2))
    monkeypatch.setattr(front, "POINTS", 64)
    monkeypatch.setattr(front, "ROUNDS", 2)
    monkeypatch.setattr(fit, "Fitting", lambda: Fitting(nets=1, width=8, epochs=4))


def built(*words):
    build.main(["tiny", *map(str, words)])


def test_a_table_is_built_and_searched(tiny, tmp_path, capsys):
    told = ["--candidates", 40, "--out", tmp_path / "out", "--scratch", tmp_path]
    built(*told)
    path = tmp_path / "out" / "tiny.parquet"
    table, world = read(path), tabular.load(path)
    assert sorted(zip(table.seeds.tolist(), table.data["candidate"].to_pylist(), strict=True)) == [
        (seed, candidate) for seed in (0, 1) for candidate in range(40)
    ]
    assert table.file.budget.candidates == 40
    assert not np.array_equal(table.of_seed(0).accuracy, table.of_seed(1).accuracy, equal_nan=True)
    assert world.noise is not None
    found = simulate(studyfile.read_text(TEXT, "tiny.yaml"), world, Fleet(workers=2))
    assert found.history.counts()["candidates"] == 24
    assert found.history.hypervolume(found.file.goals) > 0
    assert found.usage.busy > 0  # every strategy has its price
    about = json.loads(path.with_suffix(".json").read_text())
    assert about["seeds"].keys() == about["hidden_students"]["error"].keys()
    assert "hypervolume of the true front" in capsys.readouterr().out

    ledger = (tmp_path / "tiny" / "ledger.jsonl").read_bytes()
    built(*told)  # nothing is trained again
    assert (tmp_path / "tiny" / "ledger.jsonl").read_bytes() == ledger
    assert read(path).of_seed(0).data.equals(table.of_seed(0).data)


@pytest.mark.parametrize(
    "words, told",
    [
        (["--candidates", 40], "say --out too"),
        (["--candidates", 8, "--out", "x"], "at least 32, got 8"),
    ],
)
def test_a_small_table_is_neither_too_small_nor_put_in_place_of_ours(tiny, capsys, words, told):
    with pytest.raises(SystemExit):
        built(*words)
    assert told in capsys.readouterr().err
