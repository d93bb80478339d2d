from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.export import dump, export
from search.events import Asked, Queued
from search.history import History
from spaces.specs import load
from spaces.yamls import parse
from tests.reports import studies
from trainables.configurations import Configuration, train

HERE = Path("/somewhere/runs/hand-made")


def read(text: str) -> Configuration:
    data, lines = parse(text, "best.yaml")
    return load(Configuration, data, lines=lines, source="best.yaml")


def test_it_reads_back_as_the_very_configuration():
    history = studies.large(20)
    study = studies.study_of(history)
    for candidate in history.in_state("complete"):
        told = read(export(history, study, candidate, HERE))
        recipe, averager = study.candidate(history.candidates[candidate].config)
        assert (told.recipe, told.averager) == (recipe, averager)
        assert told.scenario == study.scenario
        assert told.seed == history.jobs[history.job_of[candidate]].seed


def test_the_provenance_has_the_record():
    history = studies.small()
    study = studies.study_of(history)
    told = read(export(history, study, 1, HERE, exported="2032-01-01T00:00:00+00:00")).provenance
    assert told["study"] == "hand-made"
    assert told["ledger"] == "hand-made 2031-05-06T07:08:09+00:00"
    assert told["folder"] == str(HERE)
    assert told["candidate"] == 1
    assert told["values"] == dict(history.outcomes[1].values)
    assert told["validation"] == [list(row) for row in history.rows(1)]
    assert (told["versions"], told["git"]) == (studies.VERSIONS, "0123abc")
    assert told["exported"] == "2032-01-01T00:00:00+00:00"


def test_the_first_lines_say_how_to_train_it():
    history = studies.small()
    text = export(history, studies.study_of(history), 1, HERE)
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("equipoise train best.yaml" in line for line in head)


def test_what_is_exported_trains(tmp_path):
    first = History.of([studies.opened()])
    study = studies.study_of(first)
    averager = {"kind": "ema", "momentum": 0.9, "every": 3}
    recipe = {"optimizer": {"kind": "sgd", "lr": 1e-05}, "seed": 3}
    config = {"recipe": recipe, "averager": averager}
    events = [
        studies.opened(),
        Asked(candidate=0, knobs={}, config=config),
        Queued(job=0, members=((0,),), seed=5),
        *studies.ended(0, (0.9, 0.3), at=1.0),
    ]
    told = read(export(History.of(events), study, 0, HERE))
    assert (told.seed, told.recipe.seed) == (5, 3)
    assert train(told, tmp_path).recorded == ((0.9,), (0.3, 0.9), (0.3, 0.3, 0.9))


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12
)
hard = st.sampled_from(
    ["1e-3", "010", "1:30", "yes", "off", "null", "~", "true", "1.0", "!log", ""]
)
scalars = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.none()
    | hard
    | words
)
documents = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    scalars | st.lists(st.lists(scalars, max_size=3) | scalars, max_size=4),
    min_size=1,
    max_size=5,
)


def same(a: object, b: object) -> bool:
    """Equal in value, type and sign of zero."""
    if isinstance(a, dict | list):
        items = zip(a.values(), b.values()) if isinstance(a, dict) else zip(a, b)  # noqa: B905 - lengths are compared
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in items)
    return type(a) is type(b) and repr(a) == repr(b)


@settings(deadline=None, max_examples=100)
@given(documents)
def test_every_value_reads_back_as_itself(data):
    assert same(parse(dump(data), "x.yaml")[0], data)
