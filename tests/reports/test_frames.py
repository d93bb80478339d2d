from __future__ import annotations

import pandas as pd
import pytest

from reports import frames
from tests.reports import studies


def test_one_row_for_each_candidate_and_its_state():
    history = studies.small()
    frame = frames.candidates(history, studies.study_of(history))
    assert frame.index.tolist() == list(range(7))
    states = ["complete"] * 4 + ["pruned", "failed", "running"]
    assert frame["state"].tolist() == states
    assert frame.index[frame["on_front"]].tolist() == [0, 1, 2]
    assert frame["tasks"].tolist() == [3, 3, 3, 3, 2, 1, 0]
    assert frame["job"].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert frame.loc[5, "reason"].startswith("diverged")


def test_metrics_are_of_whole_streams_only():
    history = studies.small()
    frame = frames.candidates(history, studies.study_of(history))
    assert frame["plasticity"].notna().tolist() == [True] * 4 + [False] * 3
    assert frame["plasticity"].max() == 0.9  # the pruned one had 0.99 after two tasks
    assert frame.loc[1, "forgetting"] == pytest.approx(0.2)


def test_knobs_are_columns_by_name_and_missing_where_not_in_play():
    history = studies.small()
    frame = frames.candidates(history, studies.study_of(history))
    for candidate, asked in history.candidates.items():
        for name in studies.study_of(history).space.knobs():
            value = frame.loc[candidate, name]
            assert value == asked.knobs[name] if name in asked.knobs else pd.isna(value)


def test_seconds_are_those_of_the_workers():
    history = studies.small()
    frame = frames.candidates(history, studies.study_of(history))
    assert frame["seconds"].sum() == history.device_seconds()


def test_records_are_the_lower_triangle_in_long_form():
    history = studies.small()
    frame = frames.records(history)
    assert frame.columns.tolist()[:3] == ["candidate", "task_learnt", "task_tested"]
    assert (frame["task_tested"] <= frame["task_learnt"]).all()
    mine = frame[frame["candidate"] == 1]
    assert mine["accuracy"].tolist() == [0.8, 0.6, 0.8, 0.6, 0.6, 0.8]


def test_a_study_without_candidates_has_the_columns_of_one_with():
    history, full = studies.empty(), studies.small()
    frame = frames.candidates(history, studies.study_of(history))
    assert len(frame) == 0 == len(frames.records(history))
    assert set(frame) <= set(frames.candidates(full, studies.study_of(full)))
