from __future__ import annotations

import struct
import sys

import numpy as np
import pytest

from reports import fronts, plots
from reports.canvas import png
from search.history import History
from tests.reports import studies

THREE = studies.TEXT.replace("stability: max}", "stability: max, forgetting: min}")


def drawn(axes) -> set[tuple[float, float]]:
    """Every point of a scatter on the axes."""
    offsets = [c.get_offsets() for c in axes.collections if len(c.get_offsets())]
    return {tuple(map(float, point)) for points in offsets for point in np.asarray(points)}


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    return struct.unpack(">II", picture[16:24])


@pytest.mark.parametrize("plot", [plots.front, plots.hypervolume, plots.averages])
@pytest.mark.parametrize("make", [studies.empty, studies.small])
def test_every_picture_is_1200_pixels_wide_and_the_same_each_time(plot, make):
    history = make()
    study = studies.study_of(history)
    picture = png(plot(history, study))
    assert size(picture)[0] == 1200
    assert picture == png(plot(history, study))


def test_only_complete_candidates_are_drawn_and_the_front_is_a_line():
    history = studies.small()
    (axes,) = plots.front(history, studies.study_of(history)).axes
    assert drawn(axes) == {(0.9, 0.3), (0.8, 0.6), (0.4, 0.7), (0.7, 0.5)}
    (line,) = axes.lines
    corners = [(0.9, 0.3), (0.8, 0.3), (0.8, 0.6), (0.4, 0.6), (0.4, 0.7)]
    assert list(zip(*line.get_data(), strict=True)) == corners


def test_counts_hypervolume_and_picks_are_written():
    history = studies.small()
    figure = plots.front(history, studies.study_of(history))
    said = " ".join(text.get_text() for text in figure.texts)
    assert "hand-made" in said
    assert "1 pruned" in said
    assert "hypervolume 0.5500" in said
    notes = {text.get_text().split("\n")[0] for text in figure.axes[0].texts}
    assert notes == {"knee", "best plasticity", "best stability"}


def test_the_shaded_area_is_the_hypervolume():
    history = studies.small()
    (axes,) = plots.front(history, studies.study_of(history)).axes
    (x, y) = axes.patches[0].get_xy().T
    area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert area == pytest.approx(0.55)


def test_three_objectives_are_drawn_by_pairs():
    events = [studies.opened(THREE), *studies.small_events()[1:]]
    history = History.of(events)
    figure = plots.front(history, studies.study_of(history))
    labels = {(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes if axes.axison}
    assert len(labels) == 3
    assert any("forgetting   ← lower is better" in pair for pair in labels)
    assert size(png(figure))[0] == 1200


def test_a_single_point_is_a_front_too():
    history = History.of(studies.with_outcomes([(0.5, 0.5)]))
    study = studies.study_of(history)
    for plot in (plots.front, plots.hypervolume):
        assert size(png(plot(history, study)))[0] == 1200


def test_the_hypervolume_is_drawn_as_it_grew():
    history = studies.small()
    study = studies.study_of(history)
    (axes,) = plots.hypervolume(history, study).axes
    steps = fronts.progress(history, study.goals)
    assert list(axes.lines[1].get_xdata()) == [at for _, at, _ in steps]
    assert list(axes.lines[1].get_ydata()) == [volume for *_, volume in steps]


def test_no_global_figure_is_opened():
    history = studies.small()
    plots.front(history, studies.study_of(history))
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
