"""The study file: what it says, what it refuses and in which words, what ships."""

from __future__ import annotations

import random

import pytest

from search.samplers.random import Random
from search.samplers.suggestions import Suggestions
from search.studyfile import StudyFile, read, read_text, shipped
from spaces.domains import Choice, Range
from spaces.objectives import Objectives
from spaces.same import lacking
from spaces.specs import SpecError
from spaces.writing import flow
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.averagers.uniform import Uniform
from trainables.strategies.mean_teacher import MeanTeacher

GOOD = """\
name: demo
seed: 1
scenario: {kind: blobs, tasks: 4}
objectives: {plasticity: max, stability: max}
recipe:
  optimizer: {kind: sgd, lr: !log [1e-3, 1]}
  strategy: !choice
    - {kind: finetune}
    - {kind: mean_teacher, teacher: {kind: ema, momentum: !near_one [0.9, 0.99]}}
averagers:
  - kind: ema
    momentum: {kind: cosine, start: !near_one [0.9, 0.9999], end: 1.0}
    every: !int [1, 10]
  - kind: uniform
budget: {candidates: 8}
rungs: {factor: 2}
"""


OBJECTIVES = Objectives.of({"plasticity": "max", "stability": "max"})
BELIEVED = (
    GOOD[: GOOD.index("averagers:")]
    + """\
averagers: !choice
  options:
    - kind: ema
      momentum: {kind: cosine, start: !near_one [0.9, 0.9999], end: 1.0}
      every: !int [1, 10]
    - kind: uniform
  prior: [3, 1]
budget: {candidates: 8}
rungs: {factor: 2}
"""
)
"""As ``GOOD``, with a prior of averagers."""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def problems_of(text, *overrides):
    with pytest.raises(SpecError) as error:
        read_text(text, "study.yaml", overrides)
    return error.value.problems


def test_settings():
    study = read_text(GOOD, "study.yaml")
    assert (study.name, study.seed, study.budget.candidates) == ("demo", 1, 8)
    assert study.objectives.reference == (0.0, 0.0)
    assert (study.rungs.factor, study.rungs.first_task) == (2, 2)
    assert (study.sampler.kind, study.device, study.tracking) == ("tpe", "auto", None)
    assert (study.fold.members, study.resources.cpu, study.resources.gpu) == (8, 1, 0)
    assert (study.text, study.source, study.overrides) == (GOOD, "study.yaml", ())


def test_space():
    study = read_text(GOOD, "study.yaml")
    assert list(study.space.knobs()) == [
        "recipe.optimizer.lr",
        "recipe.strategy",
        "recipe.strategy.1.teacher.momentum",
        "averager",
        "averager.0.momentum.start",
        "averager.0.every",
    ]


def test_candidates_are_typed():
    study = read_text(GOOD, "study.yaml")
    _, filled = study.space.draw(lambda path, domain: domain.at(1.0))
    recipe, averager = study.candidate(filled)
    assert isinstance(recipe.strategy, MeanTeacher) and averager == Uniform()
    _, filled = study.space.draw(lambda path, domain: domain.at(0.0))
    assert isinstance(study.candidate(filled)[1], Ema)


def test_a_candidate_of_another_space_is_refused():
    with pytest.raises(SpecError, match="averager: a mapping with a kind is due"):
        read_text(GOOD, "study.yaml").candidate({"recipe": {}, "averager": 3})


def test_a_single_averager_is_no_knob():
    study = read_text(GOOD, "study.yaml", ["averagers=[{kind: ema, momentum: !near_one [0, 0.9]}]"])
    assert "averager" not in study.space.knobs()
    assert study.space.knobs()["averager.0.momentum"] == Range(0, 0.9, "near_one")


