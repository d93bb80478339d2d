from __future__ import annotations

import math

import pytest

from reports.knobs import knobs_of, option_label, sentence, settings
from spaces.domains import Choice, Range
from spaces.same import Same
from tests.reports import studies

MOMENTUM = Range(0.9, 0.9999, "near_one")
EVERY = Range(1, 50, "linear", whole=True)
LR = Range(1e-3, 1.0, "log")


def test_labels_are_short_and_tell_apart_what_may_be_in_play_together():
    history = studies.empty()
    labels = [knob.label for knob in knobs_of(studies.study_of(history).space.knobs())]
    assert labels == [
        "lr",
        "strategy",
        "agreement",
        "teacher.momentum",
        "averager",
        "averager.momentum",
        "every",
        "momentum.start",
    ]


def test_the_same_field_of_two_options_is_one_knob_if_its_domain_is_the_same():
    domains = {
        "averager": Choice(({}, {}, {})),
        "averager.0.every": EVERY,
        "averager.1.every": EVERY,
        "averager.2.every": Range(1, 5, "linear", whole=True),
    }
    _, same, other = knobs_of(domains)
    assert same.names == ("averager.0.every", "averager.1.every")
    assert same.label == other.label == "every"
    assert settings([same, other], {"averager.1.every": 7}) == {"every": "7"}


def test_entries_of_a_list_are_told_apart_by_their_numbers():
    first, second = knobs_of({"recipe.lr.each.0": LR, "recipe.lr.each.1": LR})
    assert (first.label, second.label) == ("lr.each.0", "lr.each.1")


@pytest.mark.parametrize(
    "domain, value, text",
    [
        (LR, 0.0123456, "0.0123"),
        (EVERY, 7, "7"),
        (MOMENTUM, 0.998765, "0.9988"),
        (MOMENTUM, 0.93456, "0.935"),
        (Choice(({"kind": "finetune"}, 2.0)), 0, "finetune"),
        (Choice(({"kind": "finetune"}, 2.0)), 1, "2"),
    ],
)
def test_values_are_written_in_few_digits(domain, value, text):
    (knob,) = knobs_of({"recipe.a": domain})
    assert knob.text({"recipe.a": value}) == text
    assert knob.text({}) is None


@pytest.mark.parametrize("domain", [LR, EVERY, MOMENTUM, Choice(("a", "b", "c"))])
def test_an_axis_runs_from_0_to_1(domain):
    (knob,) = knobs_of({"recipe.a": domain})
    low, *_, high = domain.corners()
    assert knob.position({"recipe.a": low}) == pytest.approx(0)
    assert knob.position({"recipe.a": high}) == pytest.approx(1)
    assert math.isnan(knob.position({}))
    places = [place for place, _ in knob.ticks()]
    assert places[0] == pytest.approx(0)
    assert places[-1] == pytest.approx(1)
    assert places == sorted(places)


def test_options_are_called_by_what_differs():
    ema = {"kind": "ema", "momentum": MOMENTUM}
    half = {"kind": "ema", "momentum": {"kind": "half_life", "unit": "steps", "length": LR}}
    share = {"kind": "ema", "momentum": {"kind": "half_life", "unit": "tasks", "length": LR}}
    same = Same("!same recipe.strategy.teacher")
    choice = Choice((ema, half, share, {"kind": "student"}, ema, LR, 0.5, same))
    told = [option_label(choice, i) for i in range(8)]
    assert told[1:4] == ["ema half_life steps", "ema half_life tasks", "student"]
    assert told[0] == "ema 0"
    assert told[4:] == ["ema 4", "0.001 to 1", "0.5", "strategy.teacher"]


def test_a_sentence_names_label_and_value():
    assert sentence({"lr": "0.1", "every": "7"}) == "lr 0.1 · every 7"
