"""The comparison at a tiny size, on the world whose front is known; nobody is judged by it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import compare, rivals, standings
from benchmarks.arenas import Enough, synthetic
from benchmarks.rivals import Race, RayAsha, RayOptuna, SyneMoasha
from benchmarks.ways import Limits, Theirs, ours, search, theirs
from search import studyfile
from spaces.fronts import hypervolume

ARENA = synthetic()
LIMITS = Limits(least=20.0, most=30.0, candidates=64)
NAMES = ["random x12, asha", "qmc x1, no rungs"]


def searched(name, seed):
    return search(compare.chosen([name])[name], ARENA, seed, LIMITS)


def test_every_way_is_a_study_that_can_be_read():
    for way in ours():
        file = ARENA.study(*way.overrides, seed=3, candidates=16)
        assert (file.seed, file.budget.candidates) == (3, 16)


@pytest.mark.parametrize("name", NAMES)
def test_a_search_is_told_as_it_was(name):
    row = searched(name, 0)
    told = {k: v for k, v in searched(name, 0).items() if k != "deciding"}
    assert told == {k: v for k, v in row.items() if k != "deciding"}
    assert json.loads(json.dumps(row)) == row
    assert row["ended"] <= 64
    volume = hypervolume(ARENA.file.objectives.costs(row["front"]), ARENA.reference)
    assert row["hypervolume"] == pytest.approx(volume / ARENA.hypervolume)
    assert row["steps"] == sorted(row["steps"])
    within = [share for seconds, share, _ in row["steps"] if seconds <= LIMITS.least]
    assert row["hypervolume"] == pytest.approx(max(within), abs=1e-6)
    assert row["spent"] >= max(seconds for seconds, _, _ in row["steps"]) - 1e-4


def test_a_search_with_repeats_spends_on_them_and_chooses_by_means():
    """The same search for nothing but luck, and with it: who is on the front is so partly by luck."""
    plain, three = (compare.chosen([f"tpe x12, asha{more}"]) for more in ("", ", repeats 3"))
    sure = replace(LIMITS, least=60.0, most=60.0)
    for noise in (0.0, 0.2):
        arena = replace(ARENA, world=replace(ARENA.world, noise=noise))
        once, often = (search(*way.values(), arena, 0, sure) for way in (plain, three))
        for row in (once, often):
            found = ARENA.file.objectives.costs(row["front"])
            assert row["chosen"] <= hypervolume(found, ARENA.reference) / ARENA.hypervolume + 1e-9
        assert often["ended"] > once["ended"] == 64
        assert often["steps"] == sorted(often["steps"])
        if noise:
            assert 0 <= often["claimed"] - often["chosen"] < once["claimed"] - once["chosen"]
        else:
            assert once["claimed"] == pytest.approx(once["chosen"])


def test_every_way_is_told_of_by_help(capsys):
    with pytest.raises(SystemExit):
        compare.main(["--help"])
    told = capsys.readouterr().out.splitlines()
    assert {f"  {way.name}" for way in [*ours(), *theirs()]} <= set(told)


def test_a_rival_is_asked_and_told_as_its_library_does():
    told = []

    class Searcher(RayOptuna):
        def ended(self, trial, values):
            told.append((trial, values))
            super().ended(trial, values)

    rival = Searcher(ARENA, 0, RayAsha(5, factor=3, grace=2))
    race = Race(arena=ARENA, rival=rival, workers=2, trials=20, seed=0)
    trace, seen = race.run(Enough(ARENA, least=1e9, most=1e9, near=0.95))
    assert seen.ended == 20 == len({trial for trial, _ in told})
    states = [t.state.name for t in rival._searcher._ot_study.get_trials(deepcopy=False)]
    assert states == ["COMPLETE"] * 20  # those that were stopped among them, as in Ray
    assert 0 < len(trace.costs) < 20
    assert trace.seconds[-1] <= seen.spent
    cost = ARENA.world.seconds([[{}]], 0)
    assert seen.spent == pytest.approx(cost * round(seen.spent / cost))


def test_alone_and_never_stopped_a_trial_costs_what_a_job_of_one_does():
    race = Race(arena=ARENA, rival=RayOptuna(ARENA, 0), workers=3, trials=7, seed=0)
    trace, seen = race.run(Enough(ARENA, least=1e9, most=1e9, near=0.95))
    each = sum(ARENA.world.seconds([[{}]], task) for task in range(5))
    assert seen.spent == pytest.approx(7 * each)
    assert len(trace.costs) == 7


def test_another_librarys_scheduler_answers_through_a_pipe(monkeypatch, tmp_path):
    """What talks to Syne Tune, with a stand-in for it: half of all knobs, and stops odd trials."""
    other = tmp_path / "syne_moasha.py"
    other.write_text(
        "import sys, json\n"
        "first = json.loads(input())\n"
        "print('true', flush=True)\n"
        "for line in sys.stdin:\n"
        "    told = json.loads(line)\n"
        "    out = {k: 0.5 for k in first['knobs']} if 'suggest' in told else told['result'] % 2 == 0\n"
        "    print(json.dumps(out), flush=True)\n"
    )
    monkeypatch.setattr(rivals, "__file__", str(tmp_path / "rivals.py"))
    monkeypatch.setenv(rivals.SYNE, sys.executable)
    rival = SyneMoasha(ARENA, 0, priority="linear", factor=3, grace=2)
    race = Race(arena=ARENA, rival=rival, workers=1, trials=6, seed=0)
    trace, seen = race.run(Enough(ARENA, least=1e9, most=1e9, near=0.95))
    rival.close()
    assert (len(trace.costs), seen.ended) == (3, 6)
    assert np.ptp(trace.costs, axis=0) == pytest.approx(0)


def test_ways_that_need_what_is_not_here_are_left_out(monkeypatch):
    monkeypatch.delenv(rivals.SYNE, raising=False)
    assert not [name for name in compare.chosen([]) if "Syne" in name]
    assert list(compare.chosen(["Ray OptunaSearch, FIFO"])) == ["Ray OptunaSearch, FIFO"]
    with pytest.raises(LookupError, match="is not set"):
        rivals.python_with_syne()


def test_what_was_stopped_goes_on(monkeypatch, tmp_path):
    """In this process, and with searches that are made up."""
    asked = []

    def made_up(name, seed, limits):
        asked.append((name, seed))
        return {"way": name, "seed": seed, "to_95": None, "steps": [], "front": []}

    class Pool:
        def __init__(self, *args):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def submit(self, function, *args):
            row = function(*args)
            return SimpleNamespace(result=lambda: row)

    monkeypatch.setattr(compare, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(compare, "as_completed", list)
    monkeypatch.setattr(compare, "_search", made_up)
    ways = {w.name: w for w in [Theirs(name="a", make=None), Theirs(name="b", make=None, seeds=1)]}
    told = {"ways": ways, "limits": LIMITS, "out": tmp_path}
    compare.compare("synthetic", seeds=range(2), **told)
    assert asked == [("a", 0), ("b", 0), ("a", 1)]
    file = tmp_path / "searches.jsonl"
    file.write_text(file.read_text() + '{"way": "a", "se')  # killed while it wrote
    rows = compare.compare("synthetic", seeds=range(3), **told)
    assert asked[3:] == [("a", 2)]
    assert [(r["way"], r["seed"]) for r in rows] == asked
    with pytest.raises(ValueError, match="give another --out"):
        compare.compare("another", seeds=range(3), **told)


def test_standings_are_medians_and_the_soonest_is_first(tmp_path):
    def row(way, seed, to_95):
        figures = dict.fromkeys(standings.FIGURES, 0.5) | {"to_95": to_95}
        return figures | {"way": way, "seed": seed, "steps": [[1.0, 0.5, 8]], "front": [[0.5, 0.5]]}

    rows = [row("slow", s, t) for s, t in enumerate([3.0, None, None])]
    rows += [row("fast", s, t) for s, t in enumerate([2.0, 1.0, 9.0, None, 4.0])]
    found = standings.summary(rows)
    assert list(found) == ["fast", "slow"]
    assert found["fast"]["to_95"] == [2.0, 4.0, 9.0] and found["slow"]["to_95"] == [None] * 3
    assert standings.quartiles([1.0, 2.0, None]) == [1.5, 2.0, None]
    text = standings.table(found, LIMITS)
    assert "| fast | 0.5 [0.5, 0.5] | 4.0 [2.0, 9.0] | 0 [0, 0] | 50.0 [50.0, 50.0] % |" in text
    assert "| never [never, never] |" in text
    standings.figure(rows, found, ARENA, LIMITS, tmp_path / "standings.png")
    assert (tmp_path / "standings.png").stat().st_size > 10_000


def test_the_synthetic_front_is_a_quarter_circle():
    assert ARENA.hypervolume == pytest.approx(np.pi / 4, rel=2e-2)
    assert studyfile.read_text(ARENA.file.text, "arc").name == "arc"
