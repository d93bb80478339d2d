"""What is written to be shown reads back as what it was written of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domains import Choice, Range
from spaces.same import Same
from spaces.schedules import Schedule
from spaces.schedules.constant import Constant
from spaces.schedules.scaled import Scaled
from spaces.specs import validate
from spaces.writing import block, flow, spelled
from spaces.yamls import parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
    | st.sampled_from(["null", "yes", "off", "1e3", "a.b", "...", "- a", "{", "#", "1"])
)
NAMES = st.from_regex(r"[a-z][a-z_0-9.]{0,6}", fullmatch=True)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(data=st.dictionaries(NAMES, DATA, min_size=1, max_size=4), width=st.integers(8, 80))
def test_what_is_written_reads_back(data, width):
    assert parse(flow(data), "flow")[0] == data
    assert parse("\n".join(block(data, width)), "block")[0] == data


def test_holes_read_back():
    inside = {"y": Range(1, 2, "log", prior=1.5), "s": Same("!same a.b")}
    data = {"a": Choice(("b", inside)), "c": [Choice((1, Range(1, 3, whole=True)), (0.7, 0.3))]}
    assert parse(flow(data), "flow")[0] == data


def test_lines_are_broken_only_where_they_are_too_wide():
    data = {"kind": "a", "of": {"kind": "b", "sizes": [1, 2]}, "terms": [{"kind": "c", "x": 0.5}]}
    assert block(data, 200) == [
        "{kind: a, of: {kind: b, sizes: [1, 2]}, terms: [{kind: c, x: 0.5}]}"
    ]
    assert block(data, 20) == [
        "kind: a",
        "of:",
        "  kind: b",
        "  sizes: [1, 2]",
        "terms:",
        "  - kind: c",
        "    x: 0.5",
    ]


def test_constants_are_numbers_but_for_the_outermost():
    spec = Scaled(scale=Constant(value=0.5), shape=Constant(value=2.0))
    assert spelled(spec) == {"kind": "scaled", "scale": 0.5, "shape": 2.0}
    assert spelled(Constant(value=0.5)) == {"kind": "constant", "value": 0.5}
    assert validate(Schedule, spelled(spec)) == spec


@pytest.mark.parametrize("word", ["null", "True", "no", "1", "a b", ""])
def test_words_that_readers_guess_about_are_quoted(word):
    assert flow(word) == f'"{word}"'
