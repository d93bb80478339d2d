"""A cohort against one member trained the plain way, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from spaces.schedules.constant import Constant
from spaces.schedules.cosine import Cosine
from tests.oracles import averages, training
from trainables import products, programs
from trainables.averagers.ema import Ema
from trainables.averagers.lawa import Lawa
from trainables.averagers.student import Student
from trainables.averagers.uniform import Uniform
from trainables.cohort import Cohort, Member
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.optimizers.adamw import Adamw
from trainables.optimizers.nesterov import Nesterov
from trainables.optimizers.sgd import Sgd
from trainables.recipes import Recipe, program
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.rotated_digits import RotatedDigits
from trainables.scenarios.split_digits import SplitDigits
from trainables.seeds import joined
from trainables.strategies.finetune import Finetune
from trainables.strategies.mean_teacher import MeanTeacher

DROP = Cosine(start=0.1, end=0.001)
OPTIMIZERS = {
    "sgd": Sgd(lr=DROP, momentum=Constant(value=0.8), decay=Constant(value=1e-3)),
    "nesterov": Nesterov(lr=DROP, decay=Constant(value=1e-3)),
    "adamw": Adamw(lr=Cosine(start=0.01, end=0.0), decay=Constant(value=0.1)),
}
TEACHER = MeanTeacher(teacher=Ema(momentum=Constant(value=0.9)), agreement=Constant(value=3.0))
SELDOM = MeanTeacher(teacher=Ema(momentum=Constant(value=0.9), every=7, start=3))
STRATEGIES = {"finetune": Finetune(), "mean_teacher": TEACHER, "teacher_at_times": SELDOM}
AVERAGERS = (Ema(momentum=Constant(value=0.95)), Uniform(start=40, every=3), Student())
BLOBS = Blobs(steps=40).stream()


def flat(cohort, row):
    """A row without its padding, in the order of the network's parameters."""
    return parameters_to_vector(cohort.learner.layout.views(row).values())


def trained(members, stream, *, seed=0):
    """The cohort at the end, and each seat's accuracy[k][i]."""
    cohort, rows = Cohort(members, stream, seed=seed), []
    for task in range(stream.clock.task_count):
        cohort.train_task()
        rows.append(cohort.evaluate(stream.validation[: task + 1]).tolist())
    return cohort, [[row[seat] for row in rows] for seat in cohort.seats]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_is_what_the_plain_loop_trains_to_1e_4_over_the_whole_stream(optimizer, strategy):
    recipe = Recipe(model=Mlp(hidden=(16,)), optimizer=optimizer, strategy=strategy, batch=8)
    cohort, accuracy = trained([Member(recipe, AVERAGERS)] * 2, BLOBS)
    for seat, averager in enumerate(AVERAGERS):
        plain = training.train(recipe, averager, BLOBS, seed=0)
        torch.testing.assert_close(
            flat(cohort, cohort.averages[seat]), plain.average.float(), rtol=1e-4, atol=1e-4
        )
        assert accuracy[seat] == plain.accuracy
    torch.testing.assert_close(
        flat(cohort, cohort.students[1]), plain.student, rtol=1e-4, atol=1e-4
    )


