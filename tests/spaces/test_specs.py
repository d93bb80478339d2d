"""Specs: loaded strictly, and every complaint in words, with its file, line and path."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from spaces.bounds import Within
from spaces.clock import Clock
from spaces.families import Family
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.schedules.cosine import Cosine
from spaces.specs import Spec, SpecError, load
from spaces.yamls import parse


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner(Spec):
    width: Annotated[int, Field(gt=0, le=8)] = 1

    def __post_init__(self):
        if self.width == 7:
            raise ValueError("width must not be 7")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer(Spec):
    need: int
    number: float = 0.0
    flag: bool = False
    word: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    side: Literal["left", "right"] = "left"
    some: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(max_length=2)] = ()
    pair: tuple[int, int] = (0, 0)
    maybe: Inner | None = None
    inners: list[Inner] = Field(default_factory=list)
    rate: Annotated[Schedule, Within(0, inf, open_low=True)] = Constant(value=1.0)
    share: Annotated[Schedule, Within(0, 1)] = Constant(value=1.0)


def read(text):
    data, lines = parse(text, "f.yaml")
    return load(Outer, data, lines=lines, source="f.yaml")


def complaint(text):
    with pytest.raises(SpecError) as error:
        read("need: 1\n" + text)
    (problem,) = error.value.problems
    assert problem.startswith("f.yaml:2: ")
    return problem.removeprefix("f.yaml:2: ")


def test_lists_become_tuples_and_mappings_specs():
    found = read(
        "need: 1\nnumber: 2\nsome: [1, 0.5]\nmaybe: {width: 2}\ninners: [{}]\n"
        "rate: 3\nshare: {kind: cosine, start: 0, end: 1}"
    )
    assert found == Outer(
        need=1, number=2.0, some=(1.0, 0.5), maybe=Inner(width=2), inners=[Inner()],
        rate=Constant(value=3.0), share=Cosine(start=0.0, end=1.0),
    )  # fmt: skip
    assert read("need: 1\nmaybe: null").maybe is None


@pytest.mark.parametrize(
    "text, words",
    [
        ("ned: 1", "ned: unknown key (did you mean 'need'?)"),
        ("maybe: {widht: 1}", "maybe.widht: unknown key (did you mean 'width'?)"),
        ("inners: [{}, {q: 1}]", "inners.1.q: unknown key (one of width)"),
        ("number: true", "number: a number is due, got true"),
        ("number: '1'", "number: a number is due, got '1'"),
        ("number: null", "number: a number is due, got null"),
        ("number: 1e999", "number: a finite number is due, got inf"),
        ("number: 1" + "0" * 400, "number: a finite number is due, got a number of more than 40 digits"),
        ("flag: 1", "flag: true or false is due, got 1"),
        ("flag: yes", "flag: true or false is due, got 'yes'"),
        ("word: 1", "word: a word is due (in quotes if it looks like a number), got 1"),
        ("word: A", "word: must match ^[a-z]+$, got 'A'"),
        ("side: lfet", "side: 'left' or 'right' is due, got 'lfet'"),
        ("some: 1", "some: a list is due, got 1"),
        ("some: [1, -1]", "some.1: must be at least 0, got -1"),
        ("some: [1, 1, 1]", "some: must have at most 2 entries, got 3"),
        ("maybe: 3", "maybe: a mapping is due, got 3"),
        ("maybe: {width: 0}", "maybe.width: must be above 0, got 0"),
        ("maybe: {width: 9}", "maybe.width: must be at most 8, got 9"),
        ("maybe: {width: 1.0}", "maybe.width: a whole number is due, got 1.0"),
        ("maybe: {width: [1]}", "maybe.width: a whole number is due, got a list"),
        ("maybe: {width: 7}", "maybe: width must not be 7"),
        ("rate: fast", "rate: a number, or a mapping with a kind is due, got 'fast'"),
        ("rate: true", "rate: a number, or a mapping with a kind is due, got true"),
        ("rate: {value: 1}", None),
        ("rate: {kind: cosin}", "rate: unknown kind 'cosin' (did you mean 'cosine'?)"),
        ("rate: {kind: [1]}", None),
        ("rate: {kind: cosine, start: 1}", "rate.cosine.end: is missing"),
        ("rate: 1e999", "rate: a finite number is due, got inf"),
        ("rate: 0", "rate: must be above 0 and finite at every step, got 0.0 at step 0 of 64"),
        (
            "share: {kind: linear, start: 0.5, end: 1.5}",
            "share: must be between 0 and 1 at every step, got 1.5 at step 63 of 64",
        ),
        (
            "share: {kind: per_task, each: {kind: cosine, start: a, end: 1}}",
            "share.per_task.each.cosine.start: a number is due, got 'a'",
        ),
        (
            "rate: {kind: scaled, scale: 1e300, shape: 1e300}",
            "rate: must be above 0 and finite at every step, got inf at step 0 of 64",
        ),
        ("pair: [1]", None),
    ],
)  # fmt: skip
def test_complaints(text, words):
    found = complaint(text)
    if words is not None:
        assert found == words
    assert "input should" not in found.lower() and "value error" not in found.lower()


def test_a_missing_kind_names_the_kinds():
    told = complaint("rate: {value: 1}")
    assert "'kind' is missing (one of " in told and "constant, cosine, " in told


def test_all_complaints_at_once_in_the_order_of_their_lines():
    with pytest.raises(SpecError) as error:
        read("number: x\nmaybe:\n  width: 0\n  depth: 1\nshare: 2\n")
    assert [p.split(": ")[:2] for p in error.value.problems] == [
        ["f.yaml:1", "need"],
        ["f.yaml:1", "number"],
        ["f.yaml:3", "maybe.width"],
        ["f.yaml:4", "maybe.depth"],
        ["f.yaml:5", "share"],
    ]


@pytest.mark.parametrize("text", ["[1]", "a", "3"])
def test_a_file_that_is_no_mapping(text):
    with pytest.raises(SpecError, match=r"^f.yaml:1: a mapping is due, got "):
        read(text)


def test_a_clock_says_what_is_wrong_with_it():
    with pytest.raises(SpecError, match=r"^c.yaml:1: task_starts must rise from 0"):
        load(Clock, {"steps": 9, "task_starts": [0, 10]}, lines={(): 1}, source="c.yaml")


def test_without_lines_a_complaint_still_has_a_place():
    with pytest.raises(SpecError, match=r"^there:1: need: a whole number is due"):
        load(Outer, {"need": "x"}, lines={}, source="there")


def test_a_kind_belongs_in_a_module_of_its_name():
    with pytest.raises(ValueError, match=r"belongs in a module called other\.py"):

        @Schedule.register
        @dataclass(frozen=True, kw_only=True, slots=True)
        class Other(Schedule):
            kind: Literal["other"] = "other"


def test_families_have_kinds_of_their_own():
    class Fresh(Family):
        __slots__ = ()

    assert Fresh.kinds == {} and "cosine" in Schedule.kinds


@pytest.mark.parametrize(
    "within, words",
    [
        (Within(0, 1), "between 0 and 1"),
        (Within(0, inf), "at least 0 and finite"),
        (Within(0, inf, open_low=True), "above 0 and finite"),
        (Within(0, 2, open_low=True), "above 0 and at most 2"),
        (Within(-inf, 2), "at most 2"),
        (Within(-inf, inf), "finite"),
    ],
)
def test_bounds_in_words(within, words):
    assert str(within) == words


def test_of_several_values_out_of_bounds_the_worst_is_told():
    schedule: Any = Cosine(start=-1.0, end=1.5)
    assert Within(0, 1).worst_outside(schedule) == (-1.0, 0)
    assert Within(-1, 1).worst_outside(schedule) == (1.5, 63)
    assert Within(-1, 2).worst_outside(schedule) is None