def test_references_default_to_the_worst_of_the_metric():
    text = changed(
        "{plasticity: max, stability: max}",
        "{forgetting: min, backward_transfer: {direction: max}, "
        "accuracy: {direction: max, reference: 0.1}}",
    )
    assert read_text(text, "s").objectives.reference == (1.0, -1.0, 0.1)


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("name: demo", "name: My Study", "1: name: must match ^[a-z0-9][a-z0-9-]*$, got 'My Study'"),
        ("seed: 1", "seed: true", "2: seed: a whole number is due, got true"),
        ("seed: 1", "seed: -1", "2: seed: must be at least 0, got -1"),
        ("seed: 1", "sede: 1", "2: sede: unknown key (did you mean 'seed'?)"),
        ("seed: 1", "seed: 1\nseed: 2", "3: seed: already given on line 2"),
        ("blobs", "blob", "3: scenario: unknown kind 'blob' (did you mean 'blobs'?)"),
        ("tasks: 4", "task: 4", "3: scenario.blobs.task: unknown key (did you mean 'tasks'?)"),
        ("{plasticity: max, ", "{", ("4: objectives: a trade-off is between at least two metrics, "
         "such as {plasticity: max, stability: max}")),
        ("plasticity: max", "plasticty: max",
         "4: objectives.plasticty: unknown metric (did you mean 'plasticity'?)"),
        ("plasticity: max", "plasticity: min",
         "4: objectives.plasticity: more plasticity is better: write max, got min"),
        ("plasticity: max", "forgetting: max",
         "4: objectives.forgetting: less forgetting is better: write min, got max"),
        ("plasticity: max", "plasticity: up", "4: objectives.plasticity: 'max' or 'min' is due, got 'up'"),
        ("plasticity: max", "plasticity: {direction: max, reference: 2}",
         "4: objectives.plasticity: its reference must be between 0 and 1, got 2"),
        ("kind: sgd", "kind: sdg", "6: recipe.optimizer: unknown kind 'sdg' (did you mean 'sgd'?)"),
        ("!log [1e-3, 1]", "!log [1, 1e-3]", ("6: recipe.optimizer.lr: !log: the range is empty: "
         "its low end must be below its high end, got 1 and 0.001")),
        ("!log [1e-3, 1]", "!uniform [-1, 1]", ("6: recipe.optimizer.sgd.lr: must be at least 0 and "
         "finite at every step, got -1.0 at step 0 of 64 (the low end: !uniform [-1, 1])")),
        ("{kind: finetune}", "{kind: finetune, x: 1}",
         "8: recipe.strategy.0.finetune.x: unknown key (one of terms)"),
        ("!near_one [0.9, 0.99]", "!uniform [0.9, 1.5]",
         ("9: recipe.strategy.1.mean_teacher.teacher.ema.momentum: must be between 0 and 1 at every "
         "step, got 1.5 at step 0 of 64 (the high end: !uniform [0.9, 1.5])")),
        ("kind: ema\n", "kind: ema\n    evry: 2\n",
         "12: averagers.0.ema.evry: unknown key (did you mean 'every'?)"),
        ("start: !near_one [0.9, 0.9999]", "start: !uniform [-1, 1]",
         ("12: averagers.0.ema.momentum: must be between 0 and 1 at every step, got -1.0 at step 0 "
         "of 64 (the low end of averagers.0.momentum.start: !uniform [-1, 1])")),
        ("!int [1, 10]", "!int [0, 10]",
         "13: averagers.0.ema.every: must be at least 1, got 0 (the low end: !int [0, 10])"),
        ("!int [1, 10]", "!uniform [1, 10]",
         "13: averagers.0.ema.every: a whole number is due, got !uniform [1, 10]"),
        ("kind: uniform", "kind: unifrom",
         "14: averagers.1: unknown kind 'unifrom' (did you mean 'uniform'?)"),
        ("kind: uniform", "kind: !choice [uniform, unifrom]",
         "14: averagers.1: unknown kind 'unifrom' (did you mean 'uniform'?)"),
        ("kind: uniform", "every: 2",
         f"14: averagers.1: 'kind' is missing (one of {', '.join(sorted(Averager.kinds))})"),
        ("candidates: 8", "candidates: 0", "15: budget.candidates: must be at least 1, got 0"),
        ("candidates: 8", "candidates: !int [1, 2]",
         "15: budget.candidates: a hole may stand under recipe and averagers only, got !int [1, 2]"),
        ("factor: 2", "factor: 1", "16: rungs.factor: must be at least 2, got 1"),
        ("factor: 2", "first_task: 4", ("16: rungs.first_task: must be below the number of tasks, or "
         "no rung ever judges: got 4 with 4 tasks (rungs: null goes without)")),
        ("rungs: {factor: 2}", "rungs: {kind: hyperband, factor: 1}",
         "16: rungs.hyperband.factor: must be at least 2, got 1"),
        ("rungs: {factor: 2}", "rungs: {kind: hyperband, brackets: 3}",
         "16: rungs.brackets: with 4 tasks there are 2 that differ, got 3"),
        ("rungs: {factor: 2}", "rungs: {factr: 2}",
         "16: rungs.factr: unknown key (did you mean 'factor'?)"),
        ("rungs: {factor: 2}", "rungs: {within: {kind: epsilon}}",
         "16: rungs.within: unknown kind 'epsilon' (did you mean 'epsilon_net'?)"),
        ("rungs: {factor: 2}", "rungs: {kind: halving, first_task: 4}",
         ("16: rungs.first_task: must be below the number of tasks, or "
          "no rung ever judges: got 4 with 4 tasks (rungs: null goes without)")),
        ("rungs: {factor: 2}", "device: gpu",
         "16: device: 'auto', 'cpu', 'cuda' or 'mps' is due, got 'gpu'"),
        ("rungs: {factor: 2}", "resources: {cpu: 0}", "16: resources.cpu: must be above 0, got 0"),
        ("rungs: {factor: 2}", "resources: {gpu: 1.5}",
         "16: resources: gpu: a fraction shares one GPU; beyond 1 it is whole, got 1.5"),
        ("rungs: {factor: 2}", "sampler: tpe", "16: sampler: a mapping with a kind is due, got 'tpe'"),
        ("rungs: {factor: 2}", "tracking: 3",
         "16: tracking: a word is due (in quotes if it looks like a number), got 3"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem(old, new, problem):
    assert problems_of(changed(old, new)) == [f"study.yaml:{problem}"]


def test_every_mistake_of_a_file_in_one_pass():
    text = """\
nam: x
scenario: {kind: blobs, tasks: 0}
scenario: {kind: blobs}
objectives: {plasticity: maximum, stability: max}
recipe: {optimizer: {kind: sgd, lr: !lg [1, 2]}, batch: !int [1, 2.5]}
averagers:
  - {kind: ema, momentum: 2}
  - {kind: power, gama: !log [0, 1]}
  - ema
budget: {}
rungs: 3
"""
    assert problems_of(text) == [
        "study.yaml:1: nam: unknown key (did you mean 'name'?)",
        "study.yaml:1: name: is missing",
        "study.yaml:2: scenario.blobs.tasks: must be at least 1, got 0",
        "study.yaml:3: scenario: already given on line 2",
        "study.yaml:4: objectives.plasticity: 'max' or 'min' is due, got 'maximum'",
        "study.yaml:5: recipe.batch: !int: both ends must be whole numbers, got 1 and 2.5",
        "study.yaml:5: recipe.optimizer.lr: unknown tag !lg (did you mean '!log'?)",
        (
            "study.yaml:7: averagers.0.ema.momentum: must be between 0 and 1 at every step, "
            "got 2.0 at step 0 of 64"
        ),
        "study.yaml:8: averagers.1.gama: !log: the low end must be above 0, got 0",
        "study.yaml:8: averagers.1.power.gamma: is missing",
        "study.yaml:9: averagers.2: a mapping with a kind is due, got 'ema'",
        (
            "study.yaml:10: budget: at least one of candidates, device_seconds, wall_seconds and "
            "gain is due"
        ),
        "study.yaml:11: rungs: a mapping is due, got 3",
    ]


@pytest.mark.parametrize(
    "text", ["3", "- a", "a", "null", "!log [1, 2]", "!choice [1]", "{}", "a: 1"]
)
def test_what_is_no_study_at_all(text):
    assert all(problem.startswith("study.yaml:1: ") for problem in problems_of(text))


@pytest.mark.parametrize("key", ["recipe", "averagers", "scenario", "objectives", "budget", "name"])
@pytest.mark.parametrize(
    "value", ["3", "null", "[]", "{}", "[3]", "!choice [3, 4]", "!log [1, 2]", "!same recipe.x"]
)
def test_whatever_stands_under_a_key_no_traceback(key, value):
    if (key, value) != ("recipe", "{}"):
        assert problems_of(GOOD, f"{key}={value}")


def test_models_that_do_not_fit_the_scenario_are_refused_option_by_option():
    models = """recipe:
  model: !choice
    - {kind: mlp}
    - {kind: cnn, channels: !choice [[4], [4, 4, 4, 4]]}
"""
    due = "does not fit the scenario: a cnn of {} blocks takes images [channels, height, width]"
    found = problems_of(changed("recipe:\n", models))
    assert len(found) == 2
    for problem, blocks in zip(found, (1, 4), strict=True):
        assert problem.startswith(f"study.yaml:8: recipe.model.1: {due.format(blocks)}")


def test_a_model_may_fit_one_scenario_and_not_another():
    cnn = "recipe:\n  model: {kind: cnn}\n"
    fits = changed("recipe:\n", cnn).replace("kind: blobs, tasks: 4", "kind: rotated_digits")
    assert read_text(fits, "study.yaml")
    assert "recipe.model: does not fit" in problems_of(changed("recipe:\n", cnn))[0]


def test_nothing_to_search():
    fixed = ["recipe={}", "averagers=[{kind: uniform}]"]
    assert problems_of(GOOD, *fixed) == [
        (
            "study.yaml:15: budget.candidates: there is nothing to search: neither the recipe nor the "
            "averager has a hole, such as !log [1e-3, 1], got 8 candidates"
        )
    ]
    assert read_text(GOOD, "s", [*fixed, "budget.candidates=1"]).space.knobs() == {}


def test_overrides():
    study = read_text(
        GOOD,
        "study.yaml",
        [
            "seed=7",
            "averagers.0.every=4",
            "recipe.optimizer.lr=!log [1e-3, 0.1]",
            "recipe.strategy.1.agreement=2",
            "resources.cpu=2",
            "rungs=null",
            "averagers.1.start=3",
        ],
    )
    assert (study.seed, study.resources.cpu, study.rungs) == (7, 2, None)
    assert study.space.knobs()["recipe.optimizer.lr"] == Range(1e-3, 0.1, "log")
    assert "averager.0.every" not in study.space.knobs()
    _, filled = study.space.draw(lambda path, domain: domain.at(1.0))
    recipe, averager = study.candidate(filled)
    assert recipe.strategy.agreement.value == 2 and averager == Uniform(start=3)


def test_the_last_of_two_overrides_holds():
    assert read_text(GOOD, "s", ["seed=7", "seed=8"]).seed == 8


@pytest.mark.parametrize(
    "override, problem",
    [
        ("seed", "a path and a value are due, such as a.b=v"),
        ("seed=", "a path and a value are due, such as a.b=v"),
        ("=1", "a path and a value are due, such as a.b=v"),
        ("recipe..lr=1", "a path and a value are due, such as a.b=v"),
        ("seed=x", "seed: a whole number is due, got 'x'"),
        ("sede=1", "sede: unknown key (did you mean 'seed'?)"),
        ("recipe.optimzer.lr=1", "recipe.optimzer: unknown key (did you mean 'optimizer'?)"),
        ("averagers.2.every=1", "averagers has no entry '2': its entries are numbered 0 to 1"),
        ("averagers.x.every=1", "averagers has no entry 'x': its entries are numbered 0 to 1"),
        ("recipe.strategy.2.x=1", "recipe.strategy has no entry '2': its entries are numbered 0 to 1"),
        ("seed.x=1", "seed is 1, which holds no 'x'"),
        ("recipe.optimizer.lr.kind=1",
         "recipe.optimizer.lr is !log [0.001, 1], which holds no 'kind'"),
        ("averagers.0.every=0", "averagers.0.ema.every: must be at least 1, got 0"),
        ("averagers.0.every=!int [0, 3]",
         "averagers.0.ema.every: must be at least 1, got 0 (the low end: !int [0, 3])"),
        ("recipe.strategy.1.agreement=-1", ("recipe.strategy.1.mean_teacher.agreement: must be at "
         "least 0 and finite at every step, got -1.0 at step 0 of 64")),
        ("averagers.0.momentum=!lg [1, 2]",
         "averagers.0.momentum: unknown tag !lg (did you mean '!log'?)"),
        ("fold={members: 0}", "fold.members: must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_named(override, problem):
    assert problems_of(GOOD, override) == [f"--set {override}: {problem}"]


def test_an_override_mends_what_the_file_got_wrong():
    assert read_text(changed("seed: 1", "seed: x"), "s", ["seed=2"]).seed == 2


def test_the_same_text_reads_the_same():
    assert read_text(GOOD, "s") == read_text(GOOD, "s")
    assert read_text(GOOD, "s") != read_text(GOOD, "s", ["seed=9"])


def test_shipped_studies_say_what_they_are_for():
    assert {"digits-frontier", "split-digits", "smoke"} <= shipped().keys()
    assert all(len(line) > 20 and not line.startswith("#") for line in shipped().values())


@pytest.mark.parametrize("name", shipped())
def test_shipped_studies_are_legal_everywhere(name):
    study, rng = read(name), random.Random(0)
    assert isinstance(study, StudyFile) and study.name == name
    for _ in range(200):
        _, filled = study.space.draw(lambda path, domain: domain.at(rng.random()))
        if not lacking(filled):  # an average that not every student has
            study.candidate(filled)


def test_a_path_is_read_as_it_is_given(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(GOOD)
    assert read(file) == read(str(file)) and read(file).source == str(file)
    file.write_text(changed("seed: 1", "sede: 1"))
    with pytest.raises(SpecError, match=r"study\.yaml:2: sede: unknown key"):
        read(file)


@pytest.mark.parametrize(
    "name, problem",
    [
        ("smok", "smok: no shipped study has this name (did you mean 'smoke'?), and there is no such file"),
        ("none.yaml", "none.yaml: there is no such file"),
        ("none/such", "none/such: there is no such file"),
    ],
)  # fmt: skip
def test_an_unknown_study(name, problem):
    with pytest.raises(SpecError) as error:
        read(name)
    assert error.value.problems == [problem]


def test_corners_stay_linear_in_the_knobs():
    averagers = "\n".join(
        "  - {kind: ema, momentum: {kind: cosine, start: !uniform [0, 1], end: !uniform [0, 1]}, "
        "every: !int [1, 9]}"
        for _ in range(10)
    )
    text = changed("  - kind: uniform\n", averagers + "\n")
    study = read_text(text, "s")
    ends = sum(len(domain.corners()) for domain in study.space.knobs().values())
    assert len(study.space.knobs()) == 36
    assert len(list(study.space.corners())) == 1 + ends


def test_averagers_may_be_a_choice_with_a_prior():
    plain, believed = read_text(GOOD, "study.yaml"), read_text(BELIEVED, "study.yaml")
    assert believed.space.knobs()["averager"].prior == (3, 1)
    assert list(believed.space.knobs()) == list(plain.space.knobs())
    options = believed.space.template["averager"].options
    assert options == plain.space.template["averager"].options
    listed = read_text(GOOD, "study.yaml", [f"averagers={flow(Choice(options))}"])
    assert listed.space == plain.space
    written = flow(believed.space.knobs()["averager"])
    again = read_text(BELIEVED, "study.yaml", [f"averagers={written}"])
    assert again.space == believed.space
    first = [_first(believed.space, seed)["averager"] for seed in range(200)]
    assert 30 < sum(first) < 70  # one in four


def _first(space, seed):
    """The knobs that the first candidate has, which follows the priors."""
    return Suggestions(Random(), space, OBJECTIVES, seed).ask(0).knobs


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("prior: [3, 1]", "prior: [3]",
         "study.yaml:10: averagers: !choice: the prior must have a weight for each of 2 options, got 1"),
        ("prior: [3, 1]", "prior: [3, 1]\n  share: 2",
         "study.yaml:10: averagers: !choice: a list of options, or {options: [a, b], prior: [0.7, 0.3]}, is due"),
        ("every:", "evry:", "study.yaml:14: averagers.0.ema.evry: unknown key (did you mean 'every'?)"),
        ("!int [1, 10]", "!int [0, 10]", ("study.yaml:14: averagers.0.ema.every: must be at least 1, got 0 "
         "(the low end: !int [0, 10])")),
        ("kind: uniform", "kind: by_drift", "study.yaml:15: averagers.1: by_drift: depends on what is measured"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_choice_of_averagers_is_told_where_it_stands(old, new, problem):
    assert old in BELIEVED
    assert [p[: len(problem)] for p in problems_of(BELIEVED.replace(old, new))] == [problem]


def test_anchors_and_claims_look_into_a_choice_of_averagers():
    said = BELIEVED + "anchors: [{averager.0.every: 11}]\n"
    assert problems_of(said) == [
        "study.yaml:19: anchors.0: averager.0.every: 11 is outside of !int [1, 10]"
    ]
    alone = changed("lr: !log [1e-3, 1]", "lr: 0.1")
    alone = (
        alone[: alone.index("  strategy")]
        + "averagers: !choice {options: [{kind: student}], prior: [1]}\n"
    )
    assert "there is nothing to search" in problems_of(f"{alone}budget: {{candidates: 8}}\n")[0]
