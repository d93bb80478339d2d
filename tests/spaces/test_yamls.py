"""YAML, read strictly: what is a number, and every problem with its line."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.domains import Choice, Range
from spaces.same import Same
from spaces.specs import SpecError
from spaces.yamls import parse


def data_of(text):
    return parse(text, "f.yaml")[0]


def problems_of(text):
    with pytest.raises(SpecError) as error:
        parse(text, "f.yaml")
    return error.value.problems


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-3", 0.001), ("1E3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-2", -2), ("+3", 3), ("0", 0),
        ("true", True), ("false", False), ("null", None), ("~", None), ("off", "off"),
        ("yes", "yes"), ("True", "True"), ("010", "010"), ("0x10", "0x10"), ("1:30", "1:30"),
        ("1_000", "1_000"), ("2024-01-01", "2024-01-01"), (".inf", ".inf"), ("1e", "1e"),
        ("'1'", "1"), ('"a b"', "a b"), ("!!str 1", "1"), ("[]", []), ("{}", {}),
    ],
)  # fmt: skip
def test_scalars(text, value):
    found = data_of(f"a: {text}")["a"]
    assert found == value and type(found) is type(value)


def test_domains():
    text = """\
a: !uniform [0, 1]
b: !log [1e-3, 1]
c: !near_one [0.9, 0.99]
d: !int [1, 50]
e: !choice [1, !int [2, 3], {f: !log [1, 2]}]
"""
    assert data_of(text) == {
        "a": Range(0, 1),
        "b": Range(1e-3, 1, "log"),
        "c": Range(0.9, 0.99, "near_one"),
        "d": Range(1, 50, "linear", whole=True),
        "e": Choice((1, Range(2, 3, "linear", whole=True), {"f": Range(1, 2, "log")})),
    }


def test_same_is_a_path_wherever_a_value_stands():
    found = data_of("a: !same b.0.c\nd: [!same e, 1]\nf: !choice [!same 'g', 2]")
    assert found["a"] == Same("!same b.0.c") and found["a"].path == ("b", "0", "c")
    assert found["d"][0].path == ("e",) and found["f"].options[0].path == ("g",)
    assert all(isinstance(s, Same) for s in (found["a"], found["d"][0], found["f"].options[0]))


def test_every_path_has_its_line():
    text = "a: 1\nb:\n  - c: 2\n    d: [3,\n  4]\n\n  - !choice\n    - x\n    - y: 5\n"
    assert parse(text, "f.yaml")[1] == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 0, "c"): 3,
        ("b", 0, "d"): 4,
        ("b", 0, "d", 0): 4,
        ("b", 0, "d", 1): 5,
        ("b", 1): 7,
        ("b", 1, 0): 8,
        ("b", 1, 1): 9,
        ("b", 1, 1, "y"): 9,
    }


@pytest.mark.parametrize(
    "text, problem",
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: already given on line 1"),
        ("x:\n  a: 1\n  a: 3", "f.yaml:3: x.a: already given on line 2"),
        ("1: a", "f.yaml:1: a key must be a word, got 1"),
        ("null: a", "f.yaml:1: a key must be a word, got null"),
        ("? [a]\n: b", "f.yaml:1: a key must be a word, got a list or a mapping"),
        ("a: !lgo [1, 2]", "f.yaml:1: a: unknown tag !lgo (did you mean '!log'?)"),
        (
            "a: !q [1, 2]",
            "f.yaml:1: a: unknown tag !q (one of !choice, !int, !log, !near_one, !same, !uniform)",
        ),
        ("a: !log 3", "f.yaml:1: a: !log: two numbers in brackets are due"),
        (
            "a: !log {b: 3}",
            "f.yaml:1: a: !log: two numbers in brackets, or {range: [low, high], prior: x}, are due",
        ),
        ("a: !log [1]", "f.yaml:1: a: !log: two numbers in brackets are due, got 1"),
        ("a: !log [1, x]", "f.yaml:1: a: !log: two numbers in brackets are due, got 1, 'x'"),
        ("a: !log [1, true]", "f.yaml:1: a: !log: two numbers in brackets are due, got 1, true"),
        ("a: !log [0, 1]", "f.yaml:1: a: !log: the low end must be above 0, got 0"),
        ("a: !near_one [0, 1]", "f.yaml:1: a: !near_one: the high end must be below 1, got 1"),
        ("a: !int [0, 0.5]", "f.yaml:1: a: !int: both ends must be whole numbers, got 0 and 0.5"),
        (
            "a: !uniform [0, 1e999]",
            "f.yaml:1: a: !uniform: both ends must be finite, got 0 and inf",
        ),
        ("a: !choice []", "f.yaml:1: a: !choice: at least one option is due"),
        (
            "a: !choice {b: 1}",
            "f.yaml:1: a: !choice: a list of options, or {options: [a, b], prior: [0.7, 0.3]}, is due",
        ),
        *(
            (
                f"a: !same {given}",
                "f.yaml:1: a: !same: a path such as recipe.strategy.teacher is due",
            )
            for given in ("", "[b, c]", "{b: c}", "b..c", ".b", "'b c'")
        ),
        ("", "f.yaml:1: there is nothing here"),
        ("# only a comment\n", "f.yaml:1: there is nothing here"),
        ("a: 1\n\tb: 2", "f.yaml:2: not YAML: a tab: indent with spaces"),
        ("a: b: c", "f.yaml:1: not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document begins here: one is due"),
        ("a: 1\nb: \x01", "f.yaml:2: not YAML: the character #x0001 may not be in a text"),
        ("[" * 5000, "f.yaml:1: nested too deeply to be read"),
        ("a: !!int x", "f.yaml:1: a: cannot be read as int: 'x'"),
        ("a: !!bool x", "f.yaml:1: a: cannot be read as bool: 'x'"),
    ],
)
def test_problems(text, problem):
    assert problems_of(text) == [problem]


@pytest.mark.parametrize("tag", ["!!python/name:os.system", "!!set", "!!binary", "!<x>"])
def test_no_other_tag_is_obeyed(tag):
    for value in ("x", "[1]", "{a: 1}"):
        (problem,) = problems_of(f"a: {tag} {value}")
        assert problem.startswith("f.yaml:1: a: unknown tag ")
        assert problem.endswith(" (one of !choice, !int, !log, !near_one, !same, !uniform)")


def test_a_syntax_error_says_what_was_being_read():
    (problem,) = problems_of("a: 1\nb: [1, 2\nc: 3\n")
    assert problem.startswith("f.yaml:3: not YAML: ") and problem.endswith("from line 2)")


def test_aliases_are_refused_each_with_its_line():
    assert problems_of("a: &x [1]\nb: *x\nc: *x") == [
        "f.yaml:1: anchors and aliases are not read: write out what &x means",
        "f.yaml:2: anchors and aliases are not read: write out what *x means",
        "f.yaml:3: anchors and aliases are not read: write out what *x means",
    ]


def test_all_problems_in_one_pass_in_the_order_of_their_lines():
    assert problems_of("a: !log [2, 1]\na: 1\nb: !foo\n2: 3\nc: {d: 1, d: 2}\n") == [
        "f.yaml:1: a: !log: the range is empty: its low end must be below its high end, got 2 and 1",
        "f.yaml:2: a: already given on line 1",
        "f.yaml:3: b: unknown tag !foo (one of !choice, !int, !log, !near_one, !same, !uniform)",
        "f.yaml:4: a key must be a word, got 2",
        "f.yaml:5: c.d: already given on line 5",
    ]


def test_a_number_of_ten_thousand_digits_is_a_problem_and_no_traceback():
    (problem,) = problems_of("a: 1" + "0" * 10_000)
    assert problem.startswith("f.yaml:1: a: cannot be read as int") and len(problem) < 120


def test_deep_nesting_is_a_problem_and_no_traceback():
    assert problems_of("[" * 100 + "]" * 100) == ["f.yaml:1: 0.0.0: nested too deeply to be read"]


def is_word(text):
    """Not what YAML 1.1 writes plainly for a word and YAML 1.2 reads as a number, such as 0E0."""
    try:
        float(text)
    except ValueError:
        return True
    return yaml.safe_dump(text)[0] in "'\""


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8).filter(is_word),
    ),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inside),
    max_leaves=10,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(VALUES.filter(lambda v: v is not None))
def test_reads_what_yaml_writes(value):
    assert data_of(yaml.safe_dump(value, allow_unicode=True)) == value


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab:-[]{}!&*#?|>'\"\n\t ,1.e~%@"), max_size=30))
def test_whatever_the_text_no_traceback(text):
    try:
        parse(text, "f.yaml")
    except SpecError as error:
        assert all(problem.startswith("f.yaml:") for problem in error.problems)
