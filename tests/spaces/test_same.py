"""The same value in two places: no knob, and the value of the draw wherever it is asked for."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.corners import corners_of
from spaces.domains import Choice, Range
from spaces.misled import same_faults
from spaces.same import Same, lacking
from spaces.space import Space

R = Range(0.0, 1.0)


def same(path):
    return Same(f"!same {path}")


def studied(*averagers, **recipe):
    return {"recipe": recipe, "averager": Choice(averagers)}


TEACHER = {"kind": "taught", "teacher": {"momentum": R}}
TREE = studied(
    "student",
    same("recipe.strategy.teacher"),
    lr=R,
    strategy=Choice(({"kind": "plain"}, TEACHER)),
    again=[same("recipe.lr"), {"deep": same("recipe.again.0")}],
)


def drawn(template, **chosen):
    """What is filled where knobs that end in a name are as ``chosen``, others at their first value."""

    def pick(path, domain):
        return chosen.get(str(path[-1]), domain.at(0.0))

    return Space(template).draw(pick)


def test_it_is_no_knob():
    assert list(Space(TREE).knobs()) == [
        "recipe.lr",
        "recipe.strategy",
        "recipe.strategy.1.teacher.momentum",
        "averager",
    ]


def test_it_has_the_value_that_was_drawn_through_a_choice_a_list_and_another():
    point, filled = drawn(TREE, lr=0.3, momentum=0.7, strategy=1, averager=1)
    assert filled["averager"] == filled["recipe"]["strategy"]["teacher"] == {"momentum": 0.7}
    assert filled["recipe"]["again"] == [0.3, {"deep": 0.3}]
    assert len(point) == 4 and not lacking(filled)


def test_what_is_written_counts_too_and_null_is_a_value():
    template = {"a": {"b": [None, "word", {}]}, "c": [same("a.b"), same("a.b.0"), same("a.b.2")]}
    assert drawn(template) == ({}, template | {"c": [[None, "word", {}], None, {}]})


def test_where_the_draw_has_no_such_value_it_stays():
    _, filled = drawn(TREE, averager=1)
    assert filled["averager"] == "!same recipe.strategy.teacher"
    assert lacking(filled) == [same("recipe.strategy.teacher")]
    assert not lacking(drawn(TREE, averager=0)[1])


def test_a_value_that_holds_one_is_filled_first():
    template = studied(same("recipe.whole"), whole={"own": R, "of": same("recipe.other")}, other=R)
    _, filled = drawn(template, own=0.1, other=0.9)
    assert filled["averager"] == {"own": 0.1, "of": 0.9}


@pytest.mark.parametrize(
    "template",
    [
        {"a": same("a")},
        {"a": same("b"), "b": same("a")},
        {"a": {"b": same("a")}},
        {"a": same("b.x"), "b": same("a.x")},
        {"a": [same("b")], "b": {"c": same("a.0.c")}},
        {"a": Choice(({"x": same("a.y"), "y": same("a.x")},))},
    ],
)
def test_a_circle_is_told_and_a_draw_of_it_ends(template):
    assert any("leads back to itself" in f.message for f in same_faults(template, ("a", "b")))
    assert lacking(drawn(template)[1])


def test_what_only_looks_like_a_circle_is_none():
    turns = Choice(({"x": 1, "y": same("a.x")}, {"x": same("a.y"), "y": 2}))
    assert same_faults({"a": turns}, ("a",)) == []
    assert drawn({"a": turns}, a=1)[1] == {"a": {"x": 2, "y": 2}}


@pytest.mark.parametrize(
    "path, message",
    [
        ("recipe.strategy.techer", ("recipe.strategy says no 'techer' (did you mean 'teacher'?); "
         "what it leaves to a default must be written out")),
        ("recipe.lr.value", "recipe.lr holds no 'value'"),
        ("recipe.again.2", ("recipe.again says no '2' (one of 0, 1); "
         "what it leaves to a default must be written out")),
        ("recipe.strategy.1.teacher", ("recipe.strategy is one of several options, which have no "
         "numbers here: leave '1' out")),
        ("averager.0", "a path begins with recipe, from the root of the file"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere(path, message):
    (fault,) = same_faults(TREE | {"averager": Choice((same(path),))}, ("recipe",))
    assert fault == (("averager", 0), ("averager", 0), f"!same {path}: {message}")


def test_one_that_leads_to_one_that_leads_nowhere():
    template = {"a": {"x": same("a.q")}, "b": same("a.x.y")}
    told = [f.message for f in same_faults(template, ("a",))]
    assert "!same a.x.y: a.x is itself a !same that leads nowhere" in told


def test_one_option_cannot_lead_into_another():
    two = Choice(({"a": R}, {"b": same("recipe.two.a")}))
    (fault,) = same_faults({"recipe": {"two": two}}, ("recipe",))
    assert fault.path == ("recipe", "two", 1, "b")
    assert "never drawn together with this" in fault.message


def test_its_corners_are_the_ends_of_what_it_leads_to():
    filled = [f["averager"] for _, f in Space(TREE).corners()]
    assert {str(f) for f in filled if f not in ("student", same("recipe.strategy.teacher"))} == {
        "{'momentum': 0.0}",
        "{'momentum': 1.0}",
    }


def test_the_corners_of_a_part_are_each_met_once():
    space = Space(TREE)
    own = list(corners_of(space, "averager"))
    assert [f for _, f in own] == [
        "student", same("recipe.strategy.teacher"), {"momentum": 0.0}, {"momentum": 1.0},
    ]  # fmt: skip
    assert own[1][0] == {(): 1}


def test_it_survives_pickling_and_is_text():
    again = pickle.loads(pickle.dumps(Space(TREE)))
    assert again == Space(TREE)
    assert isinstance(again.template["averager"].options[1], Same)


@settings(deadline=None, max_examples=150)
@given(
    st.recursive(
        st.sampled_from(
            [R, 1, None, same("a"), same("a.b"), same("b.0"), same("b.0.a"), same("c")]
        ),
        lambda inside: st.one_of(
            st.lists(inside, max_size=2),
            st.dictionaries(st.sampled_from("ab"), inside, max_size=2),
            st.lists(inside, min_size=1, max_size=2).map(lambda options: Choice(tuple(options))),
        ),
        max_leaves=8,
    ).map(lambda inside: {"a": inside, "b": [inside, R]})
)
def test_whatever_leads_wherever_every_corner_is_drawn_and_what_is_left_is_lacking(template):
    known = {None, 1, *R.corners()}
    told = {f.path for f in same_faults(template, ("a", "b"))}
    assert all(len(path) > 0 for path in told)
    for _, filled in Space(template).corners():
        assert set(leaves(filled)) <= known | set(lacking(filled))


def leaves(node):
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
    return [node] if inside is None else [leaf for part in inside for leaf in leaves(part)]
