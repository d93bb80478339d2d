"""Every kind that is registered tells what it is and how it is written, in words that hold."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from typing import Annotated, Literal, get_type_hints

import pytest
from pydantic import Field

from search import kinds
from spaces.bounds import Within
from spaces.families import Family
from spaces.fields import example, fields_of, words
from spaces.problems import SpecError
from spaces.schedules import Schedule
from spaces.specs import validate
from spaces.writing import block, spelled
from spaces.yamls import parse
from trainables.averagers import Averager
from trainables.averagers.ema import Ema
from trainables.metrics import METRICS
from trainables.terms import Term

EVERY = [(name, kind) for name in kinds.FAMILIES for kind in sorted(kinds.family(name).kinds)]


def test_every_family_is_listed():
    ours = {
        kind
        for kind in Family.__subclasses__()
        if kind.__module__.split(".")[0] in {"spaces", "trainables", "search", "reports"}
    }
    assert {kinds.family(name) for name in kinds.FAMILIES} == ours
    listed = kinds.text([])
    for name in kinds.NAMES:
        assert re.search(rf"^{name}: \w", listed, re.MULTILINE)


@pytest.mark.parametrize("name, kind", EVERY)
def test_every_kind_says_what_it_is_with_an_example_that_reads_back(name, kind):
    family = kinds.family(name)
    spec = family.kinds[kind]
    assert inspect.getdoc(sys.modules[spec.__module__])
    assert spec.__doc__
    assert not spec.__doc__.startswith(f"{spec.__name__}(")  # what dataclass writes of itself
    page = kinds.text([name, kind])
    assert page.startswith(f"{name} {kind}: ")
    assert max(map(len, page.splitlines())) <= kinds.WIDTH
    made = example(family, kind)
    assert type(made) is spec
    shown = inspect.cleandoc(page.partition("\nexample:\n")[2])
    assert validate(family, parse(shown, "example")[0]) == made
    for field in dataclasses.fields(spec):
        assert field.name == "kind" or f"\n  {field.name}: " in page
        assert field.name in spelled(made)


@pytest.mark.parametrize("name", kinds.NAMES)
def test_a_family_has_a_line_or_two_for_each_kind(name):
    listed = kinds.text([name])
    of = METRICS if name == kinds.METRIC else kinds.family(name).kinds
    rows = re.findall(r"^  (\w+)  +\S", listed, re.MULTILINE)
    assert sorted(rows) == sorted(of)
    assert max(map(len, listed.splitlines())) <= kinds.WIDTH
    assert "\n  written at " in listed


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_page(name):
    page = kinds.text([name])
    assert f"metric {name}: " in page
    assert "formula: " in page
    assert max(map(len, page.splitlines())) <= kinds.WIDTH


def test_a_kind_of_several_families_has_a_page_of_each():
    assert kinds.text(["replay"]) == "\n\n".join(
        kinds.text([family, "replay"]) for family in ("strategy", "term")
    )


def test_a_page():
    assert kinds.text(["averager", "ema"]).splitlines()[-7:] == [
        "fields:",
        "  momentum: a schedule or a number, between 0 and 1; due",
        "  every: a whole number, at least 1; default 1",
        "  start: a whole number, at least 0; default 0",
        "",
        "example:",
        "  {kind: ema, momentum: 0.9, every: 1, start: 0}",
    ]


@pytest.mark.parametrize(
    "asked, complaint",
    [
        (["averagr"], "averagr: neither a family nor a kind (did you mean 'averager'?)"),
        (["reservoirs"], "reservoirs: neither a family nor a kind (did you mean 'reservoir'?)"),
        (["averager", "emma"], "emma: no such averager (did you mean 'ema'?)"),
        (["avrager", "ema"], "avrager: no such family (did you mean 'averager'?)"),
        (["metric", "stabilty"], "stabilty: no such metric (did you mean 'stability'?)"),
        (["a", "b", "c"], "a b c: a family and a kind are due, not 3 words"),
    ],
)
def test_a_name_that_is_none(asked, complaint):
    with pytest.raises(SpecError) as refusal:
        kinds.text(asked)
    assert refusal.value.problems == [complaint]


def test_a_name_like_no_other_is_answered_with_the_families():
    with pytest.raises(SpecError, match="one of averager, branch, claim, "):
        kinds.text(["zzzz"])


@pytest.mark.parametrize(
    "hint, told",
    [
        (int, "a whole number"),
        (Annotated[float, Field(gt=0, le=0.5)], "a number, above 0, at most 0.5"),
        (Annotated[int, Field(ge=0, lt=2**63)], "a whole number, at least 0, below 2**63"),
        (Annotated[Schedule, Within(0, 1)], "a schedule or a number, between 0 and 1"),
        (Averager, "an averager"),
        (Averager | None, "an averager or null"),
        (tuple[Term, ...], "a list of: a term"),
        (Literal["a", "b"], "a or b"),
        (Literal[1, 2, 5], "one of 1, 2, 5"),
        (Annotated[str, Field(pattern="^a$")], "a word or a sentence, matching ^a$"),
        (dict[str, int], "a mapping"),
        (
            Annotated[tuple[int, ...], Field(min_length=1)],
            "a list of: a whole number, at least 1 of them",
        ),
    ],
)
def test_types_in_words(hint, told):
    assert words(hint) == told


def test_a_default_is_told_as_it_would_be_written():
    defaults = {f.name: f.default for f in fields_of(Ema)}
    assert defaults == {"momentum": None, "every": "1", "start": "0"}
    (noisy,) = [f for f in fields_of(kinds.family("term").kinds["agreement"]) if f.name == "weight"]
    assert noisy.default == "1.0"


def test_bounds_that_are_told_are_those_that_hold():
    hints = get_type_hints(Ema, include_extras=True)
    assert words(hints["momentum"]) == "a schedule or a number, between 0 and 1"
    assert isinstance(validate(Averager, {"kind": "ema", "momentum": 1.01}), list)
    assert block(spelled(example(Averager, "power")), 96) == ["{kind: power, gamma: 1.0}"]
