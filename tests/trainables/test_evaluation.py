"""What is measured of averages and students, against the plain network asked sample by sample."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.schedules.constant import Constant
from tests.oracles import measures as oracle
from trainables.averagers.ema import Ema
from trainables.averagers.student import Student
from trainables.checkpoints import load_into, save
from trainables.cohort import Cohort, Member
from trainables.evaluation import Evaluation
from trainables.metrics.curves import points
from trainables.models.mlp import Mlp
from trainables.optimizers.sgd import Sgd
from trainables.panels import Panel
from trainables.recipes import Recipe
from trainables.runs import run
from trainables.scenarios.blobs import Blobs
from trainables.scenarios.instance_digits import InstanceDigits
from trainables.scenarios.noisy_labels import NoisyLabels
from trainables.scenarios.split_digits import SplitDigits
from trainables.scoring import MEASURES

SLOW = Ema(momentum=Constant(value=0.9))
FREE = Blobs(tasks=3, steps=12).stream()
MASKED = SplitDigits(steps=6, incremental="task").stream()
HARD = SplitDigits(steps=6).stream()
ALL = Evaluation(("nll", "brier", "ece", "churn", "ahead", "untrained"))


def member(lr, *averagers):
    recipe = Recipe(model=Mlp(hidden=(6,)), optimizer=Sgd(lr=Constant(value=lr)))
    return Member(recipe, averagers or (Student(), SLOW))


def answers(cohort, stream, row, task, split):
    """Of the plain network with the weights in ``row``."""
    network = cohort.learner.network
    network.load_state_dict(cohort.learner.layout.views(row.clone()))
    mask = None if stream.masks is None else stream.masks[task]
    with torch.no_grad():
        logits = network.eval()(split.x)
    return (logits if mask is None else logits.where(mask, -1e9)).tolist()


def expected(cohort, stream, row, name):
    done = list(enumerate(stream.validation))[: cohort.task]
    of = getattr(oracle, name)
    return [of(answers(cohort, stream, row, i, s), s.y.tolist()) for i, s in done]


def told(cohort, stream, evaluation=ALL):
    """Records of the whole run, and of each the rows of weights that they are of."""
    for records in run(cohort, stream, evaluation):
        alive = list(dict.fromkeys(cohort.owners))
        for record, average, owner in zip(records, cohort.averages, cohort.owners, strict=True):
            yield record, average, cohort.students[alive.index(owner)]


@pytest.mark.parametrize("stream", [FREE, MASKED], ids=["free", "masked"])
def test_average_and_student_score_what_the_plain_network_does(stream):
    cohort = Cohort([member(0.05), member(0.3, SLOW, SLOW)], stream, seed=1)
    for record, average, student in told(cohort, stream):
        for prefix, row in (("", average), ("student_", student)):
            for name in ("accuracy", "nll", "brier", "ece"):
                found = record.scores[prefix + name]
                assert found == pytest.approx(expected(cohort, stream, row, name), abs=2e-6)


def test_the_next_task_and_what_the_first_weights_know_of_it():
    cohort = Cohort([member(0.1)], FREE, seed=0)
    start = cohort.learner.start
    for record, average, student in told(cohort, FREE):
        coming = list(enumerate(FREE.validation))[record.task + 1 : record.task + 2]
        for name, row in (("ahead", average), ("student_ahead", student), ("untrained", start)):
            true = [
                oracle.accuracy(answers(cohort, FREE, row, i, s), s.y.tolist()) for i, s in coming
            ]
            assert list(record.scores[name]) == true


def test_churn_is_what_answers_changed_since_the_task_before():
    cohort = Cohort([member(0.02, SLOW)], HARD, seed=0)
    before: dict[str, list[list[int]]] = {}
    seen: list[list[float]] = []
    for record, average, student in told(cohort, HARD):
        for name, row in (("churn", average), ("student_churn", student)):
            now = [
                [z.index(max(z)) for z in answers(cohort, HARD, row, i, s)]
                for i, s in enumerate(HARD.validation[: record.task + 1])
            ]
            pairs = zip(before.get(name, []), now[:-1], strict=True)
            changed = [sum(a != b for a, b in zip(*p, strict=True)) / len(p[0]) for p in pairs]
            assert list(record.scores[name]) == pytest.approx(changed, abs=1e-12)
            before[name] = now
            seen.append(changed)
    assert len({share for row in seen for share in row}) > 6  # it tells tasks and rows apart


def scores(cohort, stream=FREE):
    return {(r.task, r.seat): r.scores for records in run(cohort, stream, ALL) for r in records}


def test_everyone_scores_to_the_last_bit_as_alone():
    members = [member(0.05), member(0.3, SLOW), member(0.3)]
    whole, seat = scores(Cohort(members, FREE, seed=0)), 0
    for one in members:
        for averager in one.averagers:
            alone = scores(Cohort([Member(one.recipe, (averager,))], FREE, seed=0))
            assert all(whole[task, seat] == found for (task, _), found in alone.items())
            seat += 1


def test_cut_at_a_checkpoint_it_measures_as_if_never_cut(tmp_path):
    members = [member(0.05), member(0.3)]
    whole, cut = scores(Cohort(members, FREE, seed=0)), Cohort(members, FREE, seed=0)
    cut.train_task()
    cut.keep([0, 2])
    save(cut, tmp_path / "cut.pt")
    resumed = Cohort(members, FREE, seed=0)
    load_into(resumed, tmp_path / "cut.pt")
    assert scores(resumed) == {k: v for k, v in whole.items() if k[0] > 0 and k[1] in {0, 2}}


def test_a_student_that_diverged_has_no_scores_though_its_average_has():
    still = Ema(momentum=Constant(value=1.0))
    cohort = Cohort([member(1e3, still)], FREE, seed=0)
    (first,) = next(run(cohort, FREE, ALL))
    assert first.failed is None
    assert "nll" in first.scores
    assert not {"student_accuracy", "student_nll"} & set(first.scores)


@pytest.mark.parametrize("name", MEASURES)
@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 40), samples=st.integers(1, 70), classes=st.integers(2, 12))
def test_a_row_is_measured_to_the_last_bit_whoever_else_there_is(name, rows, samples, classes):
    rng = torch.Generator().manual_seed(rows)
    answers = torch.randn(rows, samples, classes, generator=rng) * 3
    labels = torch.randint(classes, (samples,), generator=rng)
    together, of = MEASURES[name](answers, labels), getattr(oracle, name)
    for row, value in zip(answers, together, strict=True):
        assert torch.equal(MEASURES[name](row.unsqueeze(0), labels)[0], value)
    assert float(together[0]) == pytest.approx(of(answers[0].tolist(), labels.tolist()), abs=2e-6)


def test_only_what_is_asked_for_is_measured():
    cohort = Cohort([member(0.1)], FREE, seed=0)
    assert set(next(run(cohort, FREE))[0].scores) == {"accuracy", "student_accuracy"}
    with pytest.raises(ValueError, match=r"unknown measures, got \['accurcy'\]"):
        Evaluation(("accurcy",))


def test_students_cost_a_row_each_and_equal_averages_none():
    cohort = Cohort([member(0.1, Student(), SLOW, SLOW, Student())] * 2, FREE, seed=0)
    cohort.train_task()
    assert [len(rows) for rows in Panel.of(cohort, FREE).stacks] == [2 * 2, 2]


def followed(averager, students, clock):
    """The average by its table, a step at a time in float64."""
    average = students[0].double()
    for share, student in zip(averager.weights(clock), students, strict=False):
        average = average + share * (student.double() - average)
    return average.float()


@pytest.mark.parametrize("every", [1, 5, 40])
def test_a_curve_is_what_the_plain_network_scores_at_those_steps(every):
    students: list[torch.Tensor] = []
    cohort = Cohort(
        [member(0.2, SLOW)],
        FREE,
        seed=0,
        every=every,
        observe=lambda _, block: students.extend(block[0].clone()),
    )
    start = cohort.learner.start
    for (record,) in run(cohort, FREE, Evaluation(every=every)):
        first, end = FREE.clock.task_starts[record.task], record.step
        for prefix in ("", "student_"):
            seen = points(record.scores[f"{prefix}curve"], record.task)
            assert [p[0] for p in seen] == [*range(first, end, every), end]
            for step, *found in seen:
                done = students[: int(step)]
                row = (
                    start if not done else done[-1] if prefix else followed(SLOW, done, FREE.clock)
                )
                for i, split in enumerate(FREE.validation[: record.task + 1]):
                    true = oracle.accuracy(answers(cohort, FREE, row, i, split), split.y.tolist())
                    assert found[i] == true
            assert tuple(seen[-1][1:]) == record.scores[f"{prefix}accuracy"]


def test_looking_in_between_changes_nothing_but_how_averages_round():
    plain, looked = (Cohort([member(0.2), member(0.05)], FREE, seed=0, every=n) for n in (None, 7))
    for _ in run(plain, FREE):
        pass
    for _ in run(looked, FREE, Evaluation(every=7)):
        pass
    assert torch.equal(plain.students, looked.students)
    torch.testing.assert_close(plain.averages, looked.averages, rtol=1e-5, atol=1e-6)


def test_curves_are_to_the_last_bit_those_of_a_member_alone():
    looks, members = Evaluation(every=5), [member(0.05), member(0.3, SLOW)]
    whole = [
        r.scores for rs in run(Cohort(members, FREE, seed=0, every=5), FREE, looks) for r in rs
    ]
    alone = [
        [r.scores for rs in run(Cohort([one], FREE, seed=0, every=5), FREE, looks) for r in rs]
        for one in members
    ]
    first, second = (
        [s[i : i + n] for i in range(0, len(s), n)] for s, n in zip(alone, (2, 1), strict=True)
    )
    assert whole == [scores for a, b in zip(first, second, strict=True) for scores in (*a, *b)]


def test_a_cohort_that_does_not_pause_is_refused():
    cohort = Cohort([member(0.1)], FREE, seed=0, every=3)
    with pytest.raises(ValueError, match=r"evaluation.every=4 cohort.every=3"):
        next(run(cohort, FREE, Evaluation(every=4)))


def test_the_base_set_and_wrong_labels_learnt_by_heart():
    base = InstanceDigits(phases=2, base_steps=8, steps=4, train=300)
    stream = NoisyLabels(of=base, rate=0.4).stream()
    cohort, seen = Cohort([member(0.5, SLOW)], stream, seed=0), []
    for record, average, student in told(cohort, stream, Evaluation(("probe_base", "memorised"))):
        for prefix, row in (("", average), ("student_", student)):
            probe = stream.probes["base"]
            true = oracle.accuracy(answers(cohort, stream, row, 0, probe), probe.y.tolist())
            assert record.scores[f"{prefix}probe_base"] == (true,)
            right = corrupted = 0
            for i, split in enumerate(stream.train[: record.task + 1]):
                said = answers(cohort, stream, row, i, split)
                labels = zip(said, split.y.tolist(), stream.true_labels[i].tolist(), strict=True)
                for logits, wrong, label in labels:
                    corrupted += wrong != label
                    right += wrong != label and logits.index(max(logits)) == wrong
            found = record.scores[f"{prefix}memorised"]
            assert found == pytest.approx((right / corrupted,), abs=1e-12)
            seen.append(found[0])
    assert 0 < max(seen) < 1