SCENARIOS = {
    "images": RotatedDigits(tasks=2, steps=30),
    "classes": SplitDigits(steps=12),
    "masks": SplitDigits(steps=12, incremental="task"),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
@pytest.mark.parametrize("model", [Mlp(hidden=(32,)), Cnn(channels=(4, 8))], ids=["mlp", "cnn"])
def test_real_data_and_masks_go_as_in_the_plain_loop(scenario, model):
    stream = scenario.stream()
    recipe = Recipe(model=model, optimizer=Sgd(lr=Constant(value=0.05)), strategy=TEACHER)
    cohort, accuracy = trained([Member(recipe, AVERAGERS[:1])], stream)
    plain = training.train(recipe, AVERAGERS[0], stream, seed=0)
    torch.testing.assert_close(
        flat(cohort, cohort.averages[0]), plain.average.float(), rtol=1e-3, atol=1e-4
    )
    for row, expected in zip(accuracy[0], plain.accuracy, strict=True):
        assert row == pytest.approx(expected, abs=0.005)  # a sample on the border may fall off


@pytest.fixture(params=["compiled", "pytorch"])
def multiplied(request, monkeypatch):
    """By kernels of our own, as they would be anywhere; or by PyTorch's."""
    monkeypatch.setattr(products, "compiles", lambda: request.param == "compiled")
    programs.TRACED.clear()
    yield
    programs.TRACED.clear()


@pytest.mark.usefixtures("multiplied")
@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("batch", [1, 5, 32])
@pytest.mark.parametrize("hidden", [(), (1,), (7,), (100, 37)])
def test_matrices_that_are_no_whole_cache_lines_round_alike(threads, batch, hidden):
    stream = RotatedDigits(tasks=1, steps=4).stream()
    members = [
        Member(
            Recipe(model=Mlp(hidden=hidden), optimizer=Sgd(lr=Constant(value=lr)), batch=batch),
            (Student(),),
        )
        for lr in (0.01, 0.02, 0.03, 0.04, 0.05)
    ]
    together, alone = trained(members, stream), [trained([m], stream) for m in members]
    for seat, (cohort, accuracy) in enumerate(alone):
        assert torch.equal(together[0].averages[seat], cohort.averages[0])
        assert together[1][seat] == accuracy[0]


@pytest.mark.usefixtures("multiplied")
@pytest.mark.parametrize("threads", [1], indirect=True)
@pytest.mark.parametrize("strategy", [Finetune(), TEACHER], ids=["finetune", "mean_teacher"])
@pytest.mark.parametrize("channels", [(16, 32), (5, 8)])
def test_convolutions_round_alike_on_one_thread(threads, channels, strategy):
    stream = RotatedDigits(tasks=1, steps=4).stream()
    members = [
        Member(
            Recipe(
                model=Cnn(channels=channels),
                optimizer=Sgd(lr=Constant(value=lr)),
                strategy=strategy,
                batch=8,
            ),
            (Student(),),
        )
        for lr in (0.01, 0.02, 0.03)
    ]
    together, accuracy = trained(members, stream)
    for seat, member in enumerate(members):
        alone = trained([member], stream)
        assert torch.equal(together.averages[seat], alone[0].averages[0])
        assert accuracy[seat] == alone[1][0]


def test_large_cohorts_are_trained_in_parts_that_change_nothing(monkeypatch):
    members = [
        Member(Recipe(strategy=TEACHER, optimizer=Sgd(lr=Constant(value=lr))), AVERAGERS)
        for lr in (0.01, 0.02, 0.03, 0.04, 0.05)
    ]
    whole = trained(members, BLOBS)
    row = whole[0].students[0].numel() * 4
    monkeypatch.setattr("trainables.stepper.CACHE", 2 * row)
    parts = Cohort(members, BLOBS, seed=0)._stepper._parts()
    assert [part.stop - part.start for part in parts] == [2, 3]
    apart = trained(members, BLOBS)
    assert torch.equal(whole[0].averages, apart[0].averages) and whole[1] == apart[1]


def test_a_share_that_rounds_to_none_is_none_in_any_company():
    def member(rate):
        diverging = Sgd(lr=Constant(value=1e38))
        return Member(Recipe(optimizer=diverging, body_rate=Constant(value=rate)), (Student(),))

    alone, company = (
        Cohort([member(1e-60)], BLOBS, seed=0),
        Cohort([member(0.5), member(1e-60)], BLOBS, seed=0),
    )
    alone.train_task()
    company.train_task()
    assert not company.students[1].isfinite().all() and company.students[1, 0].isfinite()
    assert torch.allclose(alone.students[0], company.students[1], rtol=0, atol=0, equal_nan=True)


def test_averages_that_are_the_same_by_now_are_judged_once():
    late = Ema(momentum=Constant(value=0.9), start=50)
    averagers = (Student(), late, *AVERAGERS, late)
    member = Member(Recipe(model=Mlp(hidden=(4,))), averagers)
    cohort, judged = Cohort([member, member], BLOBS, seed=0), []
    for _ in range(3):
        cohort.train_task()
        rows, places = cohort.distinct()
        judged.append(len(rows))
        assert torch.equal(rows[places], cohort.averages)
    # After 40 steps `late` and the uniform mean from step 40 on are the student still.
    assert judged == [2 * 2, 2 * 4, 2 * 4]
    _, rows = trained([member, member], BLOBS)
    for seat, averager in enumerate(averagers):
        assert rows[seat] == trained([Member(member.recipe, (averager,))], BLOBS)[1][0]


def test_windows_over_the_ends_of_tasks_are_those_of_a_deque():
    windows = [(3, 7), (10, 7), (200, 1), (4, 100)]
    averagers = (Student(), *(Lawa(window=n, every=every) for n, every in windows), *AVERAGERS)
    member, students = Member(Recipe(model=Mlp(hidden=(4,))), averagers), []
    cohort = Cohort(
        [member] * 2, BLOBS, seed=0, observe=lambda _, s: students.extend(s[-1].clone().unbind())
    )
    seen = []
    for task in range(3):
        cohort.train_task()
        seen.append(dict(zip(cohort.seats, cohort.averages.clone(), strict=True)))
        if task == 0:
            cohort.keep([8, 10, 12, 15])
    rows = torch.stack(students).double().numpy()
    for seat, (window, every) in zip(range(9, 13), windows, strict=True):
        expected = averages.latest(rows, BLOBS.clock.task_ends, window, every)
        for task in range(3):
            if seat in seen[task]:
                torch.testing.assert_close(
                    seen[task][seat], torch.from_numpy(expected[task]).float()
                )
    assert list(seen[2]) == [8, 10, 12, 15]


def test_members_may_not_differ_in_program():
    members = [Member(Recipe(strategy=s), AVERAGERS) for s in (Finetune(), MeanTeacher())]
    with pytest.raises(ValueError, match="schedules and averagers only"):
        Cohort(members, BLOBS, seed=0)


@pytest.mark.parametrize("members", [[], [Member(Recipe(), ())]])
def test_every_member_is_followed(members):
    with pytest.raises(ValueError, match="every member an averager"):
        Cohort(members, BLOBS, seed=0)


def test_another_seed_is_another_run():
    one, two = (Cohort([Member(Recipe(), AVERAGERS)], BLOBS, seed=s) for s in (0, 1))
    assert not torch.equal(one.students, two.students)


def test_seats_keep_their_numbers_and_do_not_come_back():
    member = Member(Recipe(model=Mlp(hidden=(4,))), AVERAGERS)
    cohort = Cohort([member] * 3, BLOBS, seed=0)
    cohort.keep([8, 1, 2])
    assert cohort.seats == [1, 2, 8] and len(cohort.students) == 2 and len(cohort.averages) == 3
    with pytest.raises(ValueError, match=r"gone=\[0, 7\]"):
        cohort.keep([7, 0, 1])
    cohort.keep([])
    assert cohort.seats == [] and len(cohort.averages) == 0


def test_a_stream_ends():
    cohort, _ = trained([Member(Recipe(model=Mlp(hidden=(4,))), AVERAGERS)], BLOBS)
    with pytest.raises(ValueError, match="no task is left"):
        cohort.train_task()


def test_a_diverged_member_scores_nothing_and_its_neighbour_all():
    members = [
        Member(Recipe(model=Mlp(hidden=(4,)), optimizer=Sgd(lr=Constant(value=lr))), AVERAGERS)
        for lr in (1e30, 0.01)
    ]
    _, accuracy = trained(members, BLOBS)
    scores = torch.tensor([row[-1] for row in accuracy])
    assert scores[:3].isnan().all() and not scores[3:].isnan().any()
    assert accuracy[3:] == trained(members[1:], BLOBS)[1]


def test_a_seed_of_its_own_decides_first_weights_and_batches_and_joins_no_other():
    averagers = (Student(),)

    def ends(own, study):
        recipe = Recipe(model=Mlp(hidden=(16,)), batch=8, seed=own)
        cohort = Cohort([Member(recipe, averagers)], BLOBS, seed=study)
        first = cohort.students.clone()
        cohort.train_task()
        return first, cohort.students

    (first, last), (other_first, other_last) = ends(4, 1), ends(0, joined(1, 4))
    assert torch.equal(first, other_first) and torch.equal(last, other_last)
    assert not torch.equal(first, ends(0, 1)[0]) and not torch.equal(first, ends(4, 2)[0])
    recipes = [Recipe(seed=own) for own in (0, 1)]
    with pytest.raises(ValueError, match="may differ in schedules and averagers only"):
        Cohort([Member(recipe, averagers) for recipe in recipes], BLOBS, seed=0)
    assert program(recipes[0]) == program(recipes[1])
