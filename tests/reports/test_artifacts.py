from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from reports import artifacts, fronts
from search.history import History
from search.ledger import Ledger, LedgerError
from tests.reports import studies
from trainables import configurations

ALWAYS = {
    "candidates.csv",
    "front.csv",
    "front.json",
    "front.png",
    "front.html",
    "hypervolume.png",
    "averages.png",
    "study.yaml",
}
BEST = {"best/knee.yaml", "best/plasticity.yaml", "best/stability.yaml"}


def write(folder: Path, events: list) -> dict[str, bytes]:
    """The reports of a ledger with these events, by name."""
    with Ledger.create(folder / "study", events[0]) as ledger:
        ledger.append(*events[1:])
    out = folder / "out"
    written = artifacts.write(folder / "study", out)
    assert sorted(written) == sorted(p for p in out.rglob("*") if p.is_file())
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in written}


def test_all_files_are_written_and_agree(tmp_path):
    files = write(tmp_path, studies.small_events())
    assert set(files) == ALWAYS | BEST
    front = fronts.load(tmp_path / "study")
    assert json.loads(files["front.json"]) == front.to_json()
    table = pd.read_csv(tmp_path / "out" / "front.csv", index_col="candidate")
    assert table.index.tolist() == [0, 1, 2]
    assert len(pd.read_csv(tmp_path / "out" / "candidates.csv")) == 7
    assert files["study.yaml"].decode() == studies.TEXT
    assert configurations.read(tmp_path / "out" / "best" / "knee.yaml").provenance["candidate"] == 1


def test_written_again_they_are_the_same(tmp_path):
    files = write(tmp_path, studies.small_events())
    artifacts.write(tmp_path / "study", tmp_path / "out")
    for name, content in files.items():
        assert (tmp_path / "out" / name).read_bytes() == content


def test_a_study_without_a_front_says_so(tmp_path):
    files = write(tmp_path, [studies.opened()])
    assert set(files) == ALWAYS
    assert json.loads(files["front.json"])["front"] == []
    assert b"No candidate has finished the whole stream" in files["front.html"]
    front = pd.read_csv(tmp_path / "out" / "front.csv")
    assert front.empty
    assert "plasticity" in front


def test_the_study_file_names_what_the_command_line_changed(tmp_path):
    history = History.of(studies.small_events())
    opened = studies.opened(overrides=("budget.candidates=9",))
    files = write(tmp_path, [opened, *studies.small_events()[1:]])
    assert files["study.yaml"].decode().splitlines()[0] == (
        "# launched with --set 'budget.candidates=9'"
    )
    assert history.opened.text in files["study.yaml"].decode()


def test_a_folder_that_is_not_a_studys_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="not a study's folder"):
        artifacts.write(tmp_path, tmp_path / "out")
