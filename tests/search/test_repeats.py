"""Seeds as a rung: promising candidates are trained again before the front is decided."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from search.engines.virtual import Fleet
from search.events import Asked, Opened, Outcome
from search.folders import load
from search.goals import Goals
from search.history import History
from search.ledger import NAME
from search.repeats import Repeats, asked, due, promising
from search.simulation import simulate
from search.studyfile import read_text
from search.worlds import Arc, luck
from spaces.objectives import Objectives
from spaces.problems import SpecError
from tests.search.running import TEXT, findings, finish, ran, reopened

GOALS = Goals(objectives=Objectives.of({"a": "max", "b": "min"}))
REPEATED = ("repeats={seeds: 3}", "budget.candidates=9", "sampler={kind: random}")


def told(*trainings):
    """A history of complete candidates: ``(repeats or None, values)`` each, None if it failed."""
    history = History(Opened(name="told", text=""))
    for number, (first, values) in enumerate(trainings):
        config = {"recipe": {"lr": 1.0, "seed": 5}, "averager": {}}
        history.add(Asked(candidate=number, knobs={"k": 1}, config=config, repeats=first))
        state = "failed" if values is None else "complete"
        named = dict(zip("ab", values or (), strict=bool(values)))
        history.add(Outcome(candidate=number, state=state, values=named, task=1, at=0.0))
    return history


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("repeated") / "study", *REPEATED)


def test_whoever_is_on_the_front_was_trained_with_every_seed(whole):
    history, file = load(whole)
    front = history.front(file.goals)
    assert front
    assert {len(history.trainings(c)) for c in front} == {3}
    assert history.counts()["candidates"] == history.drawn == 9
    assert history.counts()["repeats"] == len(history.candidates) - 9 > 0


def test_a_repeat_differs_by_its_seed_alone_and_is_measured_with_it(whole):
    history, file = load(whole)
    for first, repeats in history.repeats.items():
        seeds = [file.candidate(history.candidates[c].config)[0].seed for c in [first, *repeats]]
        assert seeds == list(range(len(seeds)))
        for c in repeats:
            config = history.candidates[c].config
            unseeded = config["recipe"] | {"seed": 0}
            assert history.candidates[c].knobs == history.candidates[first].knobs
            assert config["averager"] == history.candidates[first].config["averager"]
            assert file.candidate(config | {"recipe": unseeded}) == file.candidate(
                history.candidates[first].config
            )
            assert history.rows(c) != history.rows(first)
            assert history.outcomes[c].state == "complete"  # no rung has judged it


def test_averages_of_a_student_share_its_repeats(whole):
    history, _ = load(whole)
    for queued in history.jobs.values():
        firsts = [history.candidates[c].repeats for c in queued.candidates]
        assert all(f is None for f in firsts) or all(f is not None for f in firsts)
        for member in queued.members:
            recipes = [history.candidates[c].config["recipe"] for c in member]
            assert all(recipe == recipes[0] for recipe in recipes)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.85, 0.95, 0.99])
def test_cut_anywhere_and_resumed_it_ends_as_if_never_cut(whole, tmp_path, share):
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    ledger = (cut / NAME).read_bytes()
    (cut / NAME).write_bytes(ledger[: int(share * len(ledger))])
    with reopened(cut) as study:
        assert findings(finish(study)) == findings(load(whole)[0])


def test_means_and_errors_are_over_the_seeds_that_have_ended():
    history = told((None, (1.0, 5.0)), (None, (4.0, 4.0)), (0, (2.0, 5.0)), (0, (6.0, 2.0)))
    history.add(Asked(candidate=4, knobs={}, config={}, repeats=1))
    np.testing.assert_allclose(history.values([0, 1], "ab"), [[3.0, 4.0], [4.0, 4.0]])
    assert history.errors(0, "ab") == pytest.approx({"a": np.sqrt(7 / 3), "b": 1.0})
    assert history.errors(1, "ab") == {}
    assert history.front(GOALS) == [1]
    assert history.in_state("complete") == [0, 1]
    assert due(history, GOALS, Repeats()) == []  # it still runs


def test_a_seed_that_fails_takes_its_candidate_off_the_front():
    history = told((None, (1.0, 1.0)), (None, (0.5, 2.0)), (0, None))
    assert history.front(GOALS) == [1]
    assert due(history, GOALS, Repeats(margin=5.0)) == [1]


def test_who_is_lucky_once_is_repeated_until_it_is_known():
    lucky = [(None, (3.0, 1.0)), (None, (2.0, 1.0))]
    history = told(*lucky)
    assert due(history, GOALS, Repeats()) == [0]
    (again,) = asked(history, [0])
    assert (again.candidate, again.repeats, again.config["recipe"]["seed"]) == (2, 0, 6)
    history = told(*lucky, (0, (0.0, 1.0)))
    assert due(history, GOALS, Repeats()) == [1]  # no longer promising: not repeated further
    assert due(history, GOALS, Repeats(margin=1.0)) == [0, 1]


def test_promising_is_as_defined():
    rng = np.random.default_rng(0)
    for _ in range(30):
        trainings = [(None, tuple(rng.normal(size=2))) for _ in range(6)]
        trainings += [(int(f), tuple(rng.normal(size=2))) for f in rng.integers(0, 6, 5)]
        history, margin = told(*trainings), float(rng.uniform(0, 2))
        groups = [
            np.array([v for i, (f, v) in enumerate(trainings) if c in (i, f)]) for c in range(6)
        ]
        squares = sum(((g - g.mean(axis=0)) ** 2).sum(axis=0) for g in groups)
        deviation = np.sqrt(squares / sum(len(g) - 1 for g in groups))
        means = [g.mean(axis=0) * (-1, 1) for g in groups]
        expected = [
            c
            for c, g in enumerate(groups)
            if not any(
                (m <= means[c] - margin * deviation / np.sqrt(len(g))).all()
                for m in means[:c] + means[c + 1 :]
            )
        ]
        assert promising(history, GOALS, margin) == expected


class Chancy(Arc):
    """A quarter circle of radius 0.6 at most, so that luck has room; a tenth of it is luck."""

    def accuracy(self, candidates, seed):
        chance = [1 + 0.1 * luck(knobs, seed)[0] for knobs in candidates]
        return self.true(candidates) * np.array(chance)[:, None, None]

    def true(self, candidates):
        return 0.6 * super().accuracy(candidates, 0)


def test_the_front_is_less_of_a_winners_curse():
    """How much better a front is told to be than its candidates are, in simulated searches."""
    curse = {}
    for said in ("null", "{seeds: 6}"):
        excess = []
        for seed in range(6):
            file = read_text(ARC, "arc.yaml", [f"repeats={said}", f"seed={seed}"])
            world = Chancy(knobs=file.space.knobs(), trade="averager.0.momentum", tasks=4)
            history = simulate(file, world, Fleet(workers=2)).history
            front = history.front(file.goals)
            true = world.true([history.candidates[c].knobs for c in front])
            found = history.values(front, ["plasticity", "stability"])
            excess += (np.hypot(*found.T) / np.hypot(true[:, 0, 0], true[:, -1, 0]) - 1).tolist()
        curse[said] = np.mean(excess)
    assert curse["null"] > 0.02
    assert abs(curse["{seeds: 6}"]) < 0.7 * curse["null"]


def test_a_seed_is_searched_or_repeated():
    text = TEXT.replace("  model:", "  seed: !int [0, 9]\n  model:")
    with pytest.raises(SpecError, match=r"5: recipe.seed: repeats train with further seeds"):
        read_text(text, "tiny.yaml", ["repeats={seeds: 2}"])


ARC = """\
name: arc
scenario: {kind: blobs, tasks: 4, steps: 6}
objectives: {plasticity: max, stability: max}
recipe:
  optimizer: {kind: sgd, lr: !log [1.0e-2, 0.5]}
averagers:
  - {kind: ema, momentum: !near_one [0.5, 0.99]}
budget: {candidates: 64}
fold: {members: 4, averages: 4}
sampler: {kind: random}
"""
