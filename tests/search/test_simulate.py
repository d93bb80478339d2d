"""`equipoise simulate`: what it prints, and what it refuses."""

import json

import pytest

from search import studyfile, tabular
from search.cli import main
from search.worlds import Arc
from tests.search.running import TEXT


class Recorded(Arc):
    """A table's world in closed form."""

    file = studyfile.read_text(TEXT, "recorded.yaml")


@pytest.fixture
def study(monkeypatch, tmp_path):
    world = Recorded(knobs=Recorded.file.space.knobs(), trade="recipe.optimizer.lr", tasks=4)
    monkeypatch.setattr(tabular, "load", lambda table: world)
    path = tmp_path / "tiny.yaml"
    path.write_text(TEXT)
    return [str(path), "--world", "tiny.parquet", "--set", "sampler={kind: random}", "--seeds", "3"]


def test_a_row_for_each_number_of_workers(study, capsys):
    assert main(["simulate", *study, "--workers", "1", "4", "--json"]) == 0
    one, four = json.loads(capsys.readouterr().out)
    assert (one["workers"], four["workers"], one["seeds"]) == (1, 4, 3)
    assert one["figures"]["wall"][1] > four["figures"]["wall"][1] > 0
    assert one["figures"]["utilisation"] == [pytest.approx(1)] * 3
    assert one["figures"]["candidates"] == [24, 24, 24]
    assert one["figures"]["deaths"] == [0, 0, 0]


def test_slow_and_dying_workers_are_told(study, capsys):
    main(["simulate", *study, "--json"])
    (calm,) = json.loads(capsys.readouterr().out)
    odds = ["--stragglers", "0.5", "--failures", "100"]
    assert main(["simulate", *study, *odds, "--json"]) == 0
    (rough,) = json.loads(capsys.readouterr().out)
    assert rough["figures"]["device_seconds"][1] > calm["figures"]["device_seconds"][1]
    assert rough["figures"]["deaths"][2] > 0
    assert main(["simulate", *study, *odds]) == 0
    said = capsys.readouterr().out
    assert "medians of 3 searches" in said
    assert "utilisation" in said


def test_how_often_candidates_are_repeated_is_told(study, capsys):
    """Whereof a plan knows bounds only."""
    thrice = [*study, "--set", "repeats={seeds: 3}"]
    main(["simulate", *thrice, "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert 2 <= found["figures"]["repeats"][0] <= found["figures"]["repeats"][2] <= 48
    main(["simulate", *thrice])
    assert "trainings that repeat a candidate, row by row: " in capsys.readouterr().out
    main(["simulate", *study])
    assert "repeat" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, told",
    [
        (["--workers", "0"], "must be at least 1, got 0"),
        (["--stragglers", "-1"], "must be at least 0, got -1"),
        (["--failures", "inf"], "must be at least 0, got inf"),
        (["--seeds", "x"], "invalid number value: 'x'"),
    ],
)
def test_what_no_fleet_can_be_is_refused(study, capsys, words, told):
    with pytest.raises(SystemExit) as left:
        main(["simulate", *study, *words])
    assert left.value.code == 2
    assert told in capsys.readouterr().err


def test_a_study_that_the_table_does_not_tell_of_is_refused(study, capsys):
    assert main(["simulate", *study, "--set", "recipe.model.hidden=[9]"]) == 2
    said = capsys.readouterr().err
    assert "recipe.model.hidden.0: 9; tiny.parquet is of 8" in said
