"""What the ledger promises: nothing written is lost, nothing half-written is seen, one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.events import SCHEMA, Asked, Ended, Fault, Measured, Opened, Outcome, decode, encode
from search.ledger import NAME, Ledger, LedgerError, Reader, read
from tests.search.ledgers import stories

OPENED = Opened(name="study", text="name: study")
LAW = settings(deadline=None, max_examples=60)


def write(directory, told, cuts=()):
    """The events in appends that end at ``cuts``; the lengths of the file after each append."""
    with Ledger.create(directory, told[0]) as ledger:
        lengths = [(1, size(directory))]
        edges = sorted({1, *(c for c in cuts if 0 < c < len(told)), len(told)})
        for start, end in pairwise(edges):
            ledger.append(*told[start:end])
            lengths.append((end, size(directory)))
    return lengths


def size(directory):
    return (directory / NAME).stat().st_size


@LAW
@given(stories(), st.lists(st.integers(1, 25)))
def test_what_is_read_is_what_was_written(told, cuts):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "new", told, cuts)
        assert read(Path(folder) / "new") == told


@LAW
@given(stories())
def test_a_line_is_its_event_in_the_plainest_json(told):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), told, range(len(told)))
        lines = (Path(folder) / NAME).read_text("utf-8").split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [json.loads(json.dumps(encode(e))) for e in told]
    assert all(
        line.startswith(f'{{"event":"{e.event}",') for line, e in zip(lines, told, strict=True)
    )


@LAW
@given(stories(), st.lists(st.integers(1, 25)), st.data())
def test_cut_at_any_byte_it_keeps_every_whole_append_and_goes_on(told, cuts, data):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        lengths = write(directory, told, cuts)
        cut = data.draw(st.integers(lengths[0][1], lengths[-1][1]))
        os.truncate(directory / NAME, cut)
        whole = max(count for count, length in lengths if length <= cut)
        assert read(directory) == told[:whole]
        with Ledger.open(directory) as ledger:
            ledger.append(*told[whole:], Ended(reason="budget", at=1))
        assert read(directory) == [*told, Ended(reason="budget", at=1)]


@LAW
@given(stories(), st.lists(st.integers(1, 25)), st.lists(st.integers(0, 10_000)))
def test_read_bit_by_bit_is_read_at_once(told, cuts, stops):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write(directory, told, cuts)
        data = (directory / NAME).read_bytes()
        reader, seen = Reader(directory), []
        for stop in [*sorted(stops), len(data)]:
            (directory / NAME).write_bytes(data[:stop])
            seen += reader.new()
        assert seen == told
        assert reader.new() == []


@LAW
@given(st.integers(0, 10_000))
def test_a_study_killed_within_its_first_line_is_started_anew(cut):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (length,) = {length for _, length in write(directory, [OPENED])}
        os.truncate(directory / NAME, cut % length)
        assert read(directory) == []
        Ledger.create(directory, OPENED).close()
        assert read(directory) == [OPENED]


def test_a_study_is_not_written_over(tmp_path):
    write(tmp_path, [OPENED, Ended(reason="budget", at=1)])
    with pytest.raises(LedgerError, match=r"holds a study already; .*equipoise resume"):
        Ledger.create(tmp_path, OPENED)
    assert len(read(tmp_path)) == 2


DRIVER = """
import sys
from pathlib import Path
from search.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
print("driving", flush=True)
sys.stdin.read()
"""


def test_one_driver_at_a_time_and_the_next_after_kill_9(tmp_path):
    write(tmp_path, [OPENED])
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "driving\n"
        for claim in (Ledger.open, lambda d: Ledger.create(d, OPENED)):
            with pytest.raises(LedgerError, match="another process is running this study"):
                claim(tmp_path)
        assert read(tmp_path) == [OPENED]
        first.send_signal(signal.SIGKILL)
    with Ledger.open(tmp_path) as ledger:
        ledger.append(Ended(reason="budget", at=1))
    assert len(read(tmp_path)) == 2


@pytest.mark.parametrize(
    "line, says",
    [
        (b"hello", "Expecting value"),
        (b"", "Expecting value"),
        (b"[1]", "not a JSON object"),
        (b'"study"', "not a JSON object"),
        (b"\xff\xfe{}", "codec can't decode"),
        (b'{"event":"party"}', "unknown event 'party'"),
        (b'{"event":["study"]}', r"unknown event \['study'\]"),
        (b'{"event":"end","reason":"budget"}', "end: at: "),
        (b'{"event":"end","reason":"budget","at":1,"why":2}', "end: why: "),
        (b'{"event":"end","reason":"budget","at":NaN}', "NaN is not JSON"),
        (b'{"event":"end","reason":"budget","at":1e999}', "end: at: "),
        (b'{"event":"job","job":1,"members":[3],"seed":0}', r"job: members\.0: "),
        (b'{"event":"outcome","candidate":0,"state":"fine","values":{},"task":0,"at":0}', "state"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_foreign_line_is_named_by_its_number_every_time(tmp_path, line, says):
    write(tmp_path, [OPENED, Fault(job=0, reason="", at=0)])
    with (tmp_path / NAME).open("ab") as file:
        file.write(line + b"\n" + json.dumps(encode(Ended(reason="x", at=1))).encode() + b"\n")
    reader = Reader(tmp_path)
    for _ in range(2):
        with pytest.raises(LedgerError, match=rf"ledger\.jsonl:3: not an event: .*{says}"):
            reader.new()


@pytest.mark.parametrize("more", [{}, {"colour": "green"}])
def test_a_newer_schema_is_refused_whatever_else_it_says(tmp_path, more):
    line = encode(OPENED) | {"schema": SCHEMA + 1} | more
    (tmp_path / NAME).write_text(json.dumps(line) + "\n")
    with pytest.raises(LedgerError, match=r"newer Equipoise \(schema 4.*upgrade"):
        read(tmp_path)


def test_half_a_surrogate_pair_does_not_make_a_ledger_unreadable(tmp_path):
    write(tmp_path, [OPENED, Fault(job=0, reason="no file caf\udce9", at=0)])
    assert read(tmp_path)[1].reason == "no file caf?"


def test_a_setting_called_more_does_not_tear_a_line(tmp_path):
    asked = Asked(candidate=0, knobs={}, config={}, attrs={"x": {"more": True}})
    write(tmp_path, [OPENED, asked])
    Ledger.open(tmp_path).close()
    assert read(tmp_path) == [OPENED, asked]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "event",
    [
        lambda x: Ended(reason="b", at=x),
        lambda x: Measured(candidate=0, task=0, step=1, accuracy=(x,), seconds=1, at=1),
        lambda x: Outcome(candidate=0, state="complete", values={"a": x}, task=0, at=1),
        lambda x: Asked(candidate=0, knobs={"a": x}, config={}),
        lambda x: Asked(candidate=0, knobs={}, config={"a": [x]}),
    ],
)
def test_what_is_not_json_is_refused_before_anything_is_written(tmp_path, event, value):
    with (
        Ledger.create(tmp_path, OPENED) as ledger,
        pytest.raises(ValueError, match="not JSON compliant"),
    ):
        ledger.append(Ended(reason="a", at=0), event(value))
    assert read(tmp_path) == [OPENED]


def test_text_may_name_what_is_no_json_number(tmp_path):
    write(tmp_path, [OPENED, Fault(job=0, reason="a loss of NaN, of -Infinity", at=0)])
    assert read(tmp_path)[1].reason == "a loss of NaN, of -Infinity"


def test_a_full_disk_leaves_whole_appends(tmp_path):
    """A file that may not grow stands in for the disk."""
    script = """
import resource, signal, sys
from pathlib import Path
from search.events import Ended, Fault, Opened
from search.ledger import Ledger, LedgerError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger.create(Path(sys.argv[1]), Opened(name="study", text=""))
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        ledger.append(Fault(job=0, reason="x" * 500, at=0), Fault(job=1, reason="", at=0))
    except LedgerError as error:
        print(error)
ledger.append(Ended(reason="full", at=0))
"""
    out = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert out.count("the disk took only part of a write") == 2
    assert [e.event for e in read(tmp_path)] == ["study", "end"]


@pytest.mark.parametrize("missing", ["no such folder", "no ledger.jsonl in it"])
def test_a_folder_that_is_no_studys_says_so(tmp_path, missing):
    directory = tmp_path / "nowhere" if missing == "no such folder" else tmp_path
    for claim in (read, Ledger.open):
        with pytest.raises(LedgerError, match=rf"not a study's folder \({missing}\)"):
            claim(directory)


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot write here: Not a directory"):
        Ledger.create(tmp_path / "file" / "study", OPENED)


@given(stories())
@LAW
def test_decode_undoes_encode(told):
    assert [decode(json.loads(json.dumps(encode(e)))) for e in told] == told
