"""A space: every knob in play is asked for once, conditions included; corners are linear."""

from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.domains import Choice, Range
from spaces.same import Same
from spaces.space import Space, holes, knob_name

R = Range(0.0, 1.0)
I = Range(1, 5, "linear", whole=True)  # I for an integer range
TEACHER = {"kind": "mean_teacher", "agreement": R, "teacher": {"momentum": I}}
TREE = {
    "lr": R,
    "fixed": {"a": [1, 2]},
    "strategy": Choice(({"kind": "finetune"}, TEACHER)),
    "list": [I, Choice(("only",))],
}


def middle(path, domain):
    return domain.at(0.5)


def test_draws_what_is_in_play():
    point, filled = Space(TREE).draw(middle)
    assert point == {
        ("lr",): 0.5,
        ("strategy",): 1,
        ("strategy", 1, "agreement"): 0.5,
        ("strategy", 1, "teacher", "momentum"): 3,
        ("list", 0): 3,
    }
    assert filled == {
        "lr": 0.5,
        "fixed": {"a": [1, 2]},
        "strategy": {"kind": "mean_teacher", "agreement": 0.5, "teacher": {"momentum": 3}},
        "list": [3, "only"],
    }


def test_a_knob_of_an_option_not_taken_is_not_asked_for():
    point, filled = Space(TREE).draw(lambda path, domain: domain.at(0))
    assert ("strategy", 1, "agreement") not in point
    assert filled["strategy"] == {"kind": "finetune"}


def test_all_knobs_of_all_options_have_names():
    assert Space(TREE).knobs() == {
        "lr": R,
        "strategy": TREE["strategy"],
        "strategy.1.agreement": R,
        "strategy.1.teacher.momentum": I,
        "list.0": I,
    }


def test_corners_are_each_option_and_each_end_once():
    corners = list(Space(TREE).corners())
    assert len(corners) == 1 + 5 * 2
    for name, domain in Space(TREE).knobs().items():
        seen = {v for point, _ in corners for path, v in point.items() if knob_name(path) == name}
        assert seen == set(domain.corners())


def test_a_choice_directly_in_a_choice():
    space = Space({"x": Choice((R, Choice((I, "b"))))})
    assert space.draw(lambda path, d: 0 if path == ("x", 1) else d.at(1))[0] == {
        ("x",): 1,
        ("x", 1): 0,
        ("x", 1, 0): 5,
    }
    assert len(list(space.corners())) == 1 + 2 + 2 + 2 + 2


def test_a_template_without_holes_is_its_only_point():
    space = Space({"a": [1, {"b": None}]})
    assert space.draw(middle) == ({}, space.template)
    assert list(space.corners()) == [({}, space.template)]


def test_parts_of_an_earlier_draw_are_shared_and_asked_for_no_more():
    space, asked = Space(TREE), []
    _, first = space.draw(middle)
    parts = space.parts(first, "strategy")

    def low(path, domain):
        asked.append(path)
        return domain.at(0)

    again = space.fill(low, parts)
    assert asked == [("lr",), ("list", 0)]
    assert again == space.draw(low)[1] | {"strategy": first["strategy"]}
    assert again["strategy"] is first["strategy"]


def test_what_another_part_may_change_is_not_shared():
    space = Space({"a": Same("!same b"), "b": R})
    _, filled = space.draw(middle)
    assert filled == {"a": 0.5, "b": 0.5} and not space.parts(filled, "a", "b")


def test_survives_pickling():
    again = pickle.loads(pickle.dumps(Space(TREE)))
    assert again == Space(TREE) and again.draw(middle) == Space(TREE).draw(middle)


DOMAINS = st.sampled_from([R, I])
TREES = st.recursive(
    st.one_of(DOMAINS, st.integers(), st.none()),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3),
        st.dictionaries(st.sampled_from("abc"), inside, max_size=3),
        st.lists(inside, min_size=1, max_size=3).map(lambda options: Choice(tuple(options))),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(TREES, st.randoms(use_true_random=False))
def test_what_is_filled_has_no_holes_and_what_is_drawn_is_a_knob(tree, random):
    space = Space(tree)
    point, filled = space.draw(lambda path, domain: domain.at(random.random()))
    assert not list(holes(filled))
    assert {knob_name(path) for path in point} <= space.knobs().keys()


@settings(deadline=None, max_examples=100)
@given(TREES)
def test_there_are_as_many_corners_as_ends_and_options(tree):
    space = Space(tree)
    ends = sum(len(domain.corners()) for domain in space.knobs().values())
    assert len(list(space.corners())) == 1 + ends
