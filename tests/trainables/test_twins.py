"""Twins against two plain runs, and what they change of the cohort that they stand beside: nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from spaces.schedules.constant import Constant
from tests.oracles import training
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.checkpoints import load_into, save
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation
from trainables.metrics import measure
from trainables.metrics.base import sheet_of
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs
from trainables.seeds import joined
from trainables.twins import FAR, twin_of, twins

STREAM = Blobs(tasks=3, steps=12).stream()
SLOW = Ema(momentum=Constant(value=0.9))
ASKED = Evaluation(("twin_churn",))


def member(lr, seed=0):
    recipe = Recipe(model=Mlp(hidden=(6,)), optimizer=Sgd(lr=Constant(value=lr)), seed=seed)
    return Member(recipe, (Student(), SLOW))


def crew(*rates):
    return [member(lr) for lr in rates]


def pair(members, **where):
    beside = twins(members, STREAM, seed=3, **where)
    return Cohort(members, STREAM, seed=3, twin=beside, **where)


def answered(model, row, task):
    """By the plain network with the weights in ``row``."""
    network = model.build(STREAM.inputs, STREAM.classes, torch.Generator())
    torch.nn.utils.vector_to_parameters(row.float(), network.parameters())
    with torch.no_grad():
        return network(STREAM.validation[task].x).argmax(-1).tolist()


def sheets(cohort, evaluation=ASKED):
    """Of each seat that was never dropped, all that was measured."""
    kept = list(run(cohort, STREAM, evaluation))
    return {seat: sheet_of([_of(r, seat).scores for r in kept]) for seat in cohort.seats}


def _of(records, seat):
    return next(r for r in records if r.seat == seat)


@pytest.mark.parametrize("seat,averager", [(0, Student()), (1, SLOW)])
def test_churn_across_seeds_is_what_two_plain_runs_answer_otherwise(seat, averager):
    one = member(0.1)
    sheet = sheets(pair([one]))[seat]
    own, its = (
        training.train(one.recipe, averager, STREAM, seed=seed) for seed in (3, joined(3, FAR))
    )
    shares = []
    for task in range(3):
        both = [answered(one.recipe.model, p.average, task) for p in (own, its)]
        shares.append(sum(a != b for a, b in zip(*both, strict=True)) / len(both[0]))
    names = ["churn_across_seeds", "student_churn_across_seeds"]
    found = measure(names, sheet)
    assert found[names[0]] == pytest.approx(sum(shares) / 3, abs=1e-12) != 0
    if seat == 0:
        assert found[names[1]] == found[names[0]]


def test_the_twin_of_a_twin_is_the_member():
    for one in (member(0.1), member(0.1, seed=7), member(0.1, seed=2**63 - 1)):
        assert twin_of(one).recipe.seed != one.recipe.seed
        assert twin_of(twin_of(one)) == one


def test_a_twin_is_the_same_with_another_recipe_seed_and_leaves_its_cohort_alone():
    members = crew(0.1, 0.3)
    both, alone = pair(members), Cohort(members, STREAM, seed=3)
    named = [replace(m, recipe=replace(m.recipe, seed=FAR)) for m in members]
    other = Cohort(named, STREAM, seed=3)
    for _ in range(3):
        for cohort in (both, alone, other):
            cohort.train_task()
    assert torch.equal(both.averages, alone.averages)
    assert torch.equal(both.twin.averages, other.averages)
    assert not torch.equal(both.twin.averages, both.averages)


def test_in_any_company_dropped_saved_and_resumed_alike(tmp_path):
    alone = sheets(pair(crew(0.3)))
    among = pair(crew(0.1, 0.3, 0.03))
    running = run(among, STREAM, ASKED)
    first = next(running)
    among.keep([0, 2, 3])
    save(among, tmp_path / "saved.pt")
    resumed = pair(crew(0.1, 0.3, 0.03))
    load_into(resumed, tmp_path / "saved.pt")
    assert resumed.twin.seats == resumed.seats == [0, 2, 3]
    assert len(resumed.twin.students) == 2
    later = list(run(resumed, STREAM, ASKED))
    for seat, mine in ((2, 0), (3, 1)):
        assert sheet_of([_of(r, seat).scores for r in (first, *later)]) == alone[mine]


def test_a_twin_that_failed_has_no_answers_to_compare():
    cohort = pair(crew(0.1, 0.3))
    cohort.twin.students[1].fill_(torch.nan)
    found = sheets(cohort)
    assert measure(["churn_across_seeds"], found[0])["churn_across_seeds"] >= 0
    assert torch.tensor(list(measure(["churn_across_seeds"], found[2]).values())).isnan()


def test_without_a_twin_there_is_nothing_to_compare_with(tmp_path):
    cohort = Cohort(crew(0.1), STREAM, seed=3)
    with pytest.raises(ValueError, match="twin_churn: the cohort has no twin"):
        next(run(cohort, STREAM, ASKED))
    save(cohort, tmp_path / "saved.pt")
    with pytest.raises(ValueError, match="another twin"):
        load_into(pair(crew(0.1)), tmp_path / "saved.pt")
